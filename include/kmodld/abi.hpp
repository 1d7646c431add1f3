// SPDX-License-Identifier: MIT
// Which kernel's module format and layout a host speaks, and the build options behind it.
//
// A Config names one of these or derives from one and changes what differs. linux_of adds what the
// architecture has otherwise (nothing on x86):
//   struct my_abi : kmodld::abi::linux_of<arch, kmodld::abi::linux_6_1> {
//     static constexpr bool kallsyms_all = false;
//   };
#pragma once

#include <kmodld/linux/extable.hpp>
#include <kmodld/linux/ksymtab.hpp>

namespace kmodld {

/// How sections become memory: one core and one init run (Linux before 6.4), or seven allocations
/// by kind (6.4 and later).
enum class layout_scheme : u8 { core_init, seven_kinds };

namespace abi {

/// Linux 6.1 with the options that distributions use.
struct linux_6_1 {
  static constexpr layout_scheme scheme = layout_scheme::core_init;
  static constexpr u64 page_size = 4096;
  /// CONFIG_STRICT_MODULE_RWX. Without it kinds are not kept on pages of their own and protect() is
  /// never called: the allocator's memory must be executable as it is.
  static constexpr bool strict_rwx = true;
  static constexpr bool kallsyms = true;      ///< CONFIG_KALLSYMS
  static constexpr bool kallsyms_all = true;  ///< CONFIG_KALLSYMS_ALL: data symbols are kept too
  static constexpr bool module_unload = true; ///< CONFIG_MODULE_UNLOAD
  static constexpr bool modversions = true;   ///< CONFIG_MODVERSIONS
  static constexpr bool modversions_strict = true; ///< a symbol without version is refused (Debian)
  static constexpr bool module_rel_crcs = false;   ///< CONFIG_MODULE_REL_CRCS, 4.10 to 5.18
  static constexpr bool force_load = true;         ///< CONFIG_MODULE_FORCE_LOAD
  static constexpr bool force_unload = true;       ///< CONFIG_MODULE_FORCE_UNLOAD
  static constexpr bool allow_missing_namespace_imports = false;
  static constexpr bool constructors = false; ///< CONFIG_CONSTRUCTORS
  static constexpr bool retpoline = false;    ///< warn of modules without the retpoline tag
  static constexpr bool livepatch = false;    ///< CONFIG_LIVEPATCH
  static constexpr bool build_id = true;      ///< CONFIG_STACKTRACE_BUILD_ID

  static constexpr ksymtab_format ksymtab = ksymtab_format::prel32;
  static constexpr std::string_view mcount_section = "__mcount_loc"sv;
  static constexpr extable_kind extable = extable_kind::relative_with_data;
  /// HAVE_ARCH_JUMP_LABEL_RELATIVE: jump_entry, else jump_entry_absolute (linux/patch_tables.hpp).
  static constexpr bool relative_jump_labels = true;
  static constexpr u32 bug_entry_size =
      12; ///< 16 with CONFIG_HAVE_ARCH_BUG_FORMAT (x86 since 6.19)

  /// Entries of .text.ftrace_trampoline (arm64): plain and with registers.
  static constexpr u64 ftrace_trampolines = 2;

  /// .gnu.linkonce.this_module is needed, with a name at `name_offset`; its size must be
  /// `this_module_size` (0: only large enough for the name).
  static constexpr bool module_struct = true;
  static constexpr u64 name_offset_64 = 24;
  static constexpr u64 name_offset_32 = 12;
  static constexpr u64 name_size_64 = 56;
  static constexpr u64 name_size_32 = 60;
  static constexpr u64 this_module_size = 0;

  /// Types that Linux's loader refuses are served (GOT forms, 8 and 16 bits).
  static constexpr bool wide_relocations = true;
  /// Stubs for calls out of reach are reserved for every undefined function.
  static constexpr bool far_calls = false;
  /// Besides what its export tables say, an object exports its global functions and variables
  /// (neither weak nor hidden ones, nor those of init sections, nor init_module, cleanup_module and
  /// __this_module), as dlopen does with RTLD_GLOBAL: for objects that use each other. Needs
  /// `kallsyms`, and `kallsyms_all` for variables.
  static constexpr bool export_globals = false;
  /// A branch to a weak symbol that nobody defines is allowed (plugins: `if (f) f();`).
  static constexpr bool weak_branches = false;
};

/// Linux 6.12: seven regions, nothing rounded during layout.
struct linux_6_12 : linux_6_1 {
  static constexpr layout_scheme scheme = layout_scheme::seven_kinds;
  static constexpr u64 ftrace_trampolines = 1;
};

/// Objects that are no Linux modules: neither .modinfo nor a module structure is asked for, the
/// name comes from the caller, init_module and cleanup_module are found by name if they exist.
struct plain : linux_6_12 {
  static constexpr bool module_struct = false;
  static constexpr bool modversions = false;
  static constexpr bool weak_branches = true;
};

namespace detail {

template <class Arch, class Base>
struct linux_of {
  using type = Base;
};
template <class Arch, class Base>
  requires requires { typename Arch::template linux_abi<Base>; }
struct linux_of<Arch, Base> {
  struct type : Arch::template linux_abi<Base> {
    using of_arch = Arch; ///< by which a Config that forgot linux_of is told
  };
};

} // namespace detail

/// `Base` (linux_6_1 or later) with what Linux has otherwise on an architecture: the form of export
/// and exception tables, names of sections. Architectures supply it as linux_abi<Base>.
template <class Arch, class Base>
using linux_of = typename detail::linux_of<Arch, Base>::type;

} // namespace abi
} // namespace kmodld
