// SPDX-License-Identifier: MIT
// Which sections the loader works with, and which of two names is used for what.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {

elf_file<elf::elf64_le> demo() { return simple_builder().build(); }

void rename_struct(elf_file<elf::elf64_le>& f, std::string_view name) {
  auto bytes = f.data(".gnu.linkonce.this_module");
  for (std::size_t i = 0; i < 56; ++i)
    bytes[builder::module_name_offset + i] =
        i < name.size() ? static_cast<std::byte>(name[i]) : std::byte{0};
}

} // namespace

TEST_CASE("setup_load_info: no symbol table") {
  auto h = make_host();
  auto f = demo();
  f.section(".symtab").sh_type = elf::sht_progbits;
  error e = refused(*h, f.bytes, errc::module_no_symbols, "setup_load_info");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) == "demo: module has no symbols (stripped?)");
}

TEST_CASE("setup_load_info: no module structure, or one that is not kept, or is too small") {
  auto h = make_host();
  auto f = demo();
  f.section(".gnu.linkonce.this_module").sh_flags = 0;
  CHECK(text_of(refused(*h, f.bytes, errc::module_struct_missing, "setup_load_info")) ==
        "demo: No module found in object");
  f = demo();
  f.section(".gnu.linkonce.this_module").sh_size = 79;
  refused(*h, f.bytes, errc::module_struct_size, "setup_load_info");
  f = demo();
  f.section(".gnu.linkonce.this_module").sh_type = elf::sht_nobits;
  refused(*h, f.bytes, errc::module_struct_size, "setup_load_info");
}

TEST_CASE("setup_load_info: a name of 55 characters is the longest, an empty one is refused") {
  auto h = make_host();
  auto f = demo();
  rename_struct(f, std::string(55, 'x'));
  CHECK(loaded(*h, f.bytes).name() == std::string(55, 'x'));
  rename_struct(f, "");
  refused(*h, f.bytes, errc::module_name, "setup_load_info");
}

TEST_CASE("setup_load_info: the tag names the module for messages, the structure everywhere else") {
  auto h = make_host();
  auto f = demo();
  rename_struct(f, "other");
  h->settings().module_blacklist = "other";
  loaded(*h, f.bytes);
  CHECK(h->find("other"));
  CHECK(!h->find("demo"));
  CHECK(std::count(h->log.begin(), h->log.end(), "audit other") == 1);
  h->settings().module_blacklist = "demo";
  refused(*h, f.bytes, errc::module_blacklisted, "blacklisted");
}

TEST_CASE("setup_load_info: without .modinfo the structure's name is all there is") {
  auto h = make_host();
  auto f = demo();
  f.section(".modinfo").sh_flags = 0;
  module& m = loaded(*h, f.bytes);
  CHECK(m.name() == "demo");
  CHECK((m.taints & taint_proprietary) != 0); // no licence is none
  auto g = demo();
  g.section(".modinfo").sh_flags = 0;
  g.section(".symtab").sh_type = elf::sht_progbits;
  CHECK(text_of(refused(*h, g.bytes, errc::module_no_symbols, "setup_load_info")) ==
        "(missing .modinfo section or name field): module has no symbols (stripped?)");
}

} // namespace kmodld::test
