// SPDX-License-Identifier: MIT
// The relocations of one section by offset, for architectures where one refers to another by its
// place. Assemblers emit them ascending, then a search needs no memory and begins where the last
// one ended; otherwise their numbers are sorted once a section, into memory of the caller's.
#pragma once

#include <kmodld/error.hpp>
#include <kmodld/reloc/sort.hpp>

namespace kmodld::reloc {

template <class Relocation>
class offset_index {
public:
  static constexpr u32 none = ~u32{0};

  /// Memory for relocations out of order; as many words as words_needed() of each section.
  std::span<u32> words;

  /// None if the section is in order. `looked_for(r)`: find() is asked for those; `grouped(r)`:
  /// those of in_order(); `finds`: whether find() is called at all.
  template <class LookedFor, class Grouped>
  static u64 words_needed(std::span<Relocation const> all, bool finds, LookedFor const& looked_for,
                          Grouped const& grouped) noexcept {
    shape const s = shape_of(all);
    u64 searched = 0, in_groups = 0;
    if (!s.searchable())
      for (Relocation const& r : all) {
        searched += finds && looked_for(r) ? 1u : 0u;
        in_groups += !s.ascending && grouped(r) ? 1u : 0u;
      }
    return searched > in_groups ? searched : in_groups;
  }

  void begin(std::span<Relocation const> all) noexcept {
    all_ = all;
    way_ = way::unknown;
    hint_ = 0;
  }
  Relocation const& operator[](u32 i) const noexcept { return all_[i]; }

  /// The first of those `wanted` that stands at an offset, or none. A section is always asked for
  /// the same ones. no_memory or ok.
  template <class Wanted>
  errc find(u64 offset, Wanted const& wanted, u32& found) noexcept {
    if (way_ == way::unknown) {
      way_ = shape_of(all_).searchable() ? way::ascending : way::sorted;
      count_ = way_ == way::ascending ? all_.size() : sort(wanted);
      hint_ = 0;
    }
    if (way_ == way::sorted && count_ > words.size())
      return errc::no_memory;
    hint_ = first_not_below(offset);
    found = none;
    for (u64 i = hint_; i < count_ && offset_of(i) == offset; ++i)
      if (wanted(all_[nth(i)])) {
        found = nth(i);
        break;
      }
    return errc::ok;
  }

  /// Calls errc f(number, last) for all that are `wanted`, by ascending offset, those of one offset
  /// in their order; `last` of one offset. Ends what find() knows of the section.
  template <class Wanted, class F>
  errc in_order(Wanted const& wanted, F&& f) noexcept {
    way_ = way::ascending;
    count_ = all_.size();
    if (!shape_of(all_).ascending) {
      way_ = way::sorted;
      count_ = sort(wanted);
      if (count_ > words.size())
        return errc::no_memory;
    }
    u32 before = none;
    for (u64 i = 0; i < count_; ++i) {
      u32 const k = nth(i);
      if (!wanted(all_[k]))
        continue;
      if (before != none)
        if (errc code = f(before, all_[before].r_offset != all_[k].r_offset); code != errc::ok)
          return code;
      before = k;
    }
    way_ = way::unknown;
    return before == none ? errc::ok : f(before, true);
  }

private:
  enum class way : u8 { unknown, ascending, sorted };

  struct shape {
    // So many of one offset are looked through one by one.
    static constexpr u32 short_run = 8;
    bool ascending = true;
    u32 longest_run = 0;
    bool searchable() const noexcept { return ascending && longest_run <= short_run; }
  };
  static shape shape_of(std::span<Relocation const> all) noexcept {
    shape s;
    u64 before = 0;
    u32 run = 0;
    for (Relocation const& r : all) {
      u64 const offset = r.r_offset;
      run = offset == before ? run + 1 : 1;
      s.longest_run = run > s.longest_run ? run : s.longest_run;
      s.ascending = s.ascending && offset >= before;
      before = offset;
    }
    return s;
  }

  u32 nth(u64 i) const noexcept {
    return way_ == way::ascending ? static_cast<u32>(i) : words[static_cast<std::size_t>(i)];
  }
  u64 offset_of(u64 i) const noexcept { return all_[nth(i)].r_offset; }

  /// Fills `words` as far as they go; how many there are.
  template <class Wanted>
  u64 sort(Wanted const& wanted) noexcept {
    u64 n = 0;
    for (u32 i = 0; i < all_.size(); ++i)
      if (wanted(all_[i])) {
        if (n < words.size())
          words[static_cast<std::size_t>(n)] = i;
        ++n;
      }
    if (n <= words.size())
      reloc::sort(words.first(static_cast<std::size_t>(n)), [this](u32 a, u32 b) {
        u64 const x = all_[a].r_offset, y = all_[b].r_offset;
        return x != y ? x < y : a < b;
      });
    return n;
  }

  /// From the last one found forward in growing steps, then by halves.
  u64 first_not_below(u64 offset) const noexcept {
    u64 low = 0, high = count_;
    if (hint_ < count_) {
      u64 const before = offset_of(hint_);
      if (before == offset)
        return hint_;
      if (before > offset) {
        high = hint_;
      } else {
        low = hint_;
        for (u64 step = 1; step < count_ - low; step *= 2) {
          if (offset_of(low + step) >= offset) {
            high = low + step;
            break;
          }
          low += step;
        }
      }
    }
    while (low < high) {
      u64 const middle = low + ((high - low) >> 1);
      if (offset_of(middle) < offset)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  std::span<Relocation const> all_;
  u64 hint_ = 0, count_ = 0;
  way way_ = way::unknown;
};

} // namespace kmodld::reloc
