// SPDX-License-Identifier: MIT
// linked-*: a GOT whose entries are made while relocating (loongarch64), kept from one relocation
// section to the next and compared with the record's, entry by entry.
#pragma once

#include "verify/outcome.hpp"

#include <kmodld/reloc/address_slots.hpp>

namespace kmodld::verify {

template <class Arch>
class linked_got {
  using slots = reloc::address_slots<typename Arch::format>;

  test::byte_vector memory_;
  std::vector<u32> index_;
  slots slots_;

public:
  /// Before a relocation section.
  template <class State>
  void lend(record const& r, State& state) {
    if (!r.got_base || r.got_slots.empty())
      return;
    if (memory_.empty()) {
      std::size_t const count = r.got_slots.size();
      memory_.resize(count * slots::slot_size);
      index_.resize(static_cast<std::size_t>(reloc::hash_slots_for(count)));
      slots_ = {static_cast<u32>(count), 0, memory_.data(), {*r.got_base}, index_};
    }
    state.got_slots = slots_;
  }
  /// After it.
  template <class State>
  void take_back(State const& state) {
    slots_ = state.got_slots;
  }

  void compare(record const& r, outcome& o) const {
    for (std::size_t i = 0; i < r.got_slots.size(); ++i) {
      slot_record const& should = r.got_slots[i];
      if (*r.got_base + i * slots::slot_size != should.address)
        o.complaints.push_back("GOT entry of " + should.name + " is elsewhere");
      else if (memory_.empty() || slots_.value(static_cast<u32>(i)) != should.content)
        o.complaints.push_back("GOT entry of " + should.name + " has another value");
    }
    if (slots_.used != r.got_slots.size())
      o.complaints.push_back("the GOT has " + std::to_string(slots_.used) +
                             " entries, should have " + std::to_string(r.got_slots.size()));
  }
};

} // namespace kmodld::verify
