// SPDX-License-Identifier: MIT
// A hash index over the names of a table, in memory of the caller: what Linux searches from the
// start for every symbol (`__versions`, `import_ns`) is here found at once, so that a hostile table
// cannot make a load quadratic.
#pragma once

#include <kmodld/policy/name_hash.hpp>
#include <kmodld/text.hpp>

namespace kmodld {

class name_index {
public:
  name_index() noexcept = default;
  /// `slots` is zeroed and has slots_for(count) entries; `seed` should be hard to guess.
  name_index(std::span<u32> slots, u64 seed) noexcept : slots_{slots}, hash_{seed} {}

  /// Room for `count` names: a power of two, at most half full.
  static constexpr u64 slots_for(u64 count) noexcept {
    u64 n = 4;
    while (n < count * 2)
      n *= 2;
    return n;
  }

  /// Adds entry `i`; of equal names the first added is found. `name_of(i)` gives an entry's name.
  template <class NameOf>
  void insert(u32 i, NameOf const& name_of) noexcept {
    std::string_view const name = name_of(i);
    std::size_t at = start(name);
    for (; slots_[at] != 0; at = next(at))
      if (equal(name_of(slots_[at] - 1), name))
        return;
    slots_[at] = i + 1;
  }

  /// The entry of this name, or `none`.
  static constexpr u32 none = ~u32{0};
  template <class NameOf>
  u32 find(std::string_view name, NameOf const& name_of) const noexcept {
    if (slots_.empty())
      return none;
    for (std::size_t at = start(name); slots_[at] != 0; at = next(at))
      if (equal(name_of(slots_[at] - 1), name))
        return slots_[at] - 1;
    return none;
  }

private:
  std::size_t start(std::string_view name) const noexcept {
    return static_cast<std::size_t>(hash_(name)) & (slots_.size() - 1);
  }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

  std::span<u32> slots_;
  name_hash hash_{0};
};

} // namespace kmodld
