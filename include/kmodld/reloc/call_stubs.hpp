// SPDX-License-Identifier: MIT
// Stubs of which calls share one for each target: numbered once the symbols have their values, in
// the order of the calls. The file's author chooses symbols and addends, so all is sorted.
#pragma once

#include <kmodld/reloc/sort.hpp>

namespace kmodld::reloc {

/// One call that needs a stub of a form, by the r_info and addend of its relocation.
template <class Form>
struct stub_call {
  u64 info;
  i64 addend;
  u64 target;
  u32 stub; ///< 0 or one more than its number
  Form how;

  constexpr u32 symbol() const noexcept { return static_cast<u32>(info >> 32); }
  constexpr bool before(stub_call const& o) const noexcept {
    return target != o.target ? target < o.target : how < o.how;
  }
};

template <class Form>
struct call_stubs {
  using call = stub_call<Form>;

  std::span<call> calls;
  std::span<u32> by_target; ///< as many: numbers of calls, ascending by target, form and number

  /// Gives each call its target from `values` and its stub. `write(n, call)` makes stub number n;
  /// false: it cannot be made, and the calls of that target get none.
  template <class Write>
  void number(std::span<u64 const> values, Write const& write) noexcept {
    if (calls.empty())
      return;
    for (u32 i = 0; i < calls.size(); ++i) {
      calls[i].target = values[calls[i].symbol()] + static_cast<u64>(calls[i].addend);
      by_target[i] = i;
    }
    sort(by_target, [this](u32 a, u32 b) {
      return calls[a].before(calls[b]) || (!calls[b].before(calls[a]) && a < b);
    });
    // Until it has a stub, each call names the first call of its target, which comes to it first.
    u32 first = by_target[0];
    for (u32 i : by_target) {
      if (calls[first].before(calls[i]))
        first = i;
      calls[i].stub = first;
    }
    u32 used = 0;
    for (u32 i = 0; i < calls.size(); ++i) {
      call& x = calls[i];
      if (x.stub != i)
        x.stub = calls[x.stub].stub;
      else
        x.stub = write(used, x) ? ++used : 0;
    }
  }

  /// One more than the number of the stub for a target; 0 if there is none.
  u32 find(u64 target, Form how) const noexcept {
    call const wanted{0, 0, target, 0, how};
    std::size_t low = 0;
    for (std::size_t high = by_target.size(); low < high;) {
      std::size_t const middle = low + ((high - low) >> 1);
      if (calls[by_target[middle]].before(wanted))
        low = middle + 1;
      else
        high = middle;
    }
    bool const found = low != by_target.size() && !wanted.before(calls[by_target[low]]);
    return found ? calls[by_target[low]].stub : 0;
  }
};

} // namespace kmodld::reloc
