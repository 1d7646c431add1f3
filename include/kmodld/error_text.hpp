// SPDX-License-Identifier: MIT
// The text of every error, in the words of the kernel's log where it has some, and its formatting
// into a caller's buffer.
#pragma once

#include <kmodld/error.hpp>

namespace kmodld {

/// A code's message. Placeholders: {m} module, {s} subject, {t} second subject, {0} {1} numbers,
/// {0x} {1x} the same in hexadecimal, {@} section, {#} index in its table.
struct error_message {
  errc code;
  char const* text;
};

inline constexpr error_message error_messages[] = {
    // clang-format off
    {errc::ok, "success"},
  // module_sig_check
    {errc::signature_missing, "unsigned module"},
    {errc::signature_block, "module: malformed signature block"},
    {errc::signature_not_pkcs7, "module: not signed with expected PKCS#7 message"},
    {errc::signature_params, "module: PKCS#7 signature info has unexpected non-zero params"},
    {errc::signature_unsupported, "module with unsupported crypto"},
    {errc::signature_no_key, "module with unavailable key"},
    {errc::signature_rejected, "module signature does not match its content"},
    {errc::signature_expired, "the key of the module signature has expired"},
    {errc::signature_enforced, "Loading of {s} is rejected"},
  // elf_header_check
    {errc::elf_header_len, "Invalid ELF header len {0}"},
    {errc::elf_magic, "Invalid ELF header magic: != \\x7fELF"},
    {errc::elf_type, "Invalid ELF header type: {0} != 1"},
    {errc::elf_arch, "Invalid architecture in ELF header: {0}"},
    {errc::elf_class, "Invalid ELF class or byte order: class {0}, data {1}"},
    {errc::elf_shentsize, "Invalid ELF section header size"},
    {errc::elf_shdr_overflow, "Invalid ELF section header overflow"},
    {errc::elf_shstrndx, "Invalid ELF section name index: {0} || e_shstrndx ({0}) >= e_shnum ({1})"},
    {errc::elf_shstrtab_range, "Invalid ELF section hdr(type {0})"},
    {errc::elf_shstrtab_empty, "empty section name table"},
    {errc::elf_shstrtab_unterminated, "ELF Spec violation: section name table isn't null terminated"},
    {errc::elf_section_zero, "ELF Spec violation: section 0 type({0})!=SH_NULL or non-zero len or addr"},
    {errc::elf_sh_link, "Invalid ELF sh_link!=SHN_UNDEF({0}) or (sh_link({0}) >= hdr->e_shnum({1})"},
    {errc::elf_section_range, "Invalid ELF section in module (section {@} type {0})"},
    {errc::elf_section_name, "Invalid ELF section name in module (section {@} type {0})"},
    {errc::elf_reloc_target, "Invalid ELF sh_info: relocation section {@} is for section {0} of {1}"},
    {errc::elf_reloc_overlap, "relocation sections have more bytes than the file"},
    {errc::elf_strtab_type, "Invalid ELF symbol string table type: {0}"},
  // setup_load_info, blacklist
    {errc::module_no_symbols, "{m}: module has no symbols (stripped?)"},
    {errc::module_struct_missing, "{m}: No module found in object"},
    {errc::module_struct_size, "{m}: .gnu.linkonce.this_module section has {0} bytes, {1} are needed"},
    {errc::module_name, "module name is empty or longer than {0} characters"},
    {errc::module_blacklisted, "Module {m} is blacklisted"},
  // modinfo, versions
    {errc::vermagic_mismatch, "{m}: version magic '{s}' should be '{t}'"},
    {errc::vermagic_missing, "{m}: no version magic"},
    {errc::versions_missing, "{m}: no symbol versions for {s}"},
    {errc::version_disagrees, "{m}: disagrees about version of symbol {s}"},
    {errc::version_no_symbol, "{m}: no symbol version for {s}"},
    {errc::version_layout, "{m}: disagrees about version of symbol module_layout"},
    {errc::versions_unterminated, "{m}: a name in __versions is not terminated"},
    {errc::exports_without_versions, "{m}: no versions for exported symbols"},
    {errc::livepatch_disabled, "{m}: module is marked as livepatch module, but livepatch support is disabled"},
    {errc::section_write_exec, "{m}: section {s} (index {@}) has invalid WRITE|EXEC flags"},
  // layout and memory
    {errc::layout_overflow, "{m}: section {s} (index {@}) does not fit: size {0x}, alignment {1x}"},
    {errc::no_memory, "{m}: no memory for {0} bytes ({s})"},
    {errc::out_of_reach, "{m}: no memory in reach for {0} bytes ({s})"},
    {errc::percpu_no_memory, "{m}: Could not allocate {0} bytes percpu data"},
  // the module list, sections
    {errc::module_exists, "{m}: a module of this name is loaded"},
    {errc::module_busy, "{m}: a module of this name is being loaded or unloaded"},
    {errc::interrupted, "{m}: interrupted while waiting"},
    {errc::has_ctors_and_init_array, "{m}: has both .ctors and .init_array."},
  // simplify_symbols
    {errc::symbol_name_range, "{m}: name of symbol {#} is outside the string table"},
    {errc::symbol_names_overlap, "{m}: names of symbols have more than {0} bytes together"},
    {errc::symbol_common, "{m}: please compile with -fno-common"},
    {errc::symbol_unknown, "{m}: Unknown symbol {s} (err -{0})"},
    {errc::symbol_section, "{m}: Symbol {s} has an invalid section index {0} (max {1})"},
    {errc::symbol_namespace, "{m}: module uses symbol ({s}) from namespace {t}, but does not import it."},
    {errc::symbol_namespace_missing, "{m}: module uses symbol ({s}) from namespace {t}, but does not import it."},
    {errc::symbol_proprietary, "{m}: module using GPL-only symbols uses symbols {s} from proprietary module {t}."},
    {errc::symbol_owner_coming, "{m}: gave up waiting for init of module {t}."},
    {errc::symbol_owner_going, "{m}: symbol {s} belongs to module {t}, which is going"},
    {errc::symbol_duplicate, "{m}: exports duplicate symbol {s} (owned by {t})"},
    {errc::export_table, "{m}: an entry of __ksymtab points outside the module"},
  // apply_relocations
    {errc::reloc_unknown, "{m}: Unknown rela relocation: {0}"},
    {errc::reloc_kind, "module {m}: relocation section {#} of a kind that this architecture lacks"},
    {errc::reloc_symbol, "{m}: section {@} reloc {#}: bad relocation sym offset {0}"},
    {errc::reloc_offset, "{m}: section {@} reloc {#} sym '{s}': out of bounds relocation, offset {0} size {1}"},
    {errc::reloc_nonzero, "x86/modules: Skipping invalid relocation target, existing value is nonzero for type {0}, section {@} reloc {#}, val {1x}"},
    {errc::reloc_overflow, "overflow in relocation type {0} val {1x}, section {@} reloc {#} sym '{s}'"},
    {errc::reloc_misaligned, "{m}: section {@} reloc {#} sym '{s}': type {0}, misaligned value {1x}"},
    {errc::reloc_weak_branch, "{m}: section {@} reloc {#}: type {0}, branch to weak symbol {s}, which nobody defines"},
    {errc::reloc_no_slot, "{m}: section {@} reloc {#} sym '{s}': type {0} needs a GOT or PLT slot, none is left"},
    {errc::reloc_tls, "{m}: section {@} reloc {#}: type {0} is for thread-local storage, which modules cannot have"},
    {errc::reloc_unknown_i386, "{m}: Unknown relocation: {0}"},
    {errc::reloc_unknown_arm, "{m}: unknown relocation: {0}"},
    {errc::reloc_range_arm, "{m}: section {@} reloc {#} sym '{s}': relocation {0} out of range (offset {1x})"},
    {errc::reloc_arm_to_thumb, "{m}: section {@} reloc {#} sym '{s}': unsupported interworking call (ARM -> Thumb)"},
    {errc::reloc_thumb_to_arm, "{m}: section {@} reloc {#} sym '{s}': unsupported interworking call (Thumb -> ARM)"},
    {errc::reloc_unknown_type, "{m}: Unknown relocation type {0}, section {@} reloc {#}"},
    {errc::reloc_unpaired, "module {m}: dangerous relocation, section {@} reloc {#} sym '{s}': type {0} has no partner or one of another symbol"},
    {errc::reloc_stack, "module {m}: relocation stack overflow or underflow, section {@} reloc {#}: type {0}"},
    {errc::reloc_bad_got, "{m}: module contains bad GOT relocation: section {@} reloc {#} sym '{s}', type {0}"},
    {errc::reloc_unsupported, "{m}: Unsupport relocation type {1}, please add its support. section {@} reloc {#}"},
    {errc::reloc_error_value, "{m}: Unknown symbol {s}"},
    {errc::reloc_pc_reach, "{m}: target {1x} can not be addressed by the 32-bit offset from PC = {0x}"},
    {errc::reloc_value_range, "{m}: value {1x} out of range for 32-bit field"},
    {errc::reloc_no_hi20, "{m}: Can not find HI20 relocation information, section {@} reloc {#} sym '{s}'"},
    {errc::reloc_accumulated, "{m}: value {1} out of range for {0}-bit relocation."},
    {errc::reloc_align, "{m}: The unexpected relocation type 'R_RISCV_ALIGN' from PC = {0x}"},
    {errc::reloc_dynamic, "{m}: Dynamic linking not supported in kernel modules PC = {0x}"},
    {errc::reloc_thread_local, "{m}: Thread local storage not supported in kernel modules PC = {0x}"},
    {errc::reloc_s390_unknown, "module {m}: unknown relocation: {0}"},
    {errc::reloc_s390_value, "module {m}: relocation error for symbol {s} (r_type {0}, value {1x})"},
    {errc::reloc_ppc_unknown, "{m}: Unknown ADD relocation: {0}"},
    {errc::reloc_ppc_toc16, "{m}: bad TOC16 relocation ({1x})"},
    {errc::reloc_ppc_rel24, "{m}: REL24 {1x} out of range!"},
    {errc::reloc_ppc_rel32, "{m}: REL32 {1x} out of range!"},
    {errc::reloc_ppc_no_nop, "{m}: Expected nop after call, got {1x} at section {@} reloc {#}"},
    {errc::reloc_ppc_stub, "{m}: Address of stub for {s} out of range of {1x}."},
    {errc::reloc_livepatch, "livepatch: {m}: relocation section {s} is malformed"},
    {errc::arch_refused, "{m}: section {s} was refused by the architecture"},
  // complete_formation, prepare_coming_module
    {errc::arch_section_missing, "{m}: module {s} section(s) missing"},
    {errc::build_id_none, "{m}: no build id"},
    {errc::not_page_aligned, "{m}: region {s} is not page aligned"},
    {errc::protect_failed, "{m}: memory protection failed (err -{0})"},
    {errc::finalize_failed, "{m}: the architecture refused the module (err -{0})"},
    {errc::hook_refused, "{m}: a hook refused the module (err -{0})"},
    {errc::patch_failed, "{m}: patching of {s} failed (err -{0})"},
    {errc::notifier_refused, "{m}: a notifier refused the module (err -{0})"},
    {errc::livepatch_name, "vmlinux.ko: invalid module name"},
    {errc::livepatch_refused, "{m}: a live patch refused the module (err -{0})"},
    {errc::ddebug_failed, "error adding module: {m}"},
    {errc::ftrace_failed, "ftrace: failed to allocate entries for module '{m}' functions"},
    {errc::percpu_alignment, "{m}: per-cpu alignment {0} > {1}"},
    {errc::obsolete_params, "{m}: Ignoring obsolete parameters"},
  // parse_args
    {errc::param_unknown, "{m}: Unknown parameter `{s}'"},
    {errc::param_too_large, "{m}: `{t}' too large for parameter `{s}'"},
    {errc::param_invalid, "{m}: `{t}' invalid for parameter `{s}'"},
    {errc::param_ignored, "{m}: unknown parameter '{s}' ignored"},
    {errc::param_after_dashes, "{m}: parameters '{s}' after `--' ignored"},
    {errc::param_dangerous, "Setting dangerous option {s} - tainting kernel"},
    {errc::param_string_long, "{s}: string parameter too long"},
    {errc::param_string_fit, "{s}: string doesn't fit in {0} chars."},
    {errc::param_array_count, "{s}: can only take {0} arguments"},
    {errc::param_table, "{m}: entry {#} of __param has no name or no operations"},
    {errc::args_too_long, "{m}: the argument string is longer than {0} bytes"},
  // mod_sysfs_setup
    {errc::sysfs_uninitialised, "{m}: module sysfs not initialized"},
    {errc::sysfs_exists, "{m}: module is already loaded"},
    {errc::sysfs_failed, "{m}: {s} failed (err -{0})"},
  // do_init_module, delete_module
    {errc::init_failed, "{m}: init returned -{0}"},
    {errc::init_suspicious, "do_init_module: '{m}'->init suspiciously returned {0}, it should follow 0/-E convention"},
    {errc::init_imbalance, "initcall of {m} returned with preemption imbalance or disabled interrupts"},
    {errc::ctor_failed, "{m}: a constructor could not be called (err -{0})"},
    {errc::not_permitted, "operation not permitted"},
    {errc::bad_flags, "unknown flags {0x}"},
    {errc::unload_no_module, "{m}: no module of this name"},
    {errc::unload_in_use, "{m}: module is in use"},
    {errc::unload_not_live, "{m}: module is not live"},
    {errc::unload_permanent, "{m}: module has init but no exit function"},
  // taints and other notes (errno 0: never the result of a load)
    {errc::taint_forced, "{m}: {s}: kernel tainted."},
    {errc::taint_out_of_tree, "{m}: loading out-of-tree module taints kernel."},
    {errc::taint_staging, "{m}: module is from the staging directory, the quality is unknown, you have been warned."},
    {errc::taint_livepatch, "{m}: tainting kernel with TAINT_LIVEPATCH"},
    {errc::taint_license, "{m}: module license '{s}' taints kernel."},
    {errc::taint_license_name, "{m}: module license taints kernel."},
    {errc::taint_inherited, "{m}: module uses symbols {s} from proprietary module {t}, inheriting taint."},
    {errc::taint_test, "{m}: loading test module taints kernel."},
    {errc::taint_unsigned, "{m}: module verification failed: signature and/or required key missing - tainting kernel"},
    {errc::retpoline_missing, "{m}: loading module not compiled with retpoline compiler."},
    {errc::injected, "{m}: a tracer made the step fail (err -{0})"},
    // clang-format on
};

static_assert(sizeof error_messages / sizeof error_messages[0] ==
              static_cast<std::size_t>(errc::count_));

namespace detail {

/// Writes into a buffer of fixed size and counts what a larger one would have got.
class text_sink {
public:
  explicit constexpr text_sink(std::span<char> out) noexcept : out_{out} {}
  constexpr void put(char c) noexcept {
    if (!out_.empty() && used_ < out_.size() - 1)
      out_[used_] = c;
    ++used_;
  }
  constexpr void put(std::string_view s) noexcept {
    for (char c : s)
      put(c);
  }
  constexpr void put_decimal(u64 n) noexcept {
    char digits[20];
    std::size_t count = 0;
    do
      digits[count++] = static_cast<char>('0' + next_digit(n));
    while (n != 0);
    while (count != 0)
      put(digits[--count]);
  }
  constexpr void put_hex(u64 n) noexcept {
    int shift = 60;
    while (shift > 0 && (n >> shift) == 0)
      shift -= 4;
    for (; shift >= 0; shift -= 4)
      put("0123456789abcdef"[(n >> shift) & 15]);
  }
  /// Ends the text with a NUL; returns the length of the whole text without it.
  constexpr std::size_t finish() noexcept {
    if (!out_.empty())
      out_[used_ < out_.size() ? used_ : out_.size() - 1] = '\0';
    return used_;
  }

private:
  /// n mod 10, and n /= 10 by shifts: a 64-bit division would need a library call on 32-bit hosts.
  static constexpr unsigned next_digit(u64& n) noexcept {
    u64 q = (n >> 1) + (n >> 2);
    q += q >> 4;
    q += q >> 8;
    q += q >> 16;
    q += q >> 32;
    q >>= 3;
    u64 r = n - ((q << 3) + (q << 1));
    if (r > 9) {
      ++q;
      r -= 10;
    }
    n = q;
    return static_cast<unsigned>(r);
  }

  std::span<char> out_;
  std::size_t used_ = 0;
};

} // namespace detail

constexpr std::string_view message_of(errc code) noexcept {
  return c_string(error_messages[static_cast<std::size_t>(code)].text);
}

/// Writes the message of `e` with its names and numbers into `out`, always NUL-terminated if out
/// is not empty. Returns the length of the whole text, which may exceed what fitted.
constexpr std::size_t format(error const& e, std::span<char> out) noexcept {
  detail::text_sink sink{out};
  std::string_view text = message_of(e.code);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t close = text[i] == '{' ? index_of(text, '}', i) : text.size();
    if (close == text.size()) {
      sink.put(text[i]);
      continue;
    }
    bool hex = text[i + 2] == 'x';
    switch (text[i + 1]) {
    case 'm': sink.put(e.name(error::module)); break;
    case 's': sink.put(e.name(error::subject)); break;
    case 't': sink.put(e.name(error::second)); break;
    case '@': sink.put_decimal(e.section); break;
    case '#': sink.put_decimal(e.index); break;
    default: {
      u64 n = e.number[text[i + 1] - '0'];
      if (hex)
        sink.put_hex(n);
      else
        sink.put_decimal(n);
    }
    }
    i = close;
  }
  return sink.finish();
}

/// The symbolic name of an errno that kmodld answers, such as "ENOEXEC"; empty for others.
constexpr std::string_view errno_name(int number) noexcept {
  switch (number) {
  case e_perm: return "EPERM"sv;
  case e_noent: return "ENOENT"sv;
  case e_intr: return "EINTR"sv;
  case e_io: return "EIO"sv;
  case e_noexec: return "ENOEXEC"sv;
  case e_again: return "EAGAIN"sv;
  case e_nomem: return "ENOMEM"sv;
  case e_fault: return "EFAULT"sv;
  case e_busy: return "EBUSY"sv;
  case e_acces: return "EACCES"sv;
  case e_notdir: return "ENOTDIR"sv;
  case e_isdir: return "EISDIR"sv;
  case e_exist: return "EEXIST"sv;
  case e_nodev: return "ENODEV"sv;
  case e_inval: return "EINVAL"sv;
  case e_fbig: return "EFBIG"sv;
  case e_nospc: return "ENOSPC"sv;
  case e_rofs: return "EROFS"sv;
  case e_range: return "ERANGE"sv;
  case e_nodata: return "ENODATA"sv;
  case e_nopkg: return "ENOPKG"sv;
  case e_badmsg: return "EBADMSG"sv;
  case e_opnotsupp: return "EOPNOTSUPP"sv;
  case e_nokey: return "ENOKEY"sv;
  case e_keyexpired: return "EKEYEXPIRED"sv;
  case e_keyrejected: return "EKEYREJECTED"sv;
  default: return {};
  }
}

} // namespace kmodld
