// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/modinfo.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;
using test::bytes;

namespace {

std::string_view const section =
    "license=GPL\0alias=a\0\0\0alias=b\0author=\0aliased=no\0alias=c"sv;

/// On the heap with its exact size, so that the address sanitiser sees a read beyond it.
std::vector<std::byte> exact(std::string_view s) {
  auto b = bytes(s);
  return {b.begin(), b.end()};
}

} // namespace

TEST_CASE("modinfo: get answers the first value of exactly this tag") {
  auto memory = exact(section);
  modinfo info{memory};
  CHECK(info.get("license") == "GPL");
  CHECK(info.get("alias") == "a");
  CHECK(info.get("aliased") == "no");
  CHECK(info.get("lias").data() == nullptr);
  CHECK(info.get("ali").data() == nullptr);
  CHECK(info.get("license=GPL").data() == nullptr);
  CHECK(info.get("").data() == nullptr);
  CHECK(info.has("author"));
  CHECK_FALSE(info.has("version"));
}

TEST_CASE("modinfo: an empty value is there, a missing tag is not") {
  auto memory = exact(section);
  modinfo info{memory};
  CHECK(info.get("author").data() != nullptr);
  CHECK(info.get("author").empty());
  auto last = exact("x="sv);
  CHECK(modinfo{last}.get("x").data() != nullptr);
  CHECK(modinfo{last}.get("x").empty());
}

TEST_CASE("modinfo: get_next walks over the values of one tag") {
  auto memory = exact(section);
  modinfo info{memory};
  std::string seen;
  std::string_view value;
  for (int turns = 0; turns < 9; ++turns) {
    value = info.get_next("alias", value);
    if (value.data() == nullptr)
      break;
    seen.append(value).append(";");
  }
  CHECK(seen == "a;b;c;");
  CHECK(info.get_next("license", info.get("license")).data() == nullptr);
  CHECK(info.get_next("alias", info.get("author")) == "c");
  CHECK(info.get_next("alias", "elsewhere"sv).data() == nullptr);
}

TEST_CASE("modinfo: strings and padding that the section's end cuts off") {
  struct row {
    std::string_view text, tag, value;
    bool found;
  };
  row const rows[] = {
      {"a=b"sv, "a", "b", true},    {"a=b\0c=d"sv, "c", "d", true}, {"a=b\0\0\0"sv, "c", "", false},
      {"a=b\0c"sv, "c", "", false}, {"a"sv, "a", "", false},        {"\0\0a=b\0"sv, "a", "b", true},
      {"\0"sv, "a", "", false},     {""sv, "a", "", false},         {"=b\0"sv, "", "b", true},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    auto memory = exact(r.text);
    std::string_view value = modinfo{memory}.get(r.tag);
    CHECK((value.data() != nullptr) == r.found);
    CHECK(value == r.value);
  }
  CHECK_FALSE(modinfo{}.has("license"));
}

TEST_CASE("modinfo: for_each visits every string once") {
  std::string seen;
  auto memory = exact("\0a=b\0\0plain\0c="sv);
  modinfo{memory}.for_each([&](std::string_view s) { seen.append(s).append(";"); });
  CHECK(seen == "a=b;plain;c=;");
}

TEST_CASE("modinfo: what the loader asks for is found by one walk, and is what a search finds") {
  auto memory = exact("\0name=a\0namely=x\0alias=b\0license=\0license=GPL\0\0intree=Y\0test"
                      "\0import_ns=A\0import_ns=B\0version=1\0=\0srcversion"sv);
  loader_modinfo const indexed{memory};
  modinfo const plain{memory};
  for (u8 i = 0; i <= static_cast<u8>(modinfo_tag::import_ns); ++i) {
    auto const tag = static_cast<modinfo_tag>(i);
    std::string_view const name = loader_modinfo::name_of(tag);
    CAPTURE(name);
    CHECK(indexed.first(tag).data() == plain.get(name).data());
    CHECK(indexed.first(tag) == plain.get(name));
    CHECK(indexed.has(tag) == plain.has(name));
  }
  CHECK(indexed.first(modinfo_tag::name) == "a");
  CHECK(indexed.first(modinfo_tag::license).data() != nullptr); // the first, which is empty
  CHECK(!indexed.has(modinfo_tag::srcversion));
  CHECK(indexed.get_next("import_ns", indexed.first(modinfo_tag::import_ns)) == "B");
}
