// SPDX-License-Identifier: MIT
// verify itself: what it reads, and that each kind of difference is told.
#include "verify/compare.hpp"

#include "verify/kernels.hpp"

#include <doctest/doctest.h>

using namespace kmodld;
using namespace kmodld::verify;

namespace {

// sha256("abc") begins with ba7816bf..., sha256("") with e3b0c442...
char const* const core_line = R"({"name": "m", "path": "lib/modules/6.1.0-56-amd64/kernel/m.ko",
  "core": {"base": "0xffffffffc0201000", "size": 8192, "text_size": 4096, "ro_size": 4096,
           "ro_after_init_size": 8192},
  "init": {"base": "0x0", "size": 0, "text_size": 0, "ro_size": 0, "ro_after_init_size": 0},
  "percpu": "0x35000",
  "sections": [[3, ".text", "0xffffffffc0201000", 3, "ba7816bf8f01cfea414140de5dae2223", "core"],
               [4, ".bss", "0xffffffffc0202000", 0, "e3b0c44298fc1c149afbf4c8996fb924", "core"]],
  "undefined": {"printk": "0xffffffff81000000", "weak": "0x0"}})";

outcome right() {
  outcome o;
  o.regions = {{"core", 0xffffffffc0201000, 8192, 4096, 4096, 8192}};
  o.sections = {{3, ".text", 0xffffffffc0201000, 3, "core", test::bytes_of("abc"), true},
                {4, ".bss", 0xffffffffc0202000, 0, "core", {}, true}};
  o.asked = {"printk", "weak"};
  o.percpu = 0x35000;
  return o;
}

/// The one line that compare() gives after a change.
template <class Change>
std::string told(Change change) {
  record r = parse_record(core_line);
  outcome o = right();
  change(r, o);
  std::vector<std::string> lines = compare(r, o);
  REQUIRE(lines.size() == 1);
  return lines[0];
}

} // namespace

TEST_CASE("a record of two regions is read") {
  record r = parse_record(core_line);
  CHECK(r.name == "m");
  CHECK(r.release() == "6.1.0-56-amd64");
  CHECK(!r.linked);
  CHECK(!r.seven_kinds);
  CHECK(!r.file_hash);
  REQUIRE(r.regions.size() == 2);
  CHECK(r.regions[0].base == 0xffffffffc0201000);
  CHECK(r.regions[0].ro_after_init_size == 8192);
  CHECK(r.regions[1].size == 0);
  CHECK(r.percpu == 0x35000);
  CHECK(!r.symtab);
  REQUIRE(r.sections.size() == 2);
  CHECK(r.sections[0].name == ".text");
  CHECK(r.undefined.at("printk") == 0xffffffff81000000);
}

TEST_CASE("a record of seven regions is read") {
  record r = parse_record(
      R"({"name": "m", "path": "usr/lib/modules/6.12.117+deb13-amd64/kernel/m.ko.xz",
          "file_sha256": "d53e", "mem": [["text", "0x1000", 4096], ["data", "0x0", 0]],
          "percpu": "0x0", "symtab": ["0x10", "0x20"], "sections": [], "undefined": {}})");
  CHECK(r.seven_kinds);
  CHECK(r.release() == "6.12.117+deb13-amd64");
  CHECK(*r.file_hash == "d53e");
  REQUIRE(r.regions.size() == 2);
  CHECK(r.regions[0].name == "text");
  CHECK(r.regions[0].base == 0x1000);
  CHECK(*r.symtab == 0x10);
  CHECK(*r.strtab == 0x20);
}

TEST_CASE("a record of linked sections is read") {
  record r = parse_record(
      R"({"name": "m", "path": "p", "arch": "s390x", "base": "0x0",
          "sections": [[2, ".bss", "0x10", 8, null]], "undefined": {}, "toc": "0x8000",
          "got": {"base": "0x40", "size": 8, "slots": [[1, "f", "0x40", "0x99"]]},
          "masked": {"2": "aa"}})");
  CHECK(r.linked);
  CHECK(r.arch == "s390x");
  CHECK(!r.sections[0].hash);
  CHECK(*r.toc == 0x8000);
  CHECK(*r.got_base == 0x40);
  REQUIRE(r.got_slots.size() == 1);
  CHECK(r.got_slots[0].content == 0x99);
  CHECK(r.masked.at(2) == "aa");
}

TEST_CASE("what is no record is refused") {
  CHECK_THROWS(parse_record("{"));
  CHECK_THROWS(parse_record("{}"));
  CHECK_THROWS(parse_record(R"({"name": "m", "path": "p", "sections": [[1]], "undefined": {}})"));
  CHECK_THROWS(
      parse_record(R"({"name": "m", "path": "p", "sections": [], "undefined": {"f": "0xzz"}})"));
}

TEST_CASE("kernels are known by their release") {
  REQUIRE(find_kernel("6.1.0-56-amd64") != nullptr);
  CHECK(find_kernel("6.1.0-56-amd64")->kallsyms_all);
  CHECK(!find_kernel("6.1.0-56-amd64")->seven_kinds);
  CHECK(find_kernel("6.12.117+deb13-amd64")->seven_kinds);
  CHECK(find_kernel("6.1.0-50-powerpc64le")->page_size == 65536);
  CHECK(find_kernel("6.1.0-50-686-pae")->arch == machine::i386);
  CHECK(find_kernel("5.10.0-1-amd64") == nullptr);
  CHECK(find_kernel("") == nullptr);
}

TEST_CASE("a right load has no differences") {
  CHECK(compare(parse_record(core_line), right()).empty());
}

TEST_CASE("each difference is told") {
  CHECK(told([](record&, outcome& o) { o.refused = "ENOEXEC: no"; }) == "refused: ENOEXEC: no");
  CHECK(told([](record&, outcome& o) { o.regions[0].size = 4096; }) ==
        "region core: size is 0x1000, should be 0x2000");
  CHECK(told([](record&, outcome& o) { o.regions[0].base = 0; }) ==
        "region core: base is 0, should be 0xffffffffc0201000");
  CHECK(told([](record&, outcome& o) { o.regions[0].text_size = 0; }) ==
        "region core: text_size is 0, should be 0x1000");
  CHECK(told([](record&, outcome& o) { o.regions[0].ro_size = 0; }) ==
        "region core: ro_size is 0, should be 0x1000");
  CHECK(told([](record&, outcome& o) { o.regions[0].ro_after_init_size = 0; }) ==
        "region core: ro_after_init_size is 0, should be 0x2000");
  CHECK(told([](record&, outcome& o) { o.regions.push_back({"rodata"}); }) ==
        "region rodata should not exist");
  CHECK(told([](record&, outcome& o) { o.sections.pop_back(); }) ==
        "section 4 .bss is not in memory");
  CHECK(told([](record& r, outcome&) { r.sections.pop_back(); }) ==
        "section 4 .bss should not be in memory");
  CHECK(told([](record&, outcome& o) { o.sections.push_back(o.sections[0]); }) ==
        "section 3 .text is there twice");
  CHECK(told([](record&, outcome& o) { o.sections[0].name = ".texu"; }) ==
        "section 3 .text: name is .texu, should be .text");
  CHECK(told([](record&, outcome& o) { ++o.sections[0].address; }) ==
        "section 3 .text: address is 0xffffffffc0201001, should be 0xffffffffc0201000");
  CHECK(told([](record&, outcome& o) { ++o.sections[1].size; }) ==
        "section 4 .bss: size is 0x1, should be 0");
  CHECK(told([](record&, outcome& o) { o.sections[0].region = "init"; }) ==
        "section 3 .text: region is init, should be core");
  CHECK(told([](record&, outcome& o) {
          o.sections[0].bytes[2] = std::byte{'d'};
        }).starts_with("section 3 .text: sha256 is "));
  CHECK(told([](record&, outcome& o) { o.sections[0].has_bytes = false; }) ==
        "section 3 .text: has no bytes");
  CHECK(told([](record&, outcome& o) { o.asked.erase("weak"); }) ==
        "symbol weak was not asked for");
  CHECK(told([](record&, outcome& o) { o.asked.insert("kfree"); }) ==
        "symbol kfree was asked for, but is not undefined");
  CHECK(told([](record&, outcome& o) { o.percpu = 0; }) == "percpu is 0, should be 0x35000");
  CHECK(told([](record& r, outcome&) { r.symtab = 16; }) ==
        "address of .symtab is 0, should be 0x10");
  CHECK(told([](record& r, outcome& o) {
          r.strtab = 16;
          o.strtab = 17;
        }) == "address of .strtab is 0x11, should be 0x10");
  CHECK(told([](record& r, outcome&) {
          r.got = {0, 8, "e3b0c44298fc1c149afbf4c8996fb924"};
        }).starts_with("GOT: size is 0"));
  CHECK(told([](record& r, outcome& o) {
          r.plt = {0x10, 3, "ba7816bf8f01cfea414140de5dae2223"};
          o.plt_address = 0x18;
          o.plt = test::bytes_of("abc");
        }) == "PLT: address is 0x18, should be 0x10");
  CHECK(told([](record&, outcome& o) { o.complaints = {"leaks"}; }) == "leaks");
}
