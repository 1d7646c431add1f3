// SPDX-License-Identifier: MIT
// Makes Linux modules for tests: elf_builder with modinfo, versions, exports, parameters and the
// module structure.
//
//   module_builder<x86_64_numbers> m{"demo"};
//   u32 text = m.text(bytes_of({0xc3}));
//   m.init(text, 0).export_symbol("demo_f", text, 0);
//   elf_file<elf::elf64_le> file = m.build();
#pragma once

#include "support/elf_builder.hpp"

namespace kmodld::test {

/// What the tables of a machine's modules are made with; relocation numbers of its psABI.
struct x86_64_numbers {
  using format = elf::elf64_le;
  static constexpr u32 machine = 62, word = 1, prel32 = 2;
  static constexpr bool rela = true, relative_exports = true;
};
struct aarch64_numbers {
  using format = elf::elf64_le;
  static constexpr u32 machine = 183, word = 257, prel32 = 261;
  static constexpr bool rela = true, relative_exports = true;
};
struct riscv64_numbers {
  using format = elf::elf64_le;
  static constexpr u32 machine = 243, word = 2, prel32 = 57;
  static constexpr bool rela = true, relative_exports = false;
};
struct s390x_numbers {
  using format = elf::elf64_be;
  static constexpr u32 machine = 22, word = 22, prel32 = 5;
  static constexpr bool rela = true, relative_exports = false;
};
struct arm_numbers {
  using format = elf::elf32_le;
  static constexpr u32 machine = 40, word = 2, prel32 = 3;
  static constexpr bool rela = false, relative_exports = false;
};
struct i386_numbers {
  using format = elf::elf32_le;
  static constexpr u32 machine = 3, word = 1, prel32 = 2;
  static constexpr bool rela = false, relative_exports = false;
};

template <class Numbers>
class module_builder : public elf_builder<typename Numbers::format> {
public:
  using format = typename Numbers::format;
  using base = elf_builder<format>;
  static constexpr u32 word_size = format::bits / 8;

  /// With the tags that every sound module has; vermagic fits no kernel by default.
  explicit module_builder(std::string_view name, std::string_view license = "GPL",
                          std::string_view vermagic = "kmodld ")
      : base{Numbers::machine} {
    modinfo("name", name).modinfo("license", license).modinfo("intree", "Y");
    modinfo("retpoline", "Y").modinfo("vermagic", vermagic);
    // Offsets of Debian's 6.1 for amd64; only that of the name is the same everywhere.
    module_ = this->section(".gnu.linkonce.this_module", elf::sht_progbits,
                            elf::shf_alloc | elf::shf_write, byte_vector(module_size), 64);
    for (std::size_t i = 0; i < name.size() && i < module_name_capacity; ++i)
      this->data(module_)[module_name_offset + i] = static_cast<std::byte>(name[i]);
  }

  static constexpr u32 module_size = format::bits == 64 ? 896 : 448;
  static constexpr u32 module_name_offset = format::bits == 64 ? 24 : 12;
  static constexpr u32 module_name_capacity = format::bits == 64 ? 56 : 60;
  static constexpr u32 module_init_offset = format::bits == 64 ? 312 : 156;
  static constexpr u32 module_exit_offset = format::bits == 64 ? 848 : 424;

  u32 this_module() const { return module_; }

  module_builder& modinfo(std::string_view tag, std::string_view value) {
    std::string text{tag};
    this->append_string(this->section_once(".modinfo", elf::sht_progbits, elf::shf_alloc),
                        text.append("=").append(value));
    return *this;
  }

  u32 text(byte_vector code, std::string_view name = ".text") {
    return this->section(name, elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr,
                         std::move(code), 16);
  }
  u32 rodata(byte_vector bytes, std::string_view name = ".rodata") {
    return this->section(name, elf::sht_progbits, elf::shf_alloc, std::move(bytes), 8);
  }
  u32 writable(byte_vector bytes, std::string_view name = ".data") {
    return this->section(name, elf::sht_progbits, elf::shf_alloc | elf::shf_write, std::move(bytes),
                         8);
  }

  /// The module's init (exit) function at an offset of a section.
  module_builder& init(u32 section, u64 offset) {
    pointer(module_, module_init_offset, function("init_module", section, offset));
    return *this;
  }
  module_builder& exit(u32 section, u64 offset) {
    pointer(module_, module_exit_offset, function("cleanup_module", section, offset));
    return *this;
  }
  u32 function(std::string_view name, u32 section, u64 offset) {
    return this->symbol(name, section, offset,
                        static_cast<u8>(elf::stb_global << 4 | elf::stt_func));
  }

  /// An entry of __versions.
  module_builder& version(std::string_view name, u32 crc) {
    u32 s = this->section_once("__versions", elf::sht_progbits, elf::shf_alloc, 32);
    this->append_word(s, crc);
    byte_vector text = bytes_of(name);
    text.resize(64 - word_size);
    this->append(s, text);
    return *this;
  }

  /// An entry of __ksymtab (_gpl) for a symbol, by name as the kernel has it; `crc` 0: no entry in
  /// __kcrctab.
  module_builder& export_symbol(std::string_view name, u32 symbol, bool gpl = false,
                                std::string_view name_space = {}, u32 crc = 0) {
    u32 strings = this->section_once("__ksymtab_strings", elf::sht_progbits, elf::shf_alloc | 0x30);
    u64 name_at = this->append_string(strings, name);
    u64 ns_at = name_space.empty() ? 0 : this->append_string(strings, name_space);
    if (strings_symbol_ == 0)
      strings_symbol_ = this->section_symbol(strings);
    u32 s = this->section_once(gpl ? "__ksymtab_gpl" : "__ksymtab", elf::sht_progbits,
                               elf::shf_alloc, Numbers::relative_exports ? 4 : word_size);
    entry(s, symbol, 0);
    entry(s, strings_symbol_, name_at);
    if (name_space.empty())
      null_entry(s);
    else
      entry(s, strings_symbol_, ns_at);
    if (crc != 0)
      this->append_number(this->section_once(gpl ? "__kcrctab_gpl" : "__kcrctab", elf::sht_progbits,
                                             elf::shf_alloc, 4),
                          crc);
    return *this;
  }

  /// An entry of __param: `ops` and `arg` are symbols, 0 for a null pointer.
  module_builder& param(std::string_view name, u32 ops, u32 arg, u16 perm = 0644, int level = -1,
                        u8 flags = 0) {
    u32 names = this->section_once(".rodata.param", elf::sht_progbits, elf::shf_alloc);
    u64 name_at = this->append_string(names, name);
    u32 s = this->section_once("__param", elf::sht_progbits, elf::shf_alloc, word_size);
    pointer_entry(s, this->section_symbol(names), name_at);
    this->append_word(s, 0);
    pointer_entry(s, ops, 0);
    this->append_number(s, perm);
    this->append_number(s, static_cast<u8>(level));
    this->append_number(s, flags);
    if (format::bits == 64)
      this->append_number(s, u32{0});
    pointer_entry(s, arg, 0);
    return *this;
  }

  /// The address of `symbol` + addend at an offset of a section that has room for it.
  void pointer(u32 section, u64 offset, u32 symbol, i64 addend = 0) {
    relocate(section, offset, Numbers::word, symbol, addend, word_size);
  }

private:
  void entry(u32 s, u32 symbol, u64 addend) {
    if (!Numbers::relative_exports)
      return pointer_entry(s, symbol, addend);
    u64 at = this->append_number(s, u32{0});
    relocate(s, at, Numbers::prel32, symbol, static_cast<i64>(addend), 4);
  }
  void null_entry(u32 s) {
    if (Numbers::relative_exports)
      this->append_number(s, u32{0});
    else
      this->append_word(s, 0);
  }
  void pointer_entry(u32 s, u32 symbol, u64 addend) {
    u64 at = this->append_word(s, 0);
    if (symbol != 0)
      pointer(s, at, symbol, static_cast<i64>(addend));
  }
  void relocate(u32 s, u64 at, u32 type, u32 symbol, i64 addend, u32 width) {
    if (Numbers::rela)
      return this->rela(s, at, type, symbol, addend);
    std::byte* place = this->data(s).data() + at;
    if (width == 8)
      elf::field<u64, format::order>::store(place, static_cast<u64>(addend));
    else
      elf::field<u32, format::order>::store(place, static_cast<u32>(addend));
    this->rel(s, at, type, symbol);
  }

  u32 module_ = 0;
  u32 strings_symbol_ = 0;
};

} // namespace kmodld::test
