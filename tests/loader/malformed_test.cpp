// SPDX-License-Identifier: MIT
// Damaged modules and odd parameters: one case a row of the table that Linux 6.1 was measured with
// (tests/data/malformed.md), made from Debian's dummy.ko. Where that kernel crashed: ENOEXEC.
#include "loader/fixture.hpp"
#include "support/kernel_modules.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

using file_type = elf_file<elf::elf64_le>;
constexpr auto magic_of_kernel = "6.1.0-56-amd64 SMP preempt mod_unload modversions "sv;

/// The symbols of dummy.ko that Linux exports to modules of a compatible licence only.
constexpr std::string_view gpl_only[] = {
    "__alloc_percpu_gfp", "__rtnl_link_register", "__rtnl_link_unregister", "free_percpu",
    "pernet_ops_rwsem",   "rtnl_link_unregister", "skb_clone_tx_timestamp", "skb_tstamp_tx"};

/// dummy.ko, and a kernel of its own release: every symbol of its __versions is exported, with the
/// CRC that stands there.
struct damaged {
  damaged() {
    std::optional<byte_vector> image = kernel_module("6_1", "dummy");
    if (!image)
      return;
    present = true;
    file = file_type{std::move(*image)};
    modversions<elf::elf64_le> const versions{file.data("__versions")};
    for (u32 i = 0; i < versions.count(); ++i) {
      expected_version const v = versions[i];
      bool const gpl =
          std::find(std::begin(gpl_only), std::end(gpl_only), v.name) != std::end(gpl_only);
      exported_symbol& s = h->symbols.kernel(std::string{v.name}, gpl);
      s.crc = static_cast<u32>(v.crc);
      s.has_crc = true;
      if (v.name == "param_ops_int")
        h->parameters.int_ops = s.value;
    }
    h->settings().vermagic = magic_of_kernel;
  }

  result<module_ref> load(std::string_view args = {}, load_flags flags = {}) {
    return h->load(file, args, flags);
  }
  /// Refused with this errno and this message, and nothing is left.
  void refused(int number, std::string_view message, std::string_view args = {}) {
    auto r = load(args);
    REQUIRE(!r);
    CHECK(errno_of(r) == number);
    CHECK(r.error().code != errc::injected);
    if (!message.empty())
      CHECK_MESSAGE(h->diagnostics.said(message), text_of(r.error()));
    CHECK(h->clean());
  }
  /// Loads, and goes without a trace.
  module& loaded(std::string_view args = {}, load_flags flags = {}) {
    auto r = load(args, flags);
    REQUIRE_MESSAGE(r, text_of(r.error()));
    CHECK((*r)->name() == "dummy");
    return **r;
  }
  ~damaged() {
    if (present && !h->modules().empty())
      CHECK(h->unload("dummy"));
    CHECK(h->clean());
  }

  bool present = false;
  std::unique_ptr<host> h = make_host();
  file_type file;
};

i32 numdummies(module const& m) {
  kernel_param p;
  REQUIRE(kernel_params<elf::elf64_le>{m, m.sections.kp}.get(0, p));
  CHECK(p.name == "numdummies");
  return elf::field<i32, elf::byte_order::little>::load(m.host(p.arg, 4));
}

/// Runs a case; where the module is not to be had, SKIPPED was said.
template <class Case>
void with_dummy(Case run) {
  if (damaged d; d.present)
    run(d);
}

} // namespace

TEST_CASE("malformed: unchanged, signed by the distribution") {
  with_dummy([](damaged& d) {
    d.h->verifier.verdict = errc::ok;
    module& m = d.loaded();
    CHECK(d.h->verifier.calls == 1);
    CHECK(d.h->verifier.signature == 681);
    CHECK(d.h->verifier.content + 681 + 12 + 28 == d.file.bytes.size());
    CHECK(m.sig_ok);
    CHECK(m.taints == 0);
    CHECK(d.h->taints() == 0);
    CHECK(d.h->diagnostics.all.empty());
  });
}

TEST_CASE("malformed: empty file") {
  with_dummy([](damaged& d) {
    // The host's read of a file answers EINVAL to finit_module; init_module and the loader ENOEXEC.
    d.file.bytes.clear();
    d.refused(e_noexec, "");
  });
}

TEST_CASE("malformed: ELF magic overwritten") {
  with_dummy([](damaged& d) {
    d.file.bytes[1] = std::byte{'X'};
    d.refused(e_noexec, "Invalid ELF header magic: != \\x7fELF");
  });
}

TEST_CASE("malformed: e_machine = EM_386") {
  with_dummy([](damaged& d) {
    d.file.header().e_machine = 3;
    d.refused(e_noexec, "Invalid architecture in ELF header: 3");
  });
}

TEST_CASE("malformed: e_shentsize = 40") {
  with_dummy([](damaged& d) {
    d.file.header().e_shentsize = 40;
    d.refused(e_noexec, "Invalid ELF section header size");
  });
}

TEST_CASE("malformed: e_shoff = 0") {
  with_dummy([](damaged& d) {
    d.file.header().e_shoff = 0;
    d.refused(e_noexec, "empty section name table");
  });
}

TEST_CASE("malformed: e_shstrndx = 999") {
  with_dummy([](damaged& d) {
    d.file.header().e_shstrndx = 999;
    d.refused(e_noexec, "Invalid ELF section name index: 999 || e_shstrndx (999) >= e_shnum (41)");
  });
}

TEST_CASE("malformed: file cut in half") {
  with_dummy([](damaged& d) {
    d.file.bytes.resize(d.file.bytes.size() / 2);
    d.file.bytes.shrink_to_fit();
    d.refused(e_noexec, "Invalid ELF section header overflow");
  });
}

TEST_CASE("malformed: sh_offset of .text = 1 GiB") {
  with_dummy([](damaged& d) {
    d.file.section(".text").sh_offset = u64{1} << 30;
    d.refused(e_noexec, "Invalid ELF section in module (section 3 type 1)");
  });
}

TEST_CASE("malformed: sh_offset of .text = 2^64 - 16") {
  with_dummy([](damaged& d) {
    d.file.section(".text").sh_offset = ~u64{15};
    d.refused(e_noexec, "Invalid ELF section in module (section 3 type 1)");
  });
}

TEST_CASE("malformed: .rodata retyped SHT_SYMTAB (two symbol tables)") {
  with_dummy([](damaged& d) {
    d.file.section(".rodata").sh_type = elf::sht_symtab;
    d.refused(e_noexec, "Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum(41)");
  });
}

TEST_CASE("malformed: last byte of .strtab not NUL") {
  with_dummy([](damaged& d) {
    d.file.data(".strtab").back() = std::byte{'A'};
    d.refused(e_noent, "dummy: Unknown symbol register_netdeviceA (err -2)");
  });
}

TEST_CASE("malformed: last byte of .shstrtab not NUL") {
  with_dummy([](damaged& d) {
    d.file.data(".shstrtab").back() = std::byte{'A'};
    d.refused(e_noexec, "ELF Spec violation: section name table isn't null terminated");
  });
}

TEST_CASE("malformed: vermagic 6.2.0 instead of 6.1.0 (only the first word differs)") {
  with_dummy([](damaged& d) {
    d.file.replace(".modinfo", "vermagic=6.1.0", "vermagic=6.2.0");
    CHECK((d.loaded().taints & taint_forced) == 0);
  });
}

TEST_CASE("malformed: vermagic says XMP instead of SMP") {
  with_dummy([](damaged& d) {
    d.file.replace(".modinfo", " SMP ", " XMP ");
    d.refused(e_noexec,
              "dummy: version magic '6.1.0-56-amd64 XMP preempt mod_unload modversions ' should be "
              "'6.1.0-56-amd64 SMP preempt mod_unload modversions '");
  });
}

TEST_CASE("malformed: no license= in .modinfo") {
  with_dummy([](damaged& d) {
    d.file.replace(".modinfo", "license=GPL", "xicense=GPL");
    d.refused(e_noent, "dummy: Unknown symbol __rtnl_link_unregister (err -2)");
    CHECK(d.h->diagnostics.said("dummy: Unknown symbol skb_tstamp_tx (err -2)"));
    CHECK(d.h->diagnostics.said("dummy: Unknown symbol __rtnl_link_register (err -2)"));
    CHECK(d.h->diagnostics.count(errc::symbol_unknown) == std::size(gpl_only));
    CHECK(d.h->diagnostics.said("dummy: module license 'unspecified' taints kernel."));
  });
}

TEST_CASE("malformed: .gnu.linkonce.this_module shrunk to 64 bytes") {
  with_dummy([](damaged& d) {
    d.file.section(".gnu.linkonce.this_module").sh_size = 64;
    d.refused(e_noexec, "dummy: .gnu.linkonce.this_module section has 64 bytes, 80 are needed");
  });
}

TEST_CASE("malformed: an undefined symbol that nobody exports") {
  with_dummy([](damaged& d) {
    d.file.replace(".strtab", "\0register_netdevice\0"sv, "\0Register_netdevice\0"sv);
    d.refused(e_noent, "dummy: Unknown symbol Register_netdevice (err -2)");
  });
}

TEST_CASE("malformed: a CRC in __versions wrong") {
  with_dummy([](damaged& d) {
    // Without the flag; the kernel says EINVAL, and names the symbol.
    d.file.data("__versions")[u64{64} * 5] ^= std::byte{1};
    std::string const name{modversions<elf::elf64_le>{d.file.data("__versions")}[5].name};
    d.refused(e_inval, "dummy: disagrees about version of symbol " + name);
    CHECK(d.h->diagnostics.said("dummy: Unknown symbol " + name + " (err -22)"));
  });
}

TEST_CASE("malformed: a CRC in __versions wrong, loaded with MODULE_INIT_IGNORE_MODVERSIONS") {
  with_dummy([](damaged& d) {
    d.file.data("__versions")[u64{64} * 5] ^= std::byte{1};
    d.h->verifier.verdict = errc::ok; // not asked: the flag makes the module count as unsigned
    module& m = d.loaded({}, {.ignore_modversions = true});
    CHECK(d.h->verifier.calls == 0);
    CHECK(m.taints == (taint_forced | taint_unsigned));
    CHECK((d.h->taints() & taint_forced) != 0);
    CHECK(d.h->diagnostics.said("dummy: module_layout: kernel tainted."));
    CHECK(d.h->diagnostics.count(errc::taint_forced) == 1);
  });
}

TEST_CASE("malformed: first relocation of .text given type 99") {
  with_dummy([](damaged& d) {
    auto& first = d.file.entries<elf::elf64_le::rela>(".rela.text")[0];
    first.r_info = (u64{first.r_info} & ~u64{0xffffffff}) | 99;
    d.refused(e_noexec, "dummy: Unknown rela relocation: 99");
  });
}

TEST_CASE("malformed: the place of a relocation holds a non-zero byte") {
  with_dummy([](damaged& d) {
    auto& first = d.file.entries<elf::elf64_le::rela>(".rela.text")[0];
    CHECK(elf::elf64_le::r_type(first.r_info) == 4);
    d.file.data(".text")[first.r_offset] = std::byte{1};
    d.refused(e_noexec, "");
    error const& e = d.h->diagnostics.all.back();
    CHECK(e.code == errc::reloc_nonzero);
    CHECK(starts_with(text_of(e),
                      "x86/modules: Skipping invalid relocation target, existing value is "
                      "nonzero for type 4, "));
  });
}

TEST_CASE("malformed: an undefined symbol turned SHN_COMMON") {
  with_dummy([](damaged& d) {
    d.file.symbol("register_netdevice").st_shndx = elf::shn_common;
    d.refused(e_noexec, "dummy: please compile with -fno-common");
  });
}

TEST_CASE("malformed: parameter nosuch=1") {
  with_dummy([](damaged& d) {
    module& m = d.loaded("nosuch=1");
    CHECK(d.h->diagnostics.said("dummy: module verification failed: signature and/or required key "
                                "missing - tainting kernel"));
    CHECK(d.h->diagnostics.said("dummy: unknown parameter 'nosuch' ignored"));
    CHECK(m.taints == taint_unsigned);
  });
}

TEST_CASE("malformed: parameter numdummies=99999999999") {
  with_dummy([](damaged& d) {
    d.refused(e_range, "dummy: `99999999999' invalid for parameter `numdummies'",
              "numdummies=99999999999");
  });
}

TEST_CASE("malformed: parameter numdummies=\"2\" (quoted)") {
  with_dummy([](damaged& d) { CHECK(numdummies(d.loaded("numdummies=\"2\"")) == 2); });
}

TEST_CASE("malformed: parameters: dyndbg=+p numdummies=1") {
  with_dummy([](damaged& d) {
    CHECK(numdummies(d.loaded("dyndbg=+p numdummies=1")) == 1);
    CHECK(d.h->hooks.queries == event_log{"dummy: +p"});
  });
}

TEST_CASE("malformed: sh_addralign of .text = 1 MiB") {
  with_dummy([](damaged& d) {
    d.file.section(".text").sh_addralign = u64{1} << 20;
    module& m = d.loaded();
    CHECK((m.memories[0].text_size & 0xfff) == 0);
  });
}

TEST_CASE("malformed: .data retyped SHT_NOBITS") {
  with_dummy([](damaged& d) {
    d.file.section(".data").sh_type = elf::sht_nobits;
    CHECK(numdummies(d.loaded()) == 0); // and not the 1 of the file
  });
}

TEST_CASE("malformed: intree=Y removed") {
  with_dummy([](damaged& d) {
    d.file.replace(".modinfo", "intree=Y", "xntree=Y");
    module& m = d.loaded();
    CHECK(m.taints == (taint_out_of_tree | taint_unsigned));
    CHECK(d.h->diagnostics.said("dummy: loading out-of-tree module taints kernel."));
  });
}

TEST_CASE("malformed: intree=Y replaced by staging=Y") {
  with_dummy([](damaged& d) {
    d.file.replace(".modinfo", "retpoline=Y\0intree=Y\0"sv, "staging=Y\0\0\0\0\0\0\0\0\0\0\0\0"sv);
    module& m = d.loaded();
    CHECK(m.taints == (taint_staging | taint_out_of_tree | taint_unsigned));
    CHECK(d.h->diagnostics.said(
        "dummy: module is from the staging directory, the quality is unknown, "
        "you have been warned."));
  });
}

TEST_CASE("malformed: sh_info of .rela.text = 999") {
  with_dummy([](damaged& d) {
    d.file.section(".rela.text").sh_info = 999;
    d.refused(e_noexec, "Invalid ELF sh_info: relocation section 4 is for section 999 of 41");
  });
}

TEST_CASE("malformed: EI_OSABI = 9") {
  with_dummy([](damaged& d) {
    d.file.header().e_ident[7] = 9;
    CHECK(d.loaded().taints == taint_unsigned);
    CHECK(d.h->diagnostics.said("dummy: module verification failed: signature and/or required key "
                                "missing - tainting kernel"));
  });
}

TEST_CASE("malformed: loaded through init_module(2), numdummies=2") {
  with_dummy([](damaged& d) { CHECK(numdummies(d.loaded("numdummies=2")) == 2); });
}

TEST_CASE("malformed: one byte of the content changed, signature kept") {
  with_dummy([](damaged& d) {
    d.file.data(".text")[0x20] ^= std::byte{1};
    d.h->verifier.verdict = errc::signature_rejected; // digest mismatch
    d.refused(129, "module signature does not match its content");
    CHECK(d.h->tracer.entered == event_log{"module_sig_check"});
    CHECK((d.h->taints() & taint_unsigned) == 0);
  });
}

} // namespace kmodld::test
