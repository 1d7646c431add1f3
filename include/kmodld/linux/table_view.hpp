// SPDX-License-Identifier: MIT
// Tables of small structures in a module's memory, seen as values: bounds, byte order, width of a
// pointer and addresses that are stored as distances are dealt with here, once.
//
// An entry is described by one function, which names its fields in their order and makes a value of
// them; by it entries are read, measured, and moved when a table is sorted:
//   struct static_call_site {
//     address addr, key;
//     template <class Fields>
//     static constexpr static_call_site read(Fields& f) noexcept {
//       return {.addr = f.prel32(), .key = f.prel32()};
//     }
//   };
// With a member `static bool less(value const&, value const&)` tables of it can be sorted. What a
// table says comes from the module's author: its addresses may lead anywhere.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/linux/heap_sort.hpp>
#include <kmodld/module.hpp>

#include <utility>

namespace kmodld {

/// A word of flags and an address that are stored as one.
struct tagged_address {
  address where;
  u32 tag = 0; ///< the two lowest bits
};

/// The fields of one entry, read one after the other.
template <class Format>
class field_reader {
  using word_type = typename Format::word_type;

public:
  static constexpr u32 pointer_size = Format::bits / 8;

  field_reader(std::byte const* host, address target) noexcept
      : host_{host}, target_{target}, entry_{target} {}

  /// Where the next field stands.
  address here() const noexcept { return target_; }
  /// A signed 32-bit distance from the field itself.
  address prel32() noexcept {
    address const from = here();
    return resolved(from, static_cast<u64>(i64{number<i32>()}));
  }
  /// A pointer-sized distance from the field itself.
  address prel_word() noexcept {
    address const from = here();
    return resolved(from, word());
  }
  /// The same, of which the two lowest bits are flags.
  tagged_address tagged_prel_word() noexcept {
    address const from = here();
    u64 const stored = word();
    return {resolved(from, stored & ~u64{3}), static_cast<u32>(stored & 3)};
  }
  /// A pointer-sized distance from the beginning of the entry.
  address word_from_entry() noexcept { return resolved(entry_, word()); }
  address pointer() noexcept { return {word()}; }
  /// An integer as wide as a pointer.
  u64 word() noexcept { return number<word_type>(); }
  template <class T>
  T number() noexcept {
    T const v = elf::field<T, Format::order>::load(host_);
    skip(sizeof(T));
    return v;
  }
  void skip(u32 bytes) noexcept {
    host_ += bytes;
    target_ = target_ + bytes;
  }

private:
  static address resolved(address from, u64 distance) noexcept {
    return {static_cast<word_type>(from.value + distance)};
  }

  std::byte const* host_;
  address target_;
  address entry_;
};

/// The same fields, but only their size.
template <class Format>
class field_sizes {
public:
  static constexpr u32 pointer_size = Format::bits / 8;
  u32 size = 0;

  constexpr address here() const noexcept { return {}; }
  constexpr address prel32() noexcept { return skip(4), address{}; }
  constexpr address prel_word() noexcept { return skip(pointer_size), address{}; }
  constexpr tagged_address tagged_prel_word() noexcept { return {prel_word()}; }
  constexpr address word_from_entry() noexcept { return prel_word(); }
  constexpr address pointer() noexcept { return prel_word(); }
  constexpr u64 word() noexcept { return prel_word().value; }
  template <class T>
  constexpr T number() noexcept {
    return skip(sizeof(T)), T{};
  }
  constexpr void skip(u32 bytes) noexcept { size += bytes; }
};

/// The same fields of an entry whose bytes were moved `distance` bytes up: what is relative is
/// corrected.
template <class Format>
class field_mover {
public:
  static constexpr u32 pointer_size = Format::bits / 8;

  field_mover(std::byte* host, u64 distance) noexcept : host_{host}, distance_{distance} {}

  address here() const noexcept { return {}; }
  address prel32() noexcept { return correct<u32>(), address{}; }
  address prel_word() noexcept { return correct<typename Format::word_type>(), address{}; }
  tagged_address tagged_prel_word() noexcept { return {prel_word()}; }
  address word_from_entry() noexcept { return prel_word(); }
  address pointer() noexcept { return skip(pointer_size), address{}; }
  u64 word() noexcept { return pointer().value; }
  template <class T>
  T number() noexcept {
    return skip(sizeof(T)), T{};
  }
  void skip(u32 bytes) noexcept { host_ += bytes; }

private:
  template <class T>
  void correct() noexcept {
    using stored = elf::field<T, Format::order>;
    stored::store(host_, static_cast<T>(stored::load(host_) - distance_));
    skip(sizeof(T));
  }

  std::byte* host_;
  u64 distance_;
};

/// Bytes that an entry takes in modules of this format.
template <class Format, class Entry>
constexpr u32 entry_size_of() noexcept {
  field_sizes<Format> sizes;
  static_cast<void>(Entry::read(sizes));
  return sizes.size;
}

/// The entries of a table, which must outlive the view. The last one is left out if it is cut;
/// whole() tells.
template <class Format, class Entry>
class table_view {
public:
  static constexpr u32 entry_size = entry_size_of<Format, Entry>();
  using value_type = decltype(Entry::read(std::declval<field_reader<Format>&>()));

  constexpr table_view() noexcept = default;
  /// Of a section; no entries where it has no memory.
  explicit table_view(region const& section) noexcept
      : target_{section.target}, host_{section.host},
        size_{section.host == nullptr ? 0 : static_cast<u32>(section.size) / entry_size},
        whole_{u64{size_} * entry_size == section.size} {}
  /// Of what find_module_sections found; no entries if it was cut into others.
  explicit table_view(module_table const& table) noexcept
      : target_{table.target}, host_{table.host},
        size_{table.entry_size == entry_size ? table.count : 0}, whole_{size_ == table.count} {}

  u32 size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Whether every byte belongs to an entry. What find_module_sections found is whole unless it was
  /// cut into others: the step has left a cut entry out already.
  bool whole() const noexcept { return whole_; }

  value_type operator[](u32 i) const noexcept {
    field_reader<Format> fields{host_of(i), address_of(i)};
    return Entry::read(fields);
  }
  /// Where the i-th entry stands.
  address address_of(u32 i) const noexcept { return target_ + u64{i} * entry_size; }

  class iterator {
  public:
    iterator(table_view const& view, u32 i) noexcept : view_{&view}, i_{i} {}
    value_type operator*() const noexcept { return (*view_)[i_]; }
    iterator& operator++() noexcept { return ++i_, *this; }
    bool operator==(iterator const& o) const noexcept { return i_ == o.i_; }

  private:
    table_view const* view_;
    u32 i_;
  };
  iterator begin() const noexcept { return {*this, 0}; }
  iterator end() const noexcept { return {*this, size_}; }

  /// Sorts as the kernel does, in place and in O(n log n) without recursion. What is sorted stays
  /// as it is; entries of equal order end up in any order otherwise.
  void sort() noexcept
    requires requires(value_type const& v) { Entry::less(v, v); }
  {
    heap_sort(*this, size_);
  }
  bool less(u32 a, u32 b) const noexcept
    requires requires(value_type const& v) { Entry::less(v, v); }
  {
    return Entry::less((*this)[a], (*this)[b]);
  }

  /// Swaps two entries, a before b; what is relative in them stays right.
  void exchange(u32 a, u32 b) noexcept {
    std::byte first[entry_size];
    u64 const distance = u64{b - a} * entry_size;
    __builtin_memcpy(first, host_of(a), entry_size);
    __builtin_memcpy(host_of(a), host_of(b), entry_size);
    __builtin_memcpy(host_of(b), first, entry_size);
    moved(a, 0 - distance);
    moved(b, distance);
  }

private:
  std::byte* host_of(u32 i) const noexcept { return host_ + u64{i} * entry_size; }
  void moved(u32 i, u64 distance) const noexcept {
    field_mover<Format> fields{host_of(i), distance};
    static_cast<void>(Entry::read(fields));
  }

  address target_{};
  std::byte* host_ = nullptr;
  u32 size_ = 0;
  bool whole_ = true;
};

} // namespace kmodld
