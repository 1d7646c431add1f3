// SPDX-License-Identifier: MIT
// The module's directory.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("mod_sysfs_setup: no sysfs, or the name is taken: EINVAL with the kernel's words") {
  struct {
    int answer;
    errc code;
    char const* message;
  } const rows[] = {{e_nodev, errc::sysfs_uninitialised, "demo: module sysfs not initialized"},
                    {e_exist, errc::sysfs_exists, "demo: module is already loaded"}};
  for (auto const& r : rows) {
    auto h = make_host();
    h->introspection.fail_part = sysfs_part::object;
    h->introspection.fail_with = r.answer;
    error e = refused(*h, simple_module(), r.code, "mod_sysfs_setup");
    CHECK(e.os_errno() == e_inval);
    CHECK(text_of(e) == r.message);
    CHECK(h->introspection.removed.empty());
  }
}

TEST_CASE("mod_sysfs_setup: parts before the failing one are taken away newest first") {
  auto h = make_host();
  h->introspection.fail_part = sysfs_part::attributes;
  h->introspection.fail_with = e_nomem;
  error e = refused(*h, simple_module(), errc::sysfs_failed, "mod_sysfs_setup");
  CHECK(text_of(e) == "demo: module_add_modinfo_attrs failed (err -12)");
  CHECK(h->introspection.removed == std::vector<sysfs_part>{sysfs_part::parameters,
                                                            sysfs_part::holders_dir,
                                                            sysfs_part::object});
}

TEST_CASE("mod_sysfs_setup: sections that are kept and have bytes, in the file's order") {
  auto h = make_host();
  builder b = simple_builder();
  b.rodata({}, ".empty");
  b.section(".note.test", elf::sht_note, elf::shf_alloc, byte_vector(16), 4);
  b.section(".debug", elf::sht_progbits, 0, byte_vector(16));
  h->invoker.during_init = [](module& m) {
    std::vector<std::string> names;
    for (section_attribute const& s : m.section_attributes) {
      names.emplace_back(s.name);
      CHECK(s.note == (s.name == ".note.test"));
      CHECK(m.host(s.target, s.bytes.size()) == s.bytes.data());
    }
    CHECK(names == std::vector<std::string>{".gnu.linkonce.this_module", ".text", ".note.test",
                                            ".symtab", ".strtab"});
    CHECK(m.in_sysfs);
  };
  loaded(*h, b);
}

TEST_CASE("mod_sysfs_setup: names that share their bytes in the file get no copies of their own") {
  auto h = make_host();
  builder b = simple_builder();
  std::string const name = "." + std::string(1000, 'n');
  for (unsigned i = 0; i < 300; ++i)
    b.rodata(byte_vector(1), "s" + std::to_string(i));
  b.rodata(byte_vector(1), name);
  auto f = b.build();
  for (u32 i = 1; i < f.section_count(); ++i)
    if (std::string_view{
            reinterpret_cast<char const*>(&f.data(f.header().e_shstrndx)[f.section(i).sh_name])}
            .starts_with("s"))
      f.section(i).sh_name = f.section(name).sh_name;
  CHECK(loaded(*h, f.bytes).section_attributes.empty());
}

TEST_CASE("mod_sysfs_setup: without memory for the sections the load goes on") {
  auto h = make_host();
  after(*h, "parse_args", [&](module&) { h->allocator.fail_at(1); });
  CHECK(loaded(*h, simple_module()).section_attributes.empty());
}

} // namespace kmodld::test
