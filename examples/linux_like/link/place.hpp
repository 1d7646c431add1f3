// SPDX-License-Identifier: MIT
// Addresses for the sections of a linked image: those that the user has placed keep their place,
// the others follow from the base on and go around them. Code comes first, then constants, then
// what is addressed from one register (TOC, GOT, small data), data, and what has no bytes.
//
// Code is divided into groups, which stubs are shared in (reloc/branch_islands.hpp): a group spans
// no more than every branch reaches, and its stubs stand behind it.
#pragma once

#include "merge_result.hpp"

#include <kmodld/layout/section_table.hpp>

namespace linux_like {

class section_placer {
public:
  /// Finds the sections that the request places and gives each section with code its group, in
  /// section_entry::memory. Throws refusal: ENOENT, or E2BIG for more groups than there can be.
  void make_groups(const link_request& request, const merged_object& merged,
                   kmodld::section_table& table);

  /// Gives every allocated section its target, those that were added meanwhile, too. `last` is the
  /// highest address there is. Throws refusal: sections that the user placed overlap or are
  /// misaligned (EINVAL), or something does not fit into the address space (ENOEXEC).
  void place(kmodld::section_table& table, kmodld::u64 base, kmodld::u64 last);

private:
  struct range {
    kmodld::u64 first, last; ///< both included
  };

  void group_fixed(kmodld::section_table& table);
  void group_code(kmodld::section_table& table);
  kmodld::u8 next_group();
  void check_fixed(kmodld::section_table& table, kmodld::u64 last);
  void place_islands_of_fixed(kmodld::section_table& table, kmodld::u64 last);
  std::vector<kmodld::u32> others(const kmodld::section_table& table) const;
  void reserve(kmodld::u64 first, kmodld::u64 size);

  std::map<kmodld::u32, kmodld::u64> fixed_; ///< section -> address
  std::vector<kmodld::u32> code_;            ///< that is not fixed, in order
  std::map<kmodld::u8, kmodld::u64> behind_; ///< group of fixed sections -> its end
  std::map<kmodld::u64, kmodld::u64> taken_; ///< first -> last byte of what stands already
  kmodld::u8 groups_ = 0;
};

} // namespace linux_like
