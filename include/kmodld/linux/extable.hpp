// SPDX-License-Identifier: MIT
// Exception tables, `__ex_table`: which instruction may fault, and where to go on then
// (sort_extable, search_extable and trim_init_extable of lib/extable.c).
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/linux/heap_sort.hpp>
#include <kmodld/module.hpp>

namespace kmodld {

/// How entries look: two signed 32-bit distances from the fields themselves and a 32-bit word of
/// data (x86, arm64, riscv, s390; loongarch since 6.3), only the distances (powerpc), or two
/// pointers (arm, mips).
enum class extable_kind : u8 { relative_with_data, relative, absolute };

template <class Format, extable_kind K>
struct extable_entry {
  typename Format::word insn, fixup;
};
template <class Format>
struct extable_entry<Format, extable_kind::relative> {
  typename Format::word32 insn, fixup;
};
template <class Format>
struct extable_entry<Format, extable_kind::relative_with_data> {
  typename Format::word32 insn, fixup, data;
};

static_assert(sizeof(extable_entry<elf::elf64_le, extable_kind::relative_with_data>) == 12);
static_assert(sizeof(extable_entry<elf::elf64_le, extable_kind::relative>) == 8);
static_assert(sizeof(extable_entry<elf::elf32_le, extable_kind::absolute>) == 8);

/// One entry, decoded.
struct exception {
  address insn;
  address fixup;
  u32 data = 0; ///< type and registers, as the architecture packs them
};

/// A table in the module's memory, which must outlive the view.
template <class Format, extable_kind K>
class exception_table {
public:
  using entry = extable_entry<Format, K>;

  explicit exception_table(module_table const& table) noexcept : table_{table} {}

  /// 0 if the table was not cut into entries of this kind.
  u32 size() const noexcept { return table_.entry_size == sizeof(entry) ? table_.count : 0; }

  exception operator[](u32 i) const noexcept {
    entry e = load(i);
    exception out{.insn = resolve(at(i), e.insn), .fixup = resolve(at(i) + sizeof e.insn, e.fixup)};
    if constexpr (K == extable_kind::relative_with_data)
      out.data = e.data;
    return out;
  }

  /// Sorts by the address of the instruction, in place and in O(n log n) without recursion.
  /// Entries of equal address end up in any order.
  void sort() noexcept { heap_sort(*this, size()); }
  bool less(u32 a, u32 b) const noexcept { return key(a) < key(b); }
  /// Swaps two entries, a before b.
  void exchange(u32 a, u32 b) noexcept {
    auto distance = static_cast<u32>((u64{b} - a) * sizeof(entry));
    entry first = load(a);
    store(a, moved(load(b), 0 - distance));
    store(b, moved(first, distance));
  }

  /// The entry of a sorted table for exactly this instruction.
  bool find(address insn, exception& out) const noexcept {
    u32 low = 0;
    u32 high = size();
    while (low < high) {
      u32 middle = low + ((high - low) >> 1);
      if (key(middle) < insn.value)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == size() || key(low) != insn.value)
      return false;
    out = (*this)[low];
    return true;
  }

  /// What remains of a sorted table once the init memory is given back: entries at both ends are
  /// left out for which in_init(address) holds.
  template <class InInit>
  module_table trim(InInit in_init) const noexcept {
    u32 first = 0;
    u32 last = size();
    while (first < last && in_init(address{key(first)}))
      ++first;
    while (first < last && in_init(address{key(last - 1)}))
      --last;
    u64 skipped = u64{first} * sizeof(entry);
    return {.target = table_.target + skipped,
            .host = table_.host == nullptr ? nullptr : table_.host + skipped,
            .count = last - first,
            .entry_size = table_.entry_size};
  }

private:
  static constexpr bool relative = K != extable_kind::absolute;

  address at(u32 i) const noexcept { return table_.target + u64{i} * sizeof(entry); }
  entry load(u32 i) const noexcept {
    entry e;
    __builtin_memcpy(&e, table_.host + u64{i} * sizeof(entry), sizeof e);
    return e;
  }
  void store(u32 i, entry const& e) noexcept {
    __builtin_memcpy(table_.host + u64{i} * sizeof(entry), &e, sizeof e);
  }

  template <class Field>
  static address resolve(address field, Field const& stored) noexcept {
    u64 value = stored;
    if constexpr (relative)
      value = field.value + static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(value))});
    return {static_cast<typename Format::word_type>(value)};
  }
  u64 key(u32 i) const noexcept { return resolve(at(i), load(i).insn).value; }

  /// The same entry, as it must be stored `distance` bytes further up.
  static entry moved(entry e, u32 distance) noexcept {
    if constexpr (relative) {
      e.insn = u32{e.insn} - distance;
      e.fixup = u32{e.fixup} - distance;
    }
    return e;
  }
  module_table table_;
};

} // namespace kmodld
