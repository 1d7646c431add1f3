// SPDX-License-Identifier: MIT
// What a live patch keeps of its file.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
builder patch() {
  builder b = simple_builder("patch");
  b.modinfo("livepatch", "Y");
  return b;
}
} // namespace

TEST_CASE("copy_module_elf: header, section headers and names, readable as an ELF file's start") {
  auto h = make_host(kernel::options);
  byte_vector image = image_of(patch());
  module& m = loaded(*h, image);
  elf_file<elf::elf64_le> original{image};
  elf_file<elf::elf64_le> copy{byte_vector(m.livepatch_elf.begin(), m.livepatch_elf.end())};
  REQUIRE(copy.section_count() == original.section_count());
  CHECK(copy.header().e_shoff == sizeof(elf::elf64_le::ehdr));
  for (u32 i = 0; i < copy.section_count(); ++i) {
    CHECK(copy.section(i).sh_size == original.section(i).sh_size);
    CHECK(copy.section(i).sh_name == original.section(i).sh_name);
  }
  std::size_t const names_at =
      sizeof(elf::elf64_le::ehdr) + copy.section_count() * sizeof(elf::elf64_le::shdr);
  byte_view const names = byte_view{copy.bytes}.subspan(names_at);
  CHECK(string_at(names, copy.section(m.livepatch_symtab).sh_name) == ".symtab");
  CHECK(h->unload("patch"));
  CHECK(h->clean());
}

TEST_CASE("copy_module_elf: nothing for others") {
  auto h = make_host(kernel::options);
  CHECK(loaded(*h, simple_module()).livepatch_elf.empty());
}

TEST_CASE("copy_module_elf: no memory, then sysfs_cleanup") {
  auto h = make_host(kernel::options);
  after(*h, "mod_sysfs_setup", [&](module&) { h->allocator.fail_at(1); });
  CHECK(refused(*h, patch(), errc::no_memory, "copy_module_elf").os_errno() == e_nomem);
  CHECK(h->tracer.undone_actions.front() == "mod_sysfs_teardown");
}

TEST_CASE("copy_module_elf: the copy goes when init fails") {
  auto h = make_host(kernel::options);
  h->invoker.answer = -5;
  refused(*h, patch(), errc::init_failed, "do_init_module");
  h->invoker.answer = 0;
  h->tracer.fail_step = "free_copy";
  refused(*h, patch(), errc::injected, "free_copy");
}

} // namespace kmodld::test
