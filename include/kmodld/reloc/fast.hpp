// SPDX-License-Identifier: MIT
// The hot loop: a switch on the class, inside it a tight loop over the run of relocations of that
// class.
//
// Bounds are tested one by one, since nothing may be written outside; what does not fit, is not
// aligned, and places that are not zero are gathered by OR and tested once a run. What limits it is
// the number of instructions, then wrong guesses of the processor, then memory: the stream of
// relocations (24 bytes each) and the places, which are read before they are written. Both are
// fetched 4 KB ahead, since the processor's own prefetch ends at each page. Measured to be slower:
// 8-byte read-modify-write, a prefetch a relocation, of nearer places, or of as many lines as a
// block has on average; classes that alternate in code (classes.hpp), a jump a relocation.
#pragma once

#include <kmodld/prefetch.hpp>
#include <kmodld/reloc/membership.hpp>
#include <kmodld/reloc/section.hpp>

#include <utility>

namespace kmodld::reloc {

template <class Arch>
class fast_loop {
  using format = typename Arch::format;
  using table = classes<Arch>;
  using relocation = typename Arch::relocation;

  section_relocations<relocation> const& in_;
  symbol_values const& symbols_;
  typename Arch::state& state_;

  /// What a run starts from and leaves. Copies: a run must not reload what a store to the section
  /// could have changed, as far as the compiler knows.
  struct frame {
    relocation const* at;
    relocation const* end;
    relocation const* blocks_end; ///< before it a whole block and one more can follow
    std::byte* bytes;
    u64 size;
    u64 target;
    u64 const* values;
    u64 count;
    u8 const* attributes;
    u64 faults = 0;
  };

  // Instructions of fixed size have fields that alternate: runs are short, and a call a run would
  // cost more than registers that are spilled. x86 has words, in long runs.
  static constexpr bool short_runs = [] {
    for (u32 k = 0; k < table::count; ++k)
      if (table::get(k).field.count != 0)
        return true;
    return false;
  }();
  static constexpr std::size_t block = 8;    ///< relocations between two tests for the end
  static constexpr std::size_t ahead = 4096; ///< bytes
  static constexpr std::size_t line = 64;
  /// What a section begins with.
  [[gnu::always_inline]] static void fetch_first(void const* p) noexcept {
    prefetch(static_cast<std::byte const*>(p), 8 * line);
  }
  /// The stream, as much as `Count` relocations take.
  template <std::size_t Count>
  [[gnu::always_inline]] static void fetch_stream(relocation const* r) noexcept {
    for (std::size_t i = 0; i < Count * sizeof *r; i += line)
      prefetch_line(r, ahead + i);
  }
#if defined(__OPTIMIZE_SIZE__)
  static constexpr bool for_size = true; // no blocks, no turns, nothing fetched
#else
  static constexpr bool for_size = false;
#endif

  /// Applies relocations of class K, one at a time; what they gather is asked for at the end.
  template <u32 K>
  struct one {
    static constexpr rule_class c = table::get(K);
    static constexpr unsigned width = c.field.width();
    // One addition a value, one test a run: what fits leaves the bits above `width` clear.
    static constexpr bool gathered =
        (c.check == check::sign || c.check == check::zero) && width < 64;
    using of_class = membership<Arch, K>;
    using place_type = place_access<format, c.field.bytes, c.field.halves>;

    std::byte* bytes;
    u64 last, target;
    u64 const* values;
    u8 const* attributes;
    u64 bias = gathered && c.check == check::sign ? u64{1} << ((width - 1) & 63) : 0;
    uint_of<c.field.bytes == 0 ? 1 : c.field.bytes> places = 0;
    u64 sums = 0, low_bits = 0, misfits = 0;

    [[gnu::always_inline]] explicit one(frame const& f) noexcept
        : bytes{f.bytes}, last{f.size - c.field.bytes}, target{f.target}, values{f.values},
          attributes{f.attributes} {
      if constexpr (gathered && width >= 32)
        asm("" : "+r"(bias)); // too large for an instruction: kept in a register
    }

    [[gnu::always_inline]] static u64 addend(relocation const& r, std::byte const* place) noexcept {
      if constexpr (!addend_in_place<relocation>)
        return Arch::addend_of(r);
      else if constexpr (c.field.bytes == 0)
        return 0;
      else
        return c.field.decode(place_type::load(place));
    }

    /// False if it lies out of bounds, or its handler refuses it. `Fetch`: also fetches what lies
    /// ahead of the place.
    template <bool Fetch = false>
    [[gnu::always_inline]] bool apply(fast_loop& loop, relocation const& x, u64 symbol) noexcept {
      u64 const offset = x.r_offset;
      if (offset > last) [[unlikely]]
        return false;
      std::byte* const place = bytes + offset;
      if constexpr (Fetch)
        prefetch_line(bytes, static_cast<std::size_t>(offset) + ahead);
      u64 const a = addend(x, place);
      if constexpr (c.formula == formula::special) {
        operands const o{values[symbol], a, target + offset, static_cast<u32>(symbol),
                         attributes == nullptr ? u8{0} : attributes[symbol]};
        u64 shown = 0;
        return Arch::special(c.special_type, o, loop.in_.bytes, offset, loop.state_, shown) ==
               errc::ok;
      } else {
        u64 v = 0;
        if constexpr (c.formulas)
          v = of_class::value(x, values[symbol], a, target + offset);
        else if constexpr (is_plain(c.formula))
          v = plain_value(c.formula, values[symbol], a, target + offset);
        else if (u32 const n = static_cast<u32>(symbol); loop.state_.has(c.formula, n)) [[likely]]
          v = loop.state_.compute(c.formula, {values[symbol], a, target + offset, n, 0});
        else
          return false;
        v = address_wrapped<format>(v);
        constexpr bool load = c.zero || c.field.count != 0;
        u64 const old = load ? place_type::load(place) : 0;
        if constexpr (c.zero)
          places = static_cast<decltype(places)>(places | old);
        if constexpr (gathered)
          sums |= v + bias;
        else if constexpr (c.check != check::none)
          misfits |= static_cast<u64>(!fits(v, c.check, width));
        if constexpr (c.align != 0)
          low_bits |= v;
        u64 at = offset;
        asm("" : "+r"(at)); // else `place` is kept for both uses, in one register too many
        if constexpr (c.slices)
          place_type::store(bytes + at, of_class::encode(x, old, v));
        else
          place_type::store(bytes + at, reloc::encode<c.field>(old, v));
        return true;
      }
    }

    /// Not 0 if one of them did not fit, was not aligned, or its place was not zero.
    [[gnu::always_inline]] u64 faults() const noexcept {
      u64 const beyond = gathered ? sums >> (width & 63) : 0;
      return misfits | beyond | places | (low_bits & ((u64{1} << c.align) - 1));
    }
  };

  /// Classes that take turns in code: one of the first, one of the second, any number of the third,
  /// as AArch64's ADRP, ADD and BL. One loop for them saves the processor most of its guesses.
  static constexpr u32 none = ~u32{0};
  struct turn {
    u32 second = none, third = none;
  };
  /// Of the turn that class K begins.
  template <u32 K>
  static constexpr turn turn_of = [] {
    if constexpr (!for_size && requires { Arch::turns; })
      for (auto const& types : Arch::turns)
        if (table::of_type(types[0]) == K)
          return turn{table::of_type(types[1]), types[2] == 0 ? none : table::of_type(types[2])};
    return turn{};
  }();

  /// The run of class K that starts at f.at; false if a relocation lies out of bounds.
  template <u32 K>
  [[gnu::always_inline]] bool run(frame& f) noexcept {
    constexpr rule_class c = table::get(K);
    using of_class = membership<Arch, K>;
    relocation const* r = f.at;
    relocation const* const end = f.end;
    if constexpr (c.formula == formula::none) {
      do
        ++r;
      while (r != end && table::of_type(Arch::type_of(*r)) == K);
      f.at = r;
      return true;
    } else {
      u64 const count = f.count;
      u64 symbol = Arch::symbol_of(*r);
      if (symbol >= count) [[unlikely]]
        return false;
      one<K> first{f};
      if constexpr (constexpr turn t = turn_of<K>; t.second != none) {
        constexpr bool three = t.third != none;
        constexpr u32 last = three ? t.third : t.second;
        one<t.second> second{f};
        one<last> third{f};
        do {
          fetch_stream<3>(r);
          if (!first.apply(*this, *r, symbol)) [[unlikely]]
            return false;
          if (++r == end)
            break;
          symbol = membership<Arch, t.second>::symbol(*r);
          if (symbol < count) [[likely]] {
            if (!second.apply(*this, *r, symbol)) [[unlikely]]
              return false;
            if (++r == end)
              break;
          }
          if constexpr (three) {
            while ((symbol = membership<Arch, last>::symbol(*r)) < count) {
              if (!third.apply(*this, *r, symbol)) [[unlikely]]
                return false;
              if (++r == end)
                break;
            }
            if (r == end)
              break;
          }
          symbol = of_class::symbol(*r);
        } while (symbol < count);
        f.faults |= second.faults() | (three ? third.faults() : 0);
      } else {
        if constexpr (!for_size && is_plain(c.formula) && c.field.bytes >= 4 &&
                      c.field.count == 0) {
          bool good = true;
          // Relocation k of the block, and which symbol the one behind it has; false ends the run.
          auto const step = [&]<std::size_t k>() __attribute__((always_inline)) {
            // Of every second one: code has a place in 26 bytes.
            good = first.template apply<(k % 2 == 0)>(*this, r[k], symbol);
            if (!good) [[unlikely]]
              return false;
            symbol = of_class::symbol(r[k + 1]);
            if (symbol < count) [[likely]]
              return true;
            r += k + 1;
            return false;
          };
          auto const whole_block =
              [&]<std::size_t... N>(std::index_sequence<N...>)
                  __attribute__((always_inline)) { return (step.template operator()<N>() && ...); };
          while (r < f.blocks_end) {
            fetch_stream<block>(r);
            if (!whole_block(std::make_index_sequence<block>{})) {
              if (good)
                goto done;
              return false;
            }
            r += block;
          }
        }
        do {
          if (!first.apply(*this, *r, symbol)) [[unlikely]]
            return false;
          if (++r == end)
            break;
          symbol = of_class::symbol(*r);
        } while (symbol < count);
      }
    done:
      __attribute__((unused));
      f.at = r;
      f.faults |= first.faults();
      return true;
    }
  }

  /// The same as a call: all registers are the run's own.
  template <u32 K>
  [[gnu::noinline]] bool long_run(frame& f) noexcept {
    return run<K>(f);
  }
  template <u32 K>
  [[gnu::always_inline]] bool run_of(frame& f) noexcept {
    if constexpr (short_runs || table::get(K).formula == formula::none)
      return run<K>(f);
    else
      return long_run<K>(f);
  }

  template <std::size_t... K>
  [[gnu::always_inline]] bool all(frame& f, std::index_sequence<K...>) noexcept {
    while (f.at != f.end) {
      u8 const k = table::of_type(Arch::type_of(*f.at));
      if (k == table::no_class)
        return false;
      bool good = false;
      static_cast<void>(((k == K && (good = run_of<static_cast<u32>(K)>(f), true)) || ...));
      if (!good)
        return false;
    }
    return f.faults == 0;
  }

public:
  fast_loop(section_relocations<relocation> const& in, symbol_values const& symbols,
            typename Arch::state& state) noexcept
      : in_{in}, symbols_{symbols}, state_{state} {}

  /// True if everything was applied. Else the section is spoilt and the exact loop tells why.
  bool operator()() noexcept {
    auto const all_of = in_.relocations;
    if (all_of.empty())
      return true;
    if (in_.bytes.size() < 8) // smaller than a place may be
      return false;
    // membership::symbol() tells another type by a bit above the number of any symbol.
    if constexpr (format::bits == 32)
      if (symbols_.values.size() > u64{1} << 24)
        return false;
    frame f{all_of.data(),
            all_of.data() + all_of.size(),
            all_of.data() + (all_of.size() < block ? 0 : all_of.size() - block),
            in_.bytes.data(),
            in_.bytes.size(),
            in_.place.value,
            symbols_.values.data(),
            symbols_.values.size(),
            symbols_.attributes.empty() ? nullptr : symbols_.attributes.data()};
    if (!for_size && all_of.size() > block) { // else there is no time to
      fetch_first(f.at);
      fetch_first(f.bytes);
    }
    return all(f, std::make_index_sequence<table::count>{});
  }
};

} // namespace kmodld::reloc
