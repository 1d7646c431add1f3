// SPDX-License-Identifier: MIT
// Every way in which a load can end, and Linux's errno for it. error_text.hpp has the messages.
#pragma once

#include <kmodld/address.hpp>

namespace kmodld {

/// One meaning each. The order follows the steps of load_module.
enum class errc : u8 {
  ok,
  // module_sig_check
  signature_missing,
  signature_block,
  signature_not_pkcs7,
  signature_params,
  signature_unsupported,
  signature_no_key,
  signature_rejected,
  signature_expired,
  signature_enforced,
  // elf_header_check
  elf_header_len,
  elf_magic,
  elf_type,
  elf_arch,
  elf_class,
  elf_shentsize,
  elf_shdr_overflow,
  elf_shstrndx,
  elf_shstrtab_range,
  elf_shstrtab_empty,
  elf_shstrtab_unterminated,
  elf_section_zero,
  elf_sh_link,
  elf_section_range,
  elf_section_name,
  elf_reloc_target,
  elf_reloc_overlap,
  elf_strtab_type,
  // setup_load_info, blacklist
  module_no_symbols,
  module_struct_missing,
  module_struct_size,
  module_name,
  module_blacklisted,
  // modinfo, versions
  vermagic_mismatch,
  vermagic_missing,
  versions_missing,
  version_disagrees,
  version_no_symbol,
  version_layout,
  versions_unterminated,
  exports_without_versions,
  livepatch_disabled,
  section_write_exec,
  // layout and memory
  layout_overflow,
  no_memory,
  out_of_reach,
  percpu_no_memory,
  // the module list, sections
  module_exists,
  module_busy,
  interrupted,
  has_ctors_and_init_array,
  // simplify_symbols
  symbol_name_range,
  symbol_names_overlap,
  symbol_common,
  symbol_unknown,
  symbol_section,
  symbol_namespace,
  symbol_namespace_missing,
  symbol_proprietary,
  symbol_owner_coming,
  symbol_owner_going,
  symbol_duplicate,
  export_table,
  // apply_relocations
  reloc_unknown,
  reloc_kind,
  reloc_symbol,
  reloc_offset,
  reloc_nonzero,
  reloc_overflow,
  reloc_misaligned,
  reloc_weak_branch,
  reloc_no_slot,
  reloc_tls,
  reloc_unknown_i386,
  reloc_unknown_arm,
  reloc_range_arm,
  reloc_arm_to_thumb,
  reloc_thumb_to_arm,
  reloc_unknown_type,
  reloc_unpaired,
  reloc_stack,
  reloc_bad_got,
  reloc_unsupported,
  reloc_error_value,
  reloc_pc_reach,
  reloc_value_range,
  reloc_no_hi20,
  reloc_accumulated,
  reloc_align,
  reloc_dynamic,
  reloc_thread_local,
  reloc_s390_unknown,
  reloc_s390_value,
  reloc_ppc_unknown,
  reloc_ppc_toc16,
  reloc_ppc_rel24,
  reloc_ppc_rel32,
  reloc_ppc_no_nop,
  reloc_ppc_stub,
  reloc_livepatch,
  arch_refused,
  arch_section_missing,
  // complete_formation, prepare_coming_module
  build_id_none,
  not_page_aligned,
  protect_failed,
  finalize_failed,
  patch_failed,
  notifier_refused,
  livepatch_name,
  livepatch_refused,
  ddebug_failed,
  ftrace_failed,
  percpu_alignment,
  obsolete_params,
  // parse_args
  param_unknown,
  param_too_large,
  param_invalid,
  param_ignored,
  param_after_dashes,
  param_dangerous,
  param_string_long,
  param_string_fit,
  param_array_count,
  param_table,
  args_too_long,
  // mod_sysfs_setup
  sysfs_uninitialised,
  sysfs_exists,
  sysfs_failed,
  // do_init_module, delete_module
  init_failed,
  init_suspicious,
  init_imbalance,
  ctor_failed,
  not_permitted,
  bad_flags,
  unload_no_module,
  unload_in_use,
  unload_not_live,
  unload_permanent,
  // taints and other notes (errno 0: never the result of a load)
  taint_forced,
  taint_out_of_tree,
  taint_staging,
  taint_livepatch,
  taint_license,
  taint_license_name,
  taint_inherited,
  taint_test,
  taint_unsigned,
  retpoline_missing,
  injected,
  count_
};

/// Linux's error numbers (asm-generic), as far as the loader answers them.
enum : int {
  e_perm = 1,
  e_noent = 2,
  e_intr = 4,
  e_io = 5,
  e_noexec = 8,
  e_again = 11,
  e_nomem = 12,
  e_fault = 14,
  e_busy = 16,
  e_acces = 13,
  e_exist = 17,
  e_nodev = 19,
  e_notdir = 20,
  e_isdir = 21,
  e_inval = 22,
  e_fbig = 27,
  e_nospc = 28,
  e_rofs = 30,
  e_range = 34,
  e_nodata = 61,
  e_nopkg = 65,
  e_badmsg = 74,
  e_opnotsupp = 95,
  e_nokey = 126,
  e_keyexpired = 127,
  e_keyrejected = 129,
  errno_in_number = -1, ///< the code's errno comes from outside: error::number[0] has it
};

namespace detail {

struct errno_row {
  errc code;
  int value;
};

inline constexpr errno_row errno_rows[] = {
    // clang-format off
    {errc::ok, 0},
  // module_sig_check
    {errc::signature_missing, e_nodata},
    {errc::signature_block, e_badmsg},
    {errc::signature_not_pkcs7, e_nopkg},
    {errc::signature_params, e_badmsg},
    {errc::signature_unsupported, e_nopkg},
    {errc::signature_no_key, e_nokey},
    {errc::signature_rejected, e_keyrejected},
    {errc::signature_expired, e_keyexpired},
    {errc::signature_enforced, e_keyrejected},
  // elf_header_check
    {errc::elf_header_len, e_noexec},
    {errc::elf_magic, e_noexec},
    {errc::elf_type, e_noexec},
    {errc::elf_arch, e_noexec},
    {errc::elf_class, e_noexec},
    {errc::elf_shentsize, e_noexec},
    {errc::elf_shdr_overflow, e_noexec},
    {errc::elf_shstrndx, e_noexec},
    {errc::elf_shstrtab_range, e_noexec},
    {errc::elf_shstrtab_empty, e_noexec},
    {errc::elf_shstrtab_unterminated, e_noexec},
    {errc::elf_section_zero, e_noexec},
    {errc::elf_sh_link, e_noexec},
    {errc::elf_section_range, e_noexec},
    {errc::elf_section_name, e_noexec},
    {errc::elf_reloc_target, e_noexec},
    {errc::elf_reloc_overlap, e_noexec},
    {errc::elf_strtab_type, e_noexec},
  // setup_load_info, blacklist
    {errc::module_no_symbols, e_noexec},
    {errc::module_struct_missing, e_noexec},
    {errc::module_struct_size, e_noexec},
    {errc::module_name, e_noexec},
    {errc::module_blacklisted, e_perm},
  // modinfo, versions
    {errc::vermagic_mismatch, e_noexec},
    {errc::vermagic_missing, e_noexec},
    {errc::versions_missing, e_inval},
    {errc::version_disagrees, e_inval},
    {errc::version_no_symbol, e_inval},
    {errc::version_layout, e_noexec},
    {errc::versions_unterminated, e_noexec},
    {errc::exports_without_versions, e_noexec},
    {errc::livepatch_disabled, e_noexec},
    {errc::section_write_exec, e_noexec},
  // layout and memory
    {errc::layout_overflow, e_noexec},
    {errc::no_memory, e_nomem},
    {errc::out_of_reach, e_nomem},
    {errc::percpu_no_memory, e_nomem},
  // the module list, sections
    {errc::module_exists, e_exist},
    {errc::module_busy, e_busy},
    {errc::interrupted, e_intr},
    {errc::has_ctors_and_init_array, e_inval},
  // simplify_symbols
    {errc::symbol_name_range, e_noexec},
    {errc::symbol_names_overlap, e_noexec},
    {errc::symbol_common, e_noexec},
    {errc::symbol_unknown, e_noent},
    {errc::symbol_section, e_noexec},
    {errc::symbol_namespace, e_inval},
    {errc::symbol_namespace_missing, 0},
    {errc::symbol_proprietary, e_noent},
    {errc::symbol_owner_coming, e_busy},
    {errc::symbol_owner_going, e_noent},
    {errc::symbol_duplicate, e_noexec},
    {errc::export_table, e_noexec},
  // apply_relocations
    {errc::reloc_unknown, e_noexec},
    {errc::reloc_kind, e_noexec},
    {errc::reloc_symbol, e_noexec},
    {errc::reloc_offset, e_noexec},
    {errc::reloc_nonzero, e_noexec},
    {errc::reloc_overflow, e_noexec},
    {errc::reloc_misaligned, e_noexec},
    {errc::reloc_weak_branch, e_noexec},
    {errc::reloc_no_slot, e_noexec},
    {errc::reloc_tls, e_noexec},
    {errc::reloc_unknown_i386, e_noexec},
    {errc::reloc_unknown_arm, e_noexec},
    {errc::reloc_range_arm, e_noexec},
    {errc::reloc_arm_to_thumb, e_noexec},
    {errc::reloc_thumb_to_arm, e_noexec},
    {errc::reloc_unknown_type, e_inval},
    {errc::reloc_unpaired, e_noexec},
    {errc::reloc_stack, e_noexec},
    {errc::reloc_bad_got, e_inval},
    {errc::reloc_unsupported, e_inval},
    {errc::reloc_error_value, e_noent},
    {errc::reloc_pc_reach, e_inval},
    {errc::reloc_value_range, e_inval},
    {errc::reloc_no_hi20, e_inval},
    {errc::reloc_accumulated, e_inval},
    {errc::reloc_align, e_inval},
    {errc::reloc_dynamic, e_inval},
    {errc::reloc_thread_local, e_inval},
    {errc::reloc_s390_unknown, e_noexec},
    {errc::reloc_s390_value, e_noexec},
    {errc::reloc_ppc_unknown, e_noexec},
    {errc::reloc_ppc_toc16, e_noexec},
    {errc::reloc_ppc_rel24, e_noexec},
    {errc::reloc_ppc_rel32, e_noexec},
    {errc::reloc_ppc_no_nop, e_noexec},
    {errc::reloc_ppc_stub, e_noent},
    {errc::reloc_livepatch, e_inval},
    {errc::arch_refused, e_noexec},
    {errc::arch_section_missing, e_noexec},
  // complete_formation, prepare_coming_module
    {errc::build_id_none, 0},
    {errc::not_page_aligned, e_inval},
    {errc::protect_failed, errno_in_number},
    {errc::finalize_failed, errno_in_number},
    {errc::patch_failed, errno_in_number},
    {errc::notifier_refused, errno_in_number},
    {errc::livepatch_name, e_inval},
    {errc::livepatch_refused, errno_in_number},
    {errc::ddebug_failed, 0},
    {errc::ftrace_failed, 0},
    {errc::percpu_alignment, 0},
    {errc::obsolete_params, 0},
  // parse_args
    {errc::param_unknown, e_noent},
    {errc::param_too_large, e_nospc},
    {errc::param_invalid, errno_in_number},
    {errc::param_ignored, 0},
    {errc::param_after_dashes, 0},
    {errc::param_dangerous, 0},
    {errc::param_string_long, 0},
    {errc::param_string_fit, 0},
    {errc::param_array_count, 0},
    {errc::param_table, e_noexec},
    {errc::args_too_long, e_inval},
  // mod_sysfs_setup
    {errc::sysfs_uninitialised, e_inval},
    {errc::sysfs_exists, e_inval},
    {errc::sysfs_failed, errno_in_number},
  // do_init_module, delete_module
    {errc::init_failed, errno_in_number},
    {errc::init_suspicious, 0},
    {errc::init_imbalance, 0},
    {errc::ctor_failed, errno_in_number},
    {errc::not_permitted, e_perm},
    {errc::bad_flags, e_inval},
    {errc::unload_no_module, e_noent},
    {errc::unload_in_use, e_again},
    {errc::unload_not_live, e_busy},
    {errc::unload_permanent, e_busy},
  // taints and other notes (errno 0: never the result of a load)
    {errc::taint_forced, 0},
    {errc::taint_out_of_tree, 0},
    {errc::taint_staging, 0},
    {errc::taint_livepatch, 0},
    {errc::taint_license, 0},
    {errc::taint_license_name, 0},
    {errc::taint_inherited, 0},
    {errc::taint_test, 0},
    {errc::taint_unsigned, 0},
    {errc::retpoline_missing, 0},
    {errc::injected, errno_in_number},
    // clang-format on
};

struct errno_table {
  i32 value[static_cast<std::size_t>(errc::count_)] = {};
  bool complete = true;
  constexpr errno_table() noexcept {
    std::size_t i = 0;
    for (errno_row const& row : errno_rows) {
      complete = complete && static_cast<std::size_t>(row.code) == i;
      value[i++] = row.value;
    }
    complete = complete && i == static_cast<std::size_t>(errc::count_);
  }
};

inline constexpr errno_table errnos{};
static_assert(errnos.complete, "errno_rows lists every errc once, in order");

} // namespace detail

/// The positive errno of a code; 0 for notes, errno_in_number where it comes from outside.
constexpr int errno_of(errc code) noexcept {
  return detail::errnos.value[static_cast<std::size_t>(code)];
}

} // namespace kmodld
