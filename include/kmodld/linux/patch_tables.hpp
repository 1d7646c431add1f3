// SPDX-License-Identifier: MIT
// The tables by which a kernel patches the code of a module: what stands in which section, and how
// an entry looks. They are read through table_view; a kernel that asks for none has no code of
// them.
//
// | section | entry |
// |---|---|
// | .altinstructions | alt_instr (x86 to 6.2, arm64, loongarch64), alt_instr_flags (x86 since 6.3),
// alt_instr_s390 | | .alternative (riscv) | alt_entry, alt_entry_6_1 (to 6.3) | | __jump_table |
// jump_entry; jump_entry_absolute (arm, mips) | | .static_call_sites | static_call_site | |
// __mcount_loc, __patchable_function_entries, _kprobe_blacklist | address_entry | |
// .retpoline_sites, .return_sites, .call_sites, .cfi_sites, .ibt_endbr_seal, __kcfi_traps,
// .smp_locks, .s390_indirect*, .s390_return*, .pv_table (arm) | relative_site | | .parainstructions
// (x86 to 6.6) | paravirt_patch_site | | .alt.smp.init (arm) | smp_alternative | | __ftr_fixup,
// __mmu_ftr_fixup, __fw_ftr_fixup (powerpc) | feature_fixup | | __lwsync_fixup,
// __barrier_nospec_fixup, __spec_barrier_fixup (powerpc) | relative_word_site | | __bug_table |
// bug_entry; bug_entry_absolute (arm, i386); bug_entry_format (x86 since 6.19) | |
// _error_injection_whitelist | error_injection_entry | | __ex_table, __dbe_table (mips) |
// exception_table of linux/extable.hpp | | .orc_unwind, .ARM.exidx* | linux/unwind_tables.hpp |
//
// Sections of static calls, jump labels and bugs are found by find_module_sections, too
// (module_sections); the rest by name, see policy/hooks.hpp.
#pragma once

#include <kmodld/linux/table_view.hpp>

namespace kmodld {

/// One alternative: `site_size` bytes at `site` may be replaced by the `replacement_size` bytes at
/// `replacement` (no more than the site has; the rest becomes nops) if the CPU has the feature.
struct alternative {
  address site;
  address replacement;
  u32 feature = 0; ///< CPU feature, capability, facility or erratum, as the kernel numbers them
  u16 flags = 0;   ///< x86 since 6.3: 1 means "if the CPU has it not"
  u64 vendor = 0;  ///< riscv; 0 where the feature is the CPU's by itself
  u32 site_size = 0;
  u32 replacement_size = 0;
};

/// x86 to 6.2, arm64, loongarch64. x86: bit 15 of the feature means "if the CPU has it not".
struct alt_instr {
  template <class Fields>
  static constexpr alternative read(Fields& f) noexcept {
    alternative a{.site = f.prel32(), .replacement = f.prel32()};
    a.feature = f.template number<u16>();
    a.site_size = f.template number<u8>();
    a.replacement_size = f.template number<u8>();
    return a;
  }
};

/// x86 since 6.3.
struct alt_instr_flags {
  template <class Fields>
  static constexpr alternative read(Fields& f) noexcept {
    alternative a{.site = f.prel32(), .replacement = f.prel32()};
    a.feature = f.template number<u16>();
    a.flags = f.template number<u16>();
    a.site_size = f.template number<u8>();
    a.replacement_size = f.template number<u8>();
    return a;
  }
};

/// s390 from 5.19 to 6.10: both parts have one size.
struct alt_instr_s390 {
  template <class Fields>
  static constexpr alternative read(Fields& f) noexcept {
    alternative a{.site = f.prel32(), .replacement = f.prel32()};
    a.feature = f.template number<u16>();
    a.site_size = a.replacement_size = f.template number<u8>();
    return a;
  }
};

/// riscv since 6.4: both parts have one size. The feature is the patch number: a vendor's erratum,
/// or with vendor 0 an extension of the instruction set and its value above bit 16.
struct alt_entry {
  template <class Fields>
  static constexpr alternative read(Fields& f) noexcept {
    alternative a{.site = f.prel32(), .replacement = f.prel32()};
    a.vendor = f.template number<u16>();
    a.site_size = a.replacement_size = f.template number<u16>();
    a.feature = f.template number<u32>();
    return a;
  }
};

/// riscv to 6.3: pointers, not aligned.
struct alt_entry_6_1 {
  template <class Fields>
  static constexpr alternative read(Fields& f) noexcept {
    alternative a{.site = f.pointer(), .replacement = f.pointer()};
    a.vendor = f.word();
    a.site_size = a.replacement_size = static_cast<u32>(f.word());
    a.feature = f.template number<u32>();
    return a;
  }
};

/// A jump label: at `code` there is a nop or a jump to `target`, by the state of the static key.
struct jump_label {
  address code;
  address target;
  address key;
  bool branch = false; ///< what is likely: the code jumps while the key is off, if this is set
  bool init = false;   ///< set by kernels for code of init memory, never by a file

  /// The kernel's order: by key, and of one key by code.
  static constexpr bool in_order(jump_label const& a, jump_label const& b) noexcept {
    return a.key != b.key ? a.key < b.key : a.code < b.code;
  }
};

/// Architectures with relative jump labels (HAVE_ARCH_JUMP_LABEL_RELATIVE).
struct jump_entry {
  template <class Fields>
  static constexpr jump_label read(Fields& f) noexcept {
    jump_label j{.code = f.prel32(), .target = f.prel32(), .key = {}};
    tagged_address const key = f.tagged_prel_word();
    j.key = key.where;
    j.branch = (key.tag & 1) != 0;
    j.init = (key.tag & 2) != 0;
    return j;
  }
  static bool less(jump_label const& a, jump_label const& b) noexcept {
    return jump_label::in_order(a, b);
  }
};

/// arm, mips.
struct jump_entry_absolute {
  template <class Fields>
  static constexpr jump_label read(Fields& f) noexcept {
    jump_label j{.code = f.pointer(), .target = f.pointer(), .key = {}};
    u64 const key = f.word();
    j.key = {key & ~u64{3}};
    j.branch = (key & 1) != 0;
    j.init = (key & 2) != 0;
    return j;
  }
  static bool less(jump_label const& a, jump_label const& b) noexcept {
    return jump_label::in_order(a, b);
  }
};

/// A call, or a tail call, that the kernel makes go to the function of a static call. Where the key
/// is not exported, `key` is the trampoline, by which the kernel finds the key.
struct static_call_site {
  address site;
  address key;
  bool tail = false;
  bool init = false; ///< set by kernels for code of init memory, never by a file

  template <class Fields>
  static constexpr static_call_site read(Fields& f) noexcept {
    static_call_site s{.site = f.prel32(), .key = f.prel32()};
    s.tail = (s.key.value & 1) != 0;
    s.init = (s.key.value & 2) != 0;
    s.key.value &= ~u64{3};
    return s;
  }
  static bool less(static_call_site const& a, static_call_site const& b) noexcept {
    return a.key < b.key;
  }
};

/// The address of a place in code. The tracer sorts its table.
struct address_entry {
  template <class Fields>
  static constexpr address read(Fields& f) noexcept {
    return f.pointer();
  }
  static bool less(address const& a, address const& b) noexcept { return a < b; }
};

/// The same as a 32-bit distance.
struct relative_site {
  template <class Fields>
  static constexpr address read(Fields& f) noexcept {
    return f.prel32();
  }
  static bool less(address const& a, address const& b) noexcept { return a < b; }
};

/// The same as a pointer-sized distance (powerpc).
struct relative_word_site {
  template <class Fields>
  static constexpr address read(Fields& f) noexcept {
    return f.prel_word();
  }
};

/// x86 to 6.6: an operation of a hypervisor, called or inlined.
struct paravirt_patch_site {
  address instr;
  u8 type = 0; ///< number of the operation
  u8 len = 0;  ///< bytes of code at instr

  template <class Fields>
  static constexpr paravirt_patch_site read(Fields& f) noexcept {
    paravirt_patch_site p{.instr = f.pointer()};
    p.type = f.template number<u8>();
    p.len = f.template number<u8>();
    f.skip(f.pointer_size - 2); // the next one is aligned as its pointer is
    return p;
  }
};

/// arm: the instruction that a machine with one processor has at `site`.
struct smp_alternative {
  address site;
  u32 insn = 0;

  template <class Fields>
  static constexpr smp_alternative read(Fields& f) noexcept {
    return {.site = f.prel32(), .insn = f.template number<u32>()};
  }
};

/// powerpc: if (features & mask) == value the code stays; else [alt_start, alt_end) takes the place
/// of its beginning and nops that of the rest.
struct feature_fixup {
  u64 mask = 0;
  u64 value = 0;
  address start, end;
  address alt_start, alt_end;

  template <class Fields>
  static constexpr feature_fixup read(Fields& f) noexcept {
    return {.mask = f.word(),
            .value = f.word(),
            .start = f.word_from_entry(),
            .end = f.word_from_entry(),
            .alt_start = f.word_from_entry(),
            .alt_end = f.word_from_entry()};
  }
};

/// A BUG() or WARN(), with CONFIG_DEBUG_BUGVERBOSE.
struct bug {
  address where;
  address format; ///< 0 where entries have none
  address file;
  u16 line = 0;
  u16 flags = 0; ///< 1: a warning, 2: once, 4: done, 8: no "cut here"; above bit 8 the taint
};

struct bug_entry {
  template <class Fields>
  static constexpr bug read(Fields& f) noexcept {
    bug b{.where = f.prel32(), .format = {}, .file = f.prel32()};
    b.line = f.template number<u16>();
    b.flags = f.template number<u16>();
    return b;
  }
};

struct bug_entry_absolute {
  template <class Fields>
  static constexpr bug read(Fields& f) noexcept {
    bug b{.where = f.pointer(), .format = {}, .file = f.pointer()};
    b.line = f.template number<u16>();
    b.flags = f.template number<u16>();
    return b;
  }
};

/// With CONFIG_HAVE_ARCH_BUG_FORMAT.
struct bug_entry_format {
  template <class Fields>
  static constexpr bug read(Fields& f) noexcept {
    bug b{.where = f.prel32(), .format = f.prel32(), .file = f.prel32()};
    b.line = f.template number<u16>();
    b.flags = f.template number<u16>();
    return b;
  }
};

/// A function in which errors may be injected.
struct error_injection_entry {
  address function;
  u64 kind = 0; ///< what it may return: 1 null, 2 errno, 3 errno or null, 4 true

  template <class Fields>
  static constexpr error_injection_entry read(Fields& f) noexcept {
    return {.function = f.pointer(), .kind = f.word()};
  }
};

} // namespace kmodld
