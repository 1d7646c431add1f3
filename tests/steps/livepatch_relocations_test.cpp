// SPDX-License-Identifier: MIT
// Relocations of a live patch: those of vmlinux now, the others when their object comes.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
struct patch {
  explicit patch(std::string_view section, std::string_view symbol,
                 u32 shndx = elf::shn_livepatch) {
    b.modinfo("livepatch", "Y");
    place = b.section(".data.place", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                      byte_vector(8), 8);
    u32 const s = b.symbol(symbol, shndx, 0);
    byte_vector entry(24);
    elf::field<u64, elf::byte_order::little>::store(entry.data() + 8, u64{s} << 32 | 1);
    b.section(section, elf::sht_rela, elf::shf_alloc | elf::shf_rela_livepatch, entry, 8,
              builder::link_to_symtab, place, 24);
  }
  builder b = simple_builder("patch");
  u32 place = 0;
};
u64 placed(module const& m) {
  for (section_attribute const& s : m.section_attributes)
    if (s.name == ".data.place")
      return read<u64>(m, s.target);
  return 0;
}
} // namespace

TEST_CASE("livepatch_relocations: symbols of vmlinux are found by the hook") {
  auto h = make_host(kernel::options);
  module& m = loaded(*h, patch{".klp.rela.vmlinux..data.place", ".klp.sym.vmlinux.printk,3"}.b);
  CHECK(h->hooks.klp_asked == event_log{"vmlinux printk 3"});
  CHECK(placed(m) == 0xffffffff81abc000);
}

TEST_CASE("livepatch_relocations: other objects wait") {
  auto h = make_host(kernel::options);
  module& m = loaded(*h, patch{".klp.rela.ext4..data.place", ".klp.sym.ext4.f,0"}.b);
  CHECK(h->hooks.klp_asked.empty());
  CHECK(placed(m) == 0);
}

TEST_CASE("livepatch_relocations: malformed names are EINVAL") {
  auto h = make_host(kernel::options);
  std::string const long_name = ".klp.rela." + std::string(56, 'x') + ".text";
  for (std::string const& section :
       {std::string{".rela.klp"}, std::string{".klp.rela."}, std::string{".klp.rela.vmlinux"},
        std::string{".klp.rela..text"}, long_name}) {
    CAPTURE(section);
    error e = refused(*h, patch{section, ".klp.sym.vmlinux.f,0"}.b, errc::reloc_livepatch,
                      "apply_relocations");
    CHECK(e.os_errno() == e_inval);
  }
  for (auto symbol : {"printk", ".klp.sym.vmlinux.f", ".klp.sym.vmlinux.f,", ".klp.sym.ext4.f,0",
                      ".klp.sym.vmlinux.f,x", ".klp.sym.vmlinux.f,99999999999999999999"}) {
    CAPTURE(symbol);
    refused(*h, patch{".klp.rela.vmlinux..text", symbol}.b, errc::reloc_livepatch,
            "apply_relocations");
  }
  refused(*h, patch{".klp.rela.vmlinux..text", ".klp.sym.vmlinux.f,0", elf::shn_abs}.b,
          errc::reloc_livepatch, "apply_relocations");
}

TEST_CASE("livepatch_relocations: a symbol that the hook does not find") {
  auto h = make_host(kernel::options);
  h->hooks.klp_find_error = e_inval;
  refused(*h, patch{".klp.rela.vmlinux..text", ".klp.sym.vmlinux.f,0"}.b, errc::reloc_livepatch,
          "apply_relocations");
}

} // namespace kmodld::test
