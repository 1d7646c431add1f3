// SPDX-License-Identifier: MIT
// Symbol resolver: one resolver behind another.
#pragma once

#include <kmodld/policy/symbol_resolver.hpp>

#include <type_traits>
#include <utility>

namespace kmodld {

/// Asks `Second` for what `First` does not have: a symbol_table for what modules export and, behind
/// it, hosted::dlsym_resolver for what the program does. Modules' exports go to `First`, and must
/// not be names that either has. Either may be a reference type.
template <class First, class Second>
class symbol_chain {
  using first_type = std::remove_reference_t<First>;
  using second_type = std::remove_reference_t<Second>;

public:
  /// find_batch() may be called by readers if both parts can.
  static constexpr bool for_readers =
      reader_batch_resolver<first_type> && requires { requires second_type::for_readers; };

  explicit symbol_chain(First first, Second second = {}) noexcept
      : first_{std::forward<First>(first)}, second_{std::forward<Second>(second)} {}

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) noexcept {
    return first_.find(name, gpl_ok, out) || second_.find(name, gpl_ok, out);
  }

  bool add(std::string_view name, exported_symbol const& symbol) noexcept
    requires export_registry<first_type>
  {
    return first_.add(name, symbol);
  }
  void remove(std::string_view name, module const& owner) noexcept
    requires export_registry<first_type>
  {
    first_.remove(name, owner);
  }

  void find_batch(symbol_query* queries, std::size_t count) noexcept
    requires batch_resolver<first_type>
  {
    first_.find_batch(queries, count);
    for (symbol_query* q = queries; q != queries + count; ++q)
      if (!q->found)
        q->found = second_.find(q->name, q->gpl_ok, q->symbol);
  }
  void prefetch(std::string_view name) noexcept
    requires prefetching_resolver<first_type>
  {
    first_.prefetch(name);
  }

  /// Of the first part alone: what the second one has may lie anywhere.
  reach_window bounds() const noexcept
    requires bounded_resolver<first_type>
  {
    return first_.bounds();
  }

  template <class Lock>
  void collect(Lock& lock) noexcept
    requires requires(first_type& r) { r.collect(lock); }
  {
    first_.collect(lock);
  }

private:
  First first_;
  Second second_;
};

} // namespace kmodld
