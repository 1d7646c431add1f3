// SPDX-License-Identifier: MIT
// ELF structures for both classes and both byte orders (System V gABI, chapter 4).
//
// Every field is a byte array that is read in the file's order, so a structure may stand at any
// address of an image: neither the file's alignment nor the host's byte order matters.
#pragma once

#include <kmodld/address.hpp>

#include <bit>
#include <type_traits>

namespace kmodld::elf {

enum class byte_order : u8 { little, big };

/// An integer of type T stored in byte order O at any alignment.
template <class T, byte_order O>
struct field {
  unsigned char raw[sizeof(T)];

  operator T() const noexcept { return load(raw); }
  field& operator=(T v) noexcept {
    store(raw, v);
    return *this;
  }

  static T load(void const* p) noexcept {
    using U = std::make_unsigned_t<T>;
    U v;
    __builtin_memcpy(&v, p, sizeof v);
    return static_cast<T>(swapped(v));
  }
  static void store(void* p, T value) noexcept {
    using U = std::make_unsigned_t<T>;
    U v = swapped(static_cast<U>(value));
    __builtin_memcpy(p, &v, sizeof v);
  }

private:
  template <class U>
  static U swapped(U v) noexcept {
    constexpr bool native =
        (std::endian::native == std::endian::little) == (O == byte_order::little);
    if constexpr (native || sizeof(U) == 1)
      return v;
    else if constexpr (sizeof(U) == 2)
      return static_cast<U>(__builtin_bswap16(v));
    else if constexpr (sizeof(U) == 4)
      return __builtin_bswap32(v);
    else
      return __builtin_bswap64(v);
  }
};

enum : u32 { et_rel = 1 };
enum : u32 {
  sht_null = 0,
  sht_progbits = 1,
  sht_symtab = 2,
  sht_strtab = 3,
  sht_rela = 4,
  sht_note = 7,
  sht_nobits = 8,
  sht_rel = 9,
  sht_init_array = 14,
};
enum : u64 {
  shf_write = 1,
  shf_alloc = 2,
  shf_execinstr = 4,
  // Marks that the loader itself sets; Linux uses the same bits of SHF_MASKOS.
  shf_rela_livepatch = 0x00100000,
  shf_ro_after_init = 0x00200000,
};
enum : u32 {
  shn_undef = 0,
  shn_loreserve = 0xff00,
  shn_livepatch = 0xff20,
  shn_abs = 0xfff1,
  shn_common = 0xfff2,
};
enum : u8 { stb_local = 0, stb_global = 1, stb_weak = 2 };
enum : u8 { stv_default = 0, stv_internal = 1, stv_hidden = 2, stv_protected = 3 };
enum : u8 { stt_notype = 0, stt_object = 1, stt_func = 2, stt_section = 3, stt_file = 4 };
enum : u8 { class_32 = 1, class_64 = 2, data_lsb = 1, data_msb = 2 };

/// The structures of one class (32 or 64 bits) and byte order.
template <int Bits, byte_order O>
struct format {
  static_assert(Bits == 32 || Bits == 64);
  static constexpr int bits = Bits;
  static constexpr byte_order order = O;
  static constexpr u8 elf_class = Bits == 64 ? class_64 : class_32;
  static constexpr u8 elf_data = O == byte_order::little ? data_lsb : data_msb;

  using word_type = std::conditional_t<Bits == 64, u64, u32>;
  using sword_type = std::make_signed_t<word_type>;
  using half = field<u16, O>;
  using word32 = field<u32, O>;
  using word = field<word_type, O>; ///< pointer-sized

  struct ehdr {
    unsigned char e_ident[16];
    half e_type, e_machine;
    word32 e_version;
    word e_entry, e_phoff, e_shoff;
    word32 e_flags;
    half e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
  };

  struct shdr {
    word32 sh_name, sh_type;
    word sh_flags, sh_addr, sh_offset, sh_size;
    word32 sh_link, sh_info;
    word sh_addralign, sh_entsize;
  };

  struct sym_64 {
    word32 st_name;
    u8 st_info, st_other;
    half st_shndx;
    word st_value, st_size;
  };
  struct sym_32 {
    word32 st_name;
    word st_value, st_size;
    u8 st_info, st_other;
    half st_shndx;
  };
  using sym = std::conditional_t<Bits == 64, sym_64, sym_32>;

  struct rel {
    word r_offset, r_info;
  };
  struct rela {
    word r_offset, r_info;
    field<sword_type, O> r_addend;
  };

  static constexpr u32 r_sym(word_type info) noexcept {
    return static_cast<u32>(Bits == 64 ? static_cast<u64>(info) >> 32 : info >> 8);
  }
  static constexpr u32 r_type(word_type info) noexcept {
    return static_cast<u32>(Bits == 64 ? info & 0xffffffffu : info & 0xffu);
  }

  static_assert(sizeof(ehdr) == (Bits == 64 ? 64 : 52) && alignof(ehdr) == 1);
  static_assert(sizeof(shdr) == (Bits == 64 ? 64 : 40) && alignof(shdr) == 1);
  static_assert(sizeof(sym) == (Bits == 64 ? 24 : 16) && alignof(sym) == 1);
  static_assert(sizeof(rela) == (Bits == 64 ? 24 : 12) && alignof(rela) == 1);
};

using elf64_le = format<64, byte_order::little>;
using elf64_be = format<64, byte_order::big>;
using elf32_le = format<32, byte_order::little>;
using elf32_be = format<32, byte_order::big>;

constexpr u8 st_bind(u8 info) noexcept { return static_cast<u8>(info >> 4); }
constexpr u8 st_type(u8 info) noexcept { return static_cast<u8>(info & 0xf); }
constexpr u8 st_visibility(u8 other) noexcept { return static_cast<u8>(other & 3); }

} // namespace kmodld::elf
