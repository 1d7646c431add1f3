// SPDX-License-Identifier: MIT
// How Linux finds an export, written from the description of its behaviour: a binary search by
// strcmp in the kernel's plain table, in its GPL table, then in those of each module, newest first.
// Entries hold distances relative to their own fields, as on x86-64.
#pragma once

#include <kmodld/address.hpp>
#include <kmodld/policy/symbol_resolver.hpp>

#include <algorithm>
#include <cstring>
#include <list>
#include <string>
#include <vector>

namespace kmodld::bench {

class linux_lookup {
public:
  struct entry {
    i32 value, name, name_space;
  };
  struct table {
    entry const* first = nullptr;
    std::size_t count = 0;
  };
  struct owner {
    table plain, gpl;
    module* record = nullptr;
  };

  /// Tables of one owner, sorted by name, kept in memory of their own.
  class exports {
  public:
    explicit exports(std::vector<std::string> names) {
      std::ranges::sort(names);
      std::size_t size = 0;
      for (std::string const& n : names)
        size += n.size() + 1;
      memory_.resize(names.size() * sizeof(entry) + size);
      char* text = memory_.data() + names.size() * sizeof(entry);
      for (std::size_t i = 0; i < names.size(); ++i) {
        char* const field = memory_.data() + i * sizeof(entry);
        entry const e{static_cast<i32>(i), static_cast<i32>(text - (field + 4)), 0};
        std::memcpy(field, &e, sizeof e);
        std::memcpy(text, names[i].c_str(), names[i].size() + 1);
        text += names[i].size() + 1;
      }
      count_ = names.size();
    }
    table view() const { return {reinterpret_cast<entry const*>(memory_.data()), count_}; }

  private:
    std::vector<char> memory_;
    std::size_t count_ = 0;
  };

  std::list<owner> owners; ///< the kernel first, then modules, newest first

  static char const* name_of(entry const& e) noexcept {
    return reinterpret_cast<char const*>(&e.name) + e.name;
  }
  static entry const* search(table const& t, char const* wanted) noexcept {
    std::size_t low = 0, high = t.count;
    while (low < high) {
      std::size_t const middle = low + (high - low) / 2;
      int const order = std::strcmp(wanted, name_of(t.first[middle]));
      if (order == 0)
        return &t.first[middle];
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
    return nullptr;
  }
  entry const* find(char const* wanted, bool gpl_ok, owner const*& from) const noexcept {
    for (owner const& o : owners) {
      from = &o;
      if (entry const* e = search(o.plain, wanted))
        return e;
      if (gpl_ok)
        if (entry const* e = search(o.gpl, wanted))
          return e;
    }
    return nullptr;
  }
};

} // namespace kmodld::bench
