// SPDX-License-Identifier: MIT
// Properties of every rule of every architecture, from its table: values at, inside and one past
// each limit, every kind of addend, places with other bits set. What must come out is computed in
// 128 bits and bit by bit, by nothing of kmodld's. What the tables call special has tests of its
// own; tests/linkers compares all of it with real linkers.
#include "linkers/values.hpp"
#include "reloc/bench.hpp"

#include <kmodld/arch/all.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

using namespace kmodld;
using namespace kmodld::test;
using linkers::lies;
using linkers::lowest_bit;
using linkers::numbers;
using linkers::wide_int;
using linkers::with_value;
using reloc::formula;

namespace {

/// A number in the target's order, with the halves of Thumb-2 in theirs.
template <class Arch>
void put(std::vector<std::byte>& to, u64 at, reloc::field const& f, u64 v) {
  bool const little = Arch::format::order == elf::byte_order::little;
  for (unsigned i = 0; i < f.bytes; ++i) {
    unsigned byte = little ? i : f.bytes - 1 - i;
    if (f.halves && little)
      byte ^= 2;
    to.at(at + i) = static_cast<std::byte>(v >> 8 * byte);
  }
}

template <class Arch>
struct properties {
  static constexpr unsigned word = Arch::format::bits;
  static constexpr bool rela = !reloc::addend_in_place<typename Arch::relocation>;
  static constexpr u64 mask = word == 64 ? ~u64{0} : 0xffffffff;
  static constexpr u64 at = 16; ///< of the place
  static constexpr u64 slot = 3 * (word / 8);

  numbers random;

  /// One relocation whose value must be `v`. S, A and the GOT are chosen for it.
  void one(reloc::rule const& r, wide_int value, lies where, u64 a, u64 old) {
    reloc_bench<Arch> b;
    u64 const v = static_cast<u64>(value);
    b.place = {(word == 64 ? 0x7000000000 : 0x70000000) + 16 * (random() & 0xffff)};
    u64 const p = b.place.value + at;
    u64 s = random() & mask, got = 0x61000, size = 0x40;
    bool const page = r.formula == formula::page_p || r.formula == formula::page_g_p;
    u64 const in_page = page ? random() & 0xfff : 0;
    if constexpr (!rela)
      old = with_value(r.field, old, a);
    switch (r.formula) {
    case formula::s_a: s = v - a; break;
    case formula::s_a_p:
    case formula::l_a_p: s = v - a + p; break;
    case formula::page_p: s = (p & ~u64{0xfff}) + v + in_page - a; break;
    case formula::g_a:
      a = v - slot;
      if constexpr (!rela)
        old = with_value(r.field, old, a);
      break;
    case formula::g_got_a: got = v - a - slot; break;
    case formula::g_got_a_p: got = v - a - slot + p; break;
    case formula::page_g_p: got = (p & ~u64{0xfff}) + v + in_page - a - slot; break;
    case formula::got_a_p: got = v - a + p; break;
    case formula::s_a_got:
    case formula::l_a_got: got = s + a - v; break;
    case formula::z_a: size = v - a; break;
    default: FAIL("a formula without a test");
    }
    s &= mask;
    got &= mask;
    if (got == 0)
      return; // it would mean that there is none
    std::vector<u32> got_slot = {0, 4}, plt_slot = {0, 0};
    std::vector<typename Arch::format::sym> symbols(2);
    symbols[1].st_size = static_cast<typename Arch::format::word_type>(size);
    if (!reloc::is_plain(r.formula)) {
      if constexpr (requires { b.state.got_slot; }) {
        b.state.got = {got};
        b.state.got_slot = got_slot;
        b.state.plt_slot = plt_slot;
        b.state.symbols = symbols;
      }
    }
    for (std::byte& x : b.original)
      x = static_cast<std::byte>(random());
    put<Arch>(b.original, at, r.field, old);
    auto expected = b.original;
    put<Arch>(expected, at, r.field, cleared(r.field, with_value(r.field, old, v)));
    b.values.push_back(s);
    b.add(at, r.type, 1, static_cast<i64>(a));
    errc const code = b.run();
    std::string const name{r.name};
    CAPTURE(name);
    CAPTURE(v);
    CAPTURE(a);
    CAPTURE(s);
    CAPTURE(p);
    // The hot and the exact loop must have said the same.
    REQUIRE(code != errc::count_);
    bool const misaligned = (v & ((u64{1} << r.align) - 1)) != 0;
    bool const nonzero = (r.flags & reloc::zero_place) != 0 && old != 0;
    if (where == lies::past || misaligned || nonzero) {
      REQUIRE(code != errc::ok);
      if (nonzero)
        REQUIRE(code == errc::reloc_nonzero);
      return;
    }
    REQUIRE(code == errc::ok);
    REQUIRE(b.bytes == expected);
    // What stands there now is read back as the addend of the next.
    if (value_fits(r.field, value))
      REQUIRE(r.field.decode(with_value(r.field, old, v)) ==
              (v & ~((u64{1} << lowest_bit(r.field)) - 1)));
  }

  static u64 cleared(reloc::field const& f, u64 v) {
    for (unsigned k = f.count; k < f.count + f.clears; ++k)
      for (unsigned i = 0; i < f.slices[k].bits; ++i)
        v &= ~(u64{1} << (f.slices[k].to + i));
    return v;
  }
  static bool value_fits(reloc::field const& f, wide_int v) {
    unsigned const n = f.width();
    return lowest_bit(f) < n && v >= -linkers::power_of_two(n - 1) &&
           v < linkers::power_of_two(n - 1) && contiguous(f);
  }
  /// Whether the field has all bits between its lowest and highest.
  static bool contiguous(reloc::field const& f) {
    unsigned bits = f.count == 0 ? 8u * f.bytes : 0;
    for (unsigned i = 0; i < f.count; ++i)
      bits += f.slices[i].bits;
    return bits == f.width() - lowest_bit(f);
  }

  void rule(reloc::rule const& r) {
    u64 const low = u64{1} << lowest_bit(r.field);
    unsigned const w = r.field.width() < word ? r.field.width() : word;
    for (auto const& t : linkers::values_for(r, word, random)) {
      wide_int const v = t.value;
      // With REL: nothing, the least step, and both ends of what the place holds.
      std::vector<u64> addends = {0, low, ~u64{0} << lowest_bit(r.field), ~u64{0} << (w - 1),
                                  (u64{1} << (w - 1)) - low};
      if (rela)
        addends = {0, 4, ~u64{3}, 0x7fffffff, word == 64 ? ~u64{0} << 40 : 0x80000000};
      for (u64 a : addends) {
        bool const zero = (r.flags & reloc::zero_place) != 0;
        one(r, v, t.where, a, zero ? 0 : random());
        if (zero)
          one(r, v, t.where, a, 0x80);
      }
    }
  }

  void all() {
    numbers state = random;
    for (reloc::rule const& r : Arch::rules) {
      random = state;
      std::string const name{r.name};
      CAPTURE(name);
      switch (r.formula) {
      case formula::special: break;
      case formula::none: untouched(r.type, errc::ok); break;
      case formula::tls: untouched(r.type, errc::reloc_tls); break;
      case formula::refused:
        if constexpr (requires { Arch::refusal(r.type); })
          untouched(r.type, Arch::refusal(r.type));
        break;
      default: rule(r);
      }
    }
    // What the table does not have.
    constexpr std::size_t count = sizeof Arch::rules / sizeof Arch::rules[0];
    u32 next = 0;
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE((i == 0 || Arch::rules[i].type > Arch::rules[i - 1].type));
      for (; next < Arch::rules[i].type && next < 256; ++next)
        unknown(next);
      next = Arch::rules[i].type + 1;
    }
    if (next < 256)
      unknown(next);
  }
  void unknown(u32 type) {
    CAPTURE(type);
    errc code = errc::reloc_unknown;
    if constexpr (requires { Arch::unknown_type; })
      code = Arch::unknown_type;
    untouched(type, code);
  }

  void untouched(u32 type, errc wanted) {
    if constexpr (requires(typename Arch::relocation r) { r.r_type2; })
      if (type > 255)
        return;
    reloc_bench<Arch> b;
    for (std::byte& x : b.original)
      x = static_cast<std::byte>(random());
    b.values.push_back(0x1234);
    b.add(at, type, 1, 4);
    REQUIRE(b.run() == wanted);
    REQUIRE(b.bytes == b.original);
  }
};

char const* name_of(formula f) {
  static constexpr char const* names[] = {"none",
                                          "S + A",
                                          "S + A - P",
                                          "page(S + A) - page(P)",
                                          "L + A - P",
                                          "L + A - GOT",
                                          "G + A",
                                          "G + GOT + A",
                                          "G + GOT + A - P",
                                          "page(G + GOT + A) - page(P)",
                                          "S + A - GOT",
                                          "GOT + A - P",
                                          "Z + A",
                                          "special",
                                          "TLS",
                                          "refused"};
  return names[static_cast<int>(f)];
}

/// "slices" of a field as the psABIs draw them.
std::string picture(reloc::field const& f) {
  std::string s = std::to_string(f.bytes) + (f.bytes == 1 ? " byte" : " bytes");
  for (unsigned i = 0; i < f.count; ++i) {
    auto const [from, bits, to] = f.slices[i];
    s += (i == 0 ? ", " : "|") + std::to_string(from + bits - 1) + ":" + std::to_string(from) +
         " at " + std::to_string(to);
  }
  return s;
}

} // namespace

TEST_CASE("rules: values at, inside and past each limit, of every architecture") {
  arch::all::for_each([]<class A>() {
    std::string const architecture{A::name};
    CAPTURE(architecture);
    properties<A>{}.all();
  });
}

TEST_CASE("rules: classes of every architecture, printed") {
  std::string text;
  arch::all::for_each([&]<class A>() {
    using classes = reloc::classes<A>;
    std::size_t served = 0;
    for (reloc::rule const& r : A::rules)
      served += classes::of_type(r.type) != classes::no_class ? 1u : 0u;
    text += std::string{A::name} + ": " + std::to_string(served) + " types in " +
            std::to_string(classes::count) + " classes\n";
    std::size_t listed = 0;
    for (u32 k = 0; k < classes::count; ++k) {
      auto const c = classes::get(k);
      static constexpr char const* checks[] = {"", ", signed", ", unsigned", ", either"};
      text += "  " + std::to_string(k) + ": " + name_of(c.formula) +
              (c.formulas ? " and others" : "") + ", " + picture(c.field) +
              (c.slices ? " and others" : "") + checks[static_cast<int>(c.check)] + ":";
      bool first = true;
      for (reloc::rule const& r : A::rules)
        if (classes::of_type(r.type) == k) {
          text += (first ? " " : ", ") + std::string{r.name};
          first = false;
          ++listed;
          // All of a class check alike, or one loop could not serve them.
          CHECK(r.check == c.check);
          CHECK(r.align == c.align);
          CHECK(r.field.bytes == c.field.bytes);
          if (!c.slices)
            CHECK(r.field == c.field);
        }
      CHECK_FALSE(first);
      text += "\n";
    }
    CHECK(listed == served);
    CHECK(classes::count <= served);
  });
  if (std::getenv("KMODLD_CLASSES") != nullptr)
    std::cout << text;
  // Two that people ask for.
  CHECK(text.find("R_X86_64_PC32, R_X86_64_PLT32") != std::string::npos);
  CHECK(text.find("R_AARCH64_JUMP26, R_AARCH64_CALL26") != std::string::npos);
}
