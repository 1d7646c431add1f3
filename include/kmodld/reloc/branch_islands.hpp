// SPDX-License-Identifier: MIT
// Stubs for calls out of reach where code lies anywhere: between sections of the object itself,
// too, and from sections that stand far from the others. A Config that wants them names
//
//   using arch = kmodld::reloc::with_branch_islands<kmodld::arch::aarch64>;
//
// Stubs stand in islands, one for each group of sections that lie together: those whose
// section_entry::memory the host set before layout are group memory + 1, all others group 0. An
// island is a section `.plt` of the same group, and the host's layout puts it beside them. Within
// an island there is one stub for each target. Linux has nothing of the kind: its modules have the
// PLTs of their architecture.
//
// `Arch` has far_stub_size, is_far_call(type), call_addend(type) (the addend of a plain call: -4 on
// x86-64) and write_far_stub(host, address, target, how, state); `how` is the architecture's own
// (0 unless its special() asks for another). What has no far_stub_size needs no stubs.
#pragma once

#include <kmodld/layout/section_table.hpp>
#include <kmodld/module.hpp>
#include <kmodld/reloc/address_slots.hpp>
#include <kmodld/reloc/rule.hpp>
#include <kmodld/reloc/section.hpp>
#include <kmodld/reloc/sort.hpp>

namespace kmodld::reloc {

/// One stub: where it leads, and of which kind it is.
struct far_stub {
  u64 target;
  u32 how;
};

/// The stubs of one group of sections.
struct branch_island {
  u32 section = 0; ///< 0: none
  u32 used = 0;
  std::byte* host = nullptr;
  address target;
  std::span<far_stub> stubs; ///< room for all that may be needed
  std::span<u32> index;      ///< hash_slots_for(stubs.size()): one more than a stub's number

  /// The number of the stub, made if there is none (`fresh`). False if there is no room.
  bool find(u64 wanted, u32 how, u64 seed, u32& n, bool& fresh) noexcept {
    if (stubs.empty())
      return false;
    std::size_t const mask = index.size() - 1;
    std::size_t i = first_slot(wanted, how, seed);
    for (; index[i] != 0; i = (i + 1) & mask)
      if (far_stub const& s = stubs[index[i] - 1]; s.target == wanted && s.how == how) {
        n = index[i] - 1;
        fresh = false;
        return true;
      }
    if (used == stubs.size())
      return false;
    n = used++;
    index[i] = used;
    stubs[n] = {wanted, how};
    fresh = true;
    return true;
  }

  /// The stub that find() has just made is not there.
  void take_back(u64 seed) noexcept {
    far_stub const& last = stubs[used - 1];
    std::size_t i = first_slot(last.target, last.how, seed);
    while (index[i] != used)
      i = (i + 1) & (index.size() - 1);
    index[i] = 0;
    --used;
  }

private:
  std::size_t first_slot(u64 wanted, u32 how, u64 seed) const noexcept {
    return static_cast<std::size_t>(mixed(wanted, seed + how)) & (index.size() - 1);
  }
};

template <class Arch>
struct with_branch_islands : Arch {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  /// Tells the architecture's frob that calls are served here.
  static constexpr bool branch_islands = true;

  class state : public Arch::state {
    using base = typename Arch::state;

  public:
    static constexpr bool branch_islands = true;

    /// Calls f(target, how, address of the stub) for every stub that is used.
    template <class F>
    void for_each_far_stub(F&& f) const noexcept {
      for (branch_island const& i : islands_)
        for (u32 n = 0; n < i.used; ++n)
          f(i.stubs[n].target, i.stubs[n].how, i.target + u64{n} * Arch::far_stub_size);
    }

    errc begin(section_relocations<relocation> const& in, symbol_values const& values,
               error& e) noexcept {
      here_ = islands_.empty() ? nullptr : &islands_[group_of(in.place)];
      if constexpr (requires(base& b) { b.begin(in, values, e); })
        return base::begin(in, values, e);
      return errc::ok;
    }

    void placed(section_table const& table, module const& m) noexcept {
      base::placed(table, m);
      for (branch_island& i : islands_)
        if (i.section != 0) {
          i.host = table[i.section].host;
          i.target = table[i.section].target;
        }
      place_groups(table);
    }

    /// The stub that leads to `to`, for the section that is being relocated. False if it cannot be
    /// made.
    bool far_stub_for(u64 to, u32 how, u64& entry) noexcept {
      u32 n = 0;
      bool fresh = false;
      if (here_ == nullptr || !here_->find(to, how, seed_, n, fresh))
        return false;
      u64 const at = u64{n} * Arch::far_stub_size;
      entry = (here_->target + at).value;
      if (!fresh || Arch::write_far_stub(here_->host + at, here_->target + at, to, how, *this))
        return true;
      here_->take_back(seed_);
      return false;
    }

    /// A call whose value does not fit: replaced by the way to a stub, if there is one.
    errc far(u32 type, operands const& o, u64& v) noexcept {
      u64 const addend = Arch::call_addend(type);
      if (u64 entry = 0; far_stub_for(o.s + o.a - addend, 0, entry))
        v = address_wrapped<format>(entry + addend - o.p);
      return errc::ok;
    }

    // The names by which architectures ask for a way that is not a plain sum.
    errc near(u32, u64& target, bool in_reach) noexcept { // riscv
      if (!in_reach)
        static_cast<void>(far_stub_for(target, 0, target));
      return errc::ok;
    }
    errc far(bool thumb, address, u32 to, u32& entry) noexcept { // arm
      u64 at = 0;
      if (!far_stub_for(to, thumb ? 1 : 0, at))
        return errc::reloc_range_arm;
      entry = static_cast<u32>(at);
      return errc::ok;
    }
    bool has_plt(u32) const noexcept { return here_ != nullptr; } // mips
    u64 stub(operands const& o) noexcept {
      u64 entry = o.s + o.a;
      static_cast<void>(far_stub_for(entry, 0, entry));
      return entry;
    }

    template <class Context>
    errc make_islands(Context const& context) noexcept;

  private:
    struct call {
      u64 symbol, addend;
      u32 group;
      friend constexpr bool operator==(call const&, call const&) noexcept = default;
    };
    struct group_start {
      u64 first;
      u32 group;
    };

    static u32 group_of(section_entry const& s) noexcept {
      return s.memory == section_entry::nowhere ? 0 : u32{s.memory} + 1;
    }
    u32 group_of(address place) const noexcept;
    void place_groups(section_table const& table) noexcept;

    std::span<branch_island> islands_; ///< by group
    std::span<group_start> starts_;    ///< of sections, ascending; empty if there is one group
    std::span<u8> groups_;             ///< by section, since placing changes `memory`
    branch_island* here_ = nullptr;
    u64 seed_ = 0;
  };

  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    typename Arch::state& own = s;
    errc code = errc::ok;
    if constexpr (requires { Arch::frob(context, own); }) {
      code = Arch::frob(context, own);
    } else {
      auto scratch = [&](u64 n) { return context.template scratch<u32>(n); };
      if (own.count(context.image, context.table, context.symbols(), needs_got | needs_got_slot,
                    scratch) != errc::ok)
        code = context.no_memory(context.symbols().size() * sizeof(u32));
    }
    return code == errc::ok ? s.make_islands(context) : code;
  }
};

/// Counts the calls to what is not in the same section, each symbol and addend once a group (with
/// addends in the place: every call), and adds the islands.
template <class Arch>
template <class Context>
errc with_branch_islands<Arch>::state::make_islands(Context const& context) noexcept {
  section_table& table = context.table;
  seed_ = context.env.hash_seed();
  u32 groups = 1;
  for (u32 i = 1; i < table.used; ++i)
    if (table[i].allocated() && group_of(table[i]) >= groups)
      groups = group_of(table[i]) + 1;
  auto const symbols = context.symbols();
  auto const for_each_call = [&](auto const& f) {
    static_cast<void>(context.for_each_relocations([&](u32 i, auto entries) {
      u32 const t = context.image.section(i).sh_info;
      if (table[t].allocated())
        for (relocation const& r : entries)
          if (u32 const n = Arch::symbol_of(r);
              Arch::is_far_call(Arch::type_of(r)) && n < symbols.size() && symbols[n].st_shndx != t)
            f(r, group_of(table[t]));
      return errc::ok;
    }));
  };
  u64 count = 0;
  for_each_call([&](relocation const&, u32) { ++count; });
  islands_ = context.template scratch<branch_island>(groups);
  auto const calls = context.template scratch<call>(count);
  if (groups > 1) {
    starts_ = context.template scratch<group_start>(table.used + u64{groups});
    groups_ = context.template scratch<u8>(table.used + u64{groups});
  }
  if (islands_.empty() || (calls.empty() && count != 0) ||
      (groups > 1 && (starts_.empty() || groups_.empty())))
    return context.no_memory(count * sizeof(call));
  u64 n = 0;
  for_each_call([&](relocation const& r, u32 group) {
    calls[n] = {Arch::symbol_of(r), addend_in_place<relocation> ? n : Arch::addend_of(r), group};
    ++n;
  });
  sort(calls, [](call const& a, call const& b) {
    if (a.group != b.group)
      return a.group < b.group;
    return a.symbol != b.symbol ? a.symbol < b.symbol : a.addend < b.addend;
  });
  for (u32 g = 0, k = 0; g < groups; ++g) {
    u64 room = 0;
    for (; k < calls.size() && calls[k].group == g; ++k)
      room += k == 0 || calls[k] != calls[k - 1] ? 1u : 0u;
    if (room == 0)
      continue;
    branch_island& island = islands_[g];
    island.stubs = context.template scratch<far_stub>(room);
    island.index = context.template scratch<u32>(hash_slots_for(room));
    if (island.stubs.empty() || island.index.empty() || table.used == table.all.size())
      return context.no_memory(room * sizeof(far_stub));
    island.section = table.add(".plt"sv, room * Arch::far_stub_size, 16, elf::shf_execinstr);
    if (g != 0)
      table[island.section].memory = static_cast<u8>(g - 1);
  }
  for (u32 i = 0; i < table.used && !groups_.empty(); ++i)
    groups_[i] = static_cast<u8>(group_of(table[i]));
  return errc::ok;
}

template <class Arch>
void with_branch_islands<Arch>::state::place_groups(section_table const& table) noexcept {
  if (starts_.empty())
    return;
  std::size_t n = 0;
  for (u32 i = 1; i < table.used && n < starts_.size(); ++i)
    if (table[i].allocated() && table[i].size != 0)
      starts_[n++] = {table[i].target.value, groups_[i]};
  starts_ = starts_.first(n);
  sort(starts_, [](group_start const& a, group_start const& b) { return a.first < b.first; });
}

/// The group of the section at `place`.
template <class Arch>
u32 with_branch_islands<Arch>::state::group_of(address place) const noexcept {
  std::size_t low = 0;
  for (std::size_t high = starts_.size(); low < high;) {
    std::size_t const middle = low + ((high - low) >> 1);
    if (starts_[middle].first <= place.value)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? 0 : starts_[low - 1].group;
}

} // namespace kmodld::reloc
