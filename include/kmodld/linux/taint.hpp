// SPDX-License-Identifier: MIT
// Taint flags: why a kernel or a module is not to be trusted (kernel/panic.c, taint_flags).
#pragma once

#include <kmodld/text.hpp>

namespace kmodld {

/// Bits of module::taints and of a kernel's own mask; the numbers are Linux's.
enum : u32 {
  taint_proprietary = 1u << 0,
  taint_forced = 1u << 1,
  taint_cpu_out_of_spec = 1u << 2,
  taint_forced_rmmod = 1u << 3,
  taint_machine_check = 1u << 4,
  taint_bad_page = 1u << 5,
  taint_user = 1u << 6,
  taint_die = 1u << 7,
  taint_acpi_table = 1u << 8,
  taint_warn = 1u << 9,
  taint_staging = 1u << 10,
  taint_firmware = 1u << 11,
  taint_out_of_tree = 1u << 12,
  taint_unsigned = 1u << 13,
  taint_soft_lockup = 1u << 14,
  taint_livepatch = 1u << 15,
  taint_aux = 1u << 16,
  taint_randstruct = 1u << 17,
  taint_test = 1u << 18,
};

inline constexpr std::size_t taint_flags_count = 19;

/// One letter a bit.
inline constexpr std::string_view taint_letter_table{"PFSRMBUDAWCIOELKXTN", taint_flags_count};

/// The flags that a module can carry; only these are shown for one.
inline constexpr u32 taint_module_flags = taint_proprietary | taint_forced | taint_staging |
                                          taint_out_of_tree | taint_unsigned | taint_livepatch |
                                          taint_aux | taint_randstruct | taint_test;

/// The letters of a module's taints, in bit order, as in /proc/modules and in sysfs. Writes what
/// fits into `out`, without a NUL, and returns how many there are.
constexpr std::size_t taint_letters(u32 taints, std::span<char> out) noexcept {
  std::size_t used = 0;
  for (std::size_t bit = 0; bit < taint_flags_count; ++bit)
    if ((taints & taint_module_flags) >> bit & 1) {
      if (used < out.size())
        out[used] = taint_letter_table[bit];
      ++used;
    }
  return used;
}

/// The letters behind `Tainted: ` in an oops: one column a flag, a space where it is not set, and
/// `G` where no proprietary module was loaded. Writes what fits; returns taint_flags_count, or 0
/// for an untainted kernel (which prints `Not tainted`).
constexpr std::size_t kernel_taint_letters(u32 taints, std::span<char> out) noexcept {
  if ((taints & ((1u << taint_flags_count) - 1)) == 0)
    return 0;
  for (std::size_t bit = 0; bit < taint_flags_count && bit < out.size(); ++bit) {
    bool set = (taints >> bit & 1) != 0;
    out[bit] = set ? taint_letter_table[bit] : bit == 0 ? 'G' : ' ';
  }
  return taint_flags_count;
}

} // namespace kmodld
