// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/signature.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;
using test::bytes;

namespace {

std::string block(u32 length, std::string_view first_eight = "\0\0\2\0\0\0\0\0"sv) {
  std::string s{first_eight};
  for (int shift = 24; shift >= 0; shift -= 8)
    s += static_cast<char>(length >> shift & 0xff);
  return s;
}

std::string const magic{signature_magic};

} // namespace

TEST_CASE("signature: the magic is 28 bytes and ends with a line feed") {
  CHECK(magic == "~Module signature appended~\n");
  CHECK(magic.size() == 28);
}

TEST_CASE("signature: a signed file is cut in three") {
  std::string file = "module" + std::string("DER") + block(3) + magic;
  signature_parts parts;
  CHECK(split_signature(bytes(file), parts) == errc::ok);
  CHECK(as_text(parts.content) == "module");
  CHECK(as_text(parts.signature) == "DER");
  CHECK(as_text(parts.after_magic) == "moduleDER" + block(3));

  file = "m" + block(0) + magic;
  CHECK(split_signature(bytes(file), parts) == errc::ok);
  CHECK(as_text(parts.content) == "m");
  CHECK(parts.signature.empty());

  file = std::string(70001, 'x') + block(70000) + magic;
  CHECK(split_signature(bytes(file), parts) == errc::ok);
  CHECK(parts.content.size() == 1);
  CHECK(parts.signature.size() == 70000);
}

TEST_CASE("signature: without magic at the very end the file is unsigned and whole") {
  for (std::string const& file :
       {std::string{}, std::string{"module"}, magic, "m" + magic + "\n", "m" + magic.substr(0, 27),
        "m" + magic.substr(1), "m" + block(0) + magic + std::string(1, '\0')}) {
    CAPTURE(file);
    signature_parts parts;
    CHECK(split_signature(bytes(file), parts) == errc::signature_missing);
    CHECK(as_text(parts.content) == file);
    CHECK(as_text(parts.after_magic) == file);
    CHECK(parts.signature.empty());
  }
}

TEST_CASE("signature: damaged blocks; only the magic is stripped then") {
  struct row {
    std::string rest;
    errc answer;
  };
  row const rows[] = {
      {"m", errc::signature_block},
      {block(0), errc::signature_block},
      {"abc" + block(3), errc::signature_block},
      {"abc" + block(4), errc::signature_block},
      {"abc" + block(0xffffffff), errc::signature_block},
      {"abc" + block(3, "\1\1\1\1\1\1\1\1"sv), errc::signature_block},
      {"abc" + block(2, "\0\0\0\0\0\0\0\0"sv), errc::signature_not_pkcs7},
      {"abc" + block(2, "\0\0\1\0\0\0\0\0"sv), errc::signature_not_pkcs7},
      {"abc" + block(2, "\1\1\3\1\1\1\1\1"sv), errc::signature_not_pkcs7},
      {"abc" + block(2, "\1\0\2\0\0\0\0\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\1\2\0\0\0\0\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\0\2\1\0\0\0\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\0\2\0\1\0\0\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\0\2\0\0\1\0\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\0\2\0\0\0\1\0"sv), errc::signature_params},
      {"abc" + block(2, "\0\0\2\0\0\0\0\1"sv), errc::signature_params},
      {"abc" + block(2), errc::ok},
  };
  for (row const& r : rows) {
    CAPTURE(r.rest);
    std::string file = r.rest + magic;
    signature_parts parts;
    CHECK(split_signature(bytes(file), parts) == r.answer);
    CHECK(as_text(parts.after_magic) == r.rest);
    CHECK(as_text(parts.content) == (r.answer == errc::ok ? "a" : r.rest));
    CHECK(as_text(parts.signature) == (r.answer == errc::ok ? "bc" : ""));
  }
}
