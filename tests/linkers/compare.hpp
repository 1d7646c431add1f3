// SPDX-License-Identifier: MIT
// The relocation core on what a linker was given: cell by cell by both loops, then everything at
// once. Where a kernel's rules are not a linker's, an exception says which values and why; one that
// is never met is a failure, too.
#pragma once

#include "linkers/link.hpp"
#include "linkers/values.hpp"

#include <iostream>

namespace kmodld::test::linkers {

enum class differs : u8 {
  unknown_there, ///< the linker does not know the type: no case is made
  stricter_here, ///< we refuse (or the kernel does) what the linker takes
  stricter_there,
  other_bytes,
};

struct exception {
  u32 first, last; ///< types
  differs how;
  std::set<lies> where;
  char const* reason;
  bool gnu = true, lld = true; ///< of which linkers
};

/// What comparing needs to know of an architecture: specialised in its file.
///   base, flags: address of .text; e_flags
///   insn(type, random): the other bits of the place
///   slot_addend(type): addend of GOT forms
///   exceptions(): where rules differ
///   more(suite, lld): cases of types that the table alone does not describe
///   prepare(state, suite, image, got): GOT, TOC and whatever else the linker decided
template <class Arch>
struct target;

/// The GOT that the linker made, for states that keep a slot a symbol.
template <class Arch>
struct linkers_got {
  using format = typename Arch::format;
  u64 base = 0, toc = 0, gp = 0;
  std::vector<u32> got_slot, plt_slot;
  std::vector<typename format::sym> symbols;

  linkers_got(suite<Arch> const& s, elf_file<format> image)
      : got_slot(s.symbols.size()), plt_slot(s.symbols.size()), symbols(s.symbols.size()) {
    for (std::size_t i = 0; i < symbols.size(); ++i)
      symbols[i].st_size = static_cast<typename format::word_type>(s.symbols[i].size);
    auto const names = byte_view{image.data(".strtab")};
    for (auto const& x : image.template entries<typename format::sym>(".symtab")) {
      if (equal(string_at(names, x.st_name), "_GLOBAL_OFFSET_TABLE_"))
        base = x.st_value;
      if (equal(string_at(names, x.st_name), ".TOC."))
        toc = x.st_value;
      if (equal(string_at(names, x.st_name), "_gp"))
        gp = x.st_value;
    }
    if (!image.has(".got"))
      return;
    auto const section = image.section(".got");
    if (base == 0)
      base = section.sh_addr;
    std::map<u64, u32> slot_of;
    auto const slots = image.data(".got");
    constexpr u64 size = format::bits / 8;
    for (u64 at = base - section.sh_addr; at + size <= slots.size(); at += size)
      slot_of.insert_or_assign(format::word::load(slots.data() + at),
                               static_cast<u32>((at + section.sh_addr - base) / size + 1));
    for (std::size_t i = 1; i < s.symbols.size(); ++i)
      if (auto found = slot_of.find(s.symbols[i].value); found != slot_of.end())
        got_slot[i] = found->second;
  }

  template <class State>
  void lend(State& state) const {
    state.got = {base};
    state.got_slot = {const_cast<u32*>(got_slot.data()), got_slot.size()};
    state.plt_slot = {const_cast<u32*>(plt_slot.data()), plt_slot.size()};
    state.symbols = symbols;
  }
};

template <class Arch>
class comparison {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  using about = target<Arch>;

  suite<Arch> s_{about::base};
  linker const& by_;
  std::vector<exception> exceptions_;
  std::vector<bool> met_;
  std::vector<u64> values_;
  std::vector<u8> attributes_;
  int failures_ = 0, compared_ = 0, refused_ = 0, differing_ = 0;
  std::set<u32> types_;

public:
  explicit comparison(linker const& by) : by_{by} {
    for (exception const& x : about::exceptions())
      if (by.lld ? x.lld : x.gnu)
        exceptions_.push_back(x);
    met_.resize(exceptions_.size());
  }

  bool operator()() {
    bool got = false;
    for (rule const& r : Arch::rules) {
      if (r.formula == reloc::formula::none || r.formula == reloc::formula::tls ||
          r.formula == reloc::formula::refused || r.formula == reloc::formula::special ||
          about::by_hand(r.type) || skipped(r.type))
        continue;
      if (by_symbol(r.formula)) {
        add_cases(s_, r, about::insn, about::within(r));
      } else {
        add_slot_cases(s_, r, about::insn, about::slot_addend(r.type));
        got = true;
      }
    }
    about::more(s_, by_.lld, [this](u32 type) { return skipped(type); });
    auto const object = about::object(got);
    auto const made = link(s_, by_, object);
    if (!made.failure.empty()) {
      std::cout << by_.command << " failed:\n" << made.failure << "\n";
      return false;
    }
    for (auto const& x : s_.symbols) {
      values_.push_back(x.value);
      attributes_.push_back(
          static_cast<u8>((x.other & 0xe0) | (x.type == elf::stt_func ? symbol_function : 0)));
    }
    auto image = made.image;
    linkers_got<Arch> const slots{s_, image};
    for (std::string_view name : object.asked) {
      values_.push_back(name == "_GLOBAL_OFFSET_TABLE_" ? slots.base : 0);
      attributes_.push_back(0);
    }
    std::vector<std::byte> const text{image.data(".text").begin(), image.data(".text").end()};
    std::vector<bool> both(s_.cells.size());
    for (std::size_t c = 0; c < s_.cells.size(); ++c)
      both[c] = one(c, made, text, slots);
    together(both, text, slots);
    for (std::size_t i = 0; i < exceptions_.size(); ++i)
      if (!met_[i])
        fail("an exception that is not needed: types " + std::to_string(exceptions_[i].first) +
             " to " + std::to_string(exceptions_[i].last) + ": " + exceptions_[i].reason);
    std::cout << Arch::name << ", " << by_.command << ": " << types_.size() << " types, "
              << compared_ << " places equal, " << refused_ << " refused by both, " << differing_
              << " otherwise by " << exceptions_.size() << " exceptions, " << failures_
              << " failures\n";
    return failures_ == 0;
  }

private:
  bool skipped(u32 type) {
    for (std::size_t i = 0; i < exceptions_.size(); ++i)
      if (exceptions_[i].how == differs::unknown_there && type >= exceptions_[i].first &&
          type <= exceptions_[i].last)
        return met_[i] = true;
    return false;
  }
  bool excepted(cell const& c, differs how) {
    bool found = false;
    for (std::size_t i = 0; i < exceptions_.size(); ++i) {
      exception const& x = exceptions_[i];
      if (x.how == how && c.type >= x.first && c.type <= x.last && x.where.contains(c.where))
        met_[i] = found = true;
    }
    return found;
  }
  void fail(std::string const& what) {
    if (++failures_ <= 400)
      std::cout << "FAILED: " << what << "\n";
  }

  typename Arch::state state_for(linkers_got<Arch> const& slots, u32 type) {
    typename Arch::state state{};
    about::prepare(state, slots, type);
    return state;
  }

  /// One cell by itself; true if both sides take it.
  bool one(std::size_t n, linked<Arch> const& made, std::vector<std::byte> const& text,
           linkers_got<Arch> const& slots) {
    cell const& c = s_.cells[n];
    types_.insert(c.type);
    std::span<std::byte const> const from{s_.bytes.data() + c.offset,
                                          static_cast<std::size_t>(c.size)};
    std::vector<relocation> relocations(
        s_.relocations.begin() + static_cast<std::ptrdiff_t>(c.first),
        s_.relocations.begin() + static_cast<std::ptrdiff_t>(c.first + c.count));
    for (relocation& r : relocations)
      r.r_offset = static_cast<typename format::word_type>(r.r_offset - c.offset);
    std::vector<std::byte> bytes{from.begin(), from.end()}, exact = bytes;
    symbol_values const symbols{values_, attributes_, false};
    auto state = state_for(slots, c.type);
    error e;
    errc const code =
        relocate<Arch>({bytes, {s_.base + c.offset}, from, relocations}, symbols, state, e);
    auto again = state_for(slots, c.type);
    error f;
    section_relocations<relocation> const in{exact, {s_.base + c.offset}, from, relocations};
    errc code_again = kmodld::detail::begin_section(in, symbols, again, f);
    code_again = reloc::exact_loop<Arch, true>{in, symbols, again, f}();
    if (code_again == errc::ok)
      code_again = kmodld::detail::end_section(again, f);
    if (code != code_again || (code == errc::ok && bytes != exact))
      fail("the two loops differ: " + c.what);

    auto const refusal = made.refused.find(n);
    bool const theirs = refusal == made.refused.end();
    bool const ours = code == errc::ok;
    if (!theirs && !ours) {
      ++refused_;
      return false;
    }
    if (ours != theirs) {
      if (excepted(c, ours ? differs::stricter_there : differs::stricter_here))
        ++differing_;
      else
        fail((ours ? "only the linker refuses: " : "only we refuse: ") + c.what +
             (ours ? ": " + refusal->second
                   : ", error " + std::to_string(static_cast<int>(code)) + ", linker " +
                         dump(text.data() + c.offset, c.size)));
      return false;
    }
    if (!std::equal(bytes.begin(), bytes.end(),
                    text.begin() + static_cast<std::ptrdiff_t>(c.offset))) {
      if (excepted(c, differs::other_bytes)) {
        ++differing_;
        return false;
      }
      fail("other bytes: " + c.what + "\n    linker " + dump(text.data() + c.offset, c.size) +
           "\n    here   " + dump(bytes.data(), c.size));
      return false;
    }
    ++compared_;
    return true;
  }

  /// All that both sides take, as one section: runs and classes of the hot loop.
  void together(std::vector<bool> const& both, std::vector<std::byte> const& text,
                linkers_got<Arch> const& slots) {
    for (bool with_got : {false, true}) {
      std::vector<relocation> relocations;
      std::vector<std::size_t> in_it;
      for (std::size_t c = 0; c < s_.cells.size(); ++c)
        if (both[c] && about::uses_got(s_.cells[c].type) == with_got) {
          in_it.push_back(c);
          for (std::size_t i = 0; i < s_.cells[c].count; ++i)
            relocations.push_back(s_.relocations[s_.cells[c].first + i]);
        }
      if (in_it.empty())
        continue;
      std::vector<std::byte> bytes = s_.bytes;
      auto state = state_for(slots, s_.cells[in_it[0]].type);
      error e;
      errc const code = relocate<Arch>({bytes, {s_.base}, s_.bytes, relocations},
                                       {values_, attributes_, false}, state, e);
      if (code != errc::ok)
        fail("all together: error " + std::to_string(static_cast<int>(code)) + " at relocation " +
             std::to_string(e.index));
      for (std::size_t c : in_it)
        if (code == errc::ok &&
            !std::equal(text.begin() + static_cast<std::ptrdiff_t>(s_.cells[c].offset),
                        text.begin() +
                            static_cast<std::ptrdiff_t>(s_.cells[c].offset + s_.cells[c].size),
                        bytes.begin() + static_cast<std::ptrdiff_t>(s_.cells[c].offset)))
          fail("all together: " + s_.cells[c].what);
    }
  }

  static std::string dump(std::byte const* p, u64 n) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string s;
    for (u64 i = 0; i < n; ++i) {
      s += digits[std::to_integer<unsigned>(p[i]) >> 4];
      s += digits[std::to_integer<unsigned>(p[i]) & 15];
      if (i % 4 == 3)
        s += ' ';
    }
    return s;
  }
};

/// What most architectures have.
template <class Arch>
struct target_base {
  static constexpr u32 flags = 0;
  static extras<Arch> object(bool got) {
    extras<Arch> x;
    x.flags = target<Arch>::flags;
    if (got)
      x.asked = {"_GLOBAL_OFFSET_TABLE_"};
    return x;
  }
  static constexpr u64 within(rule const&) { return 0; } ///< where in a word the place is
  static constexpr bool by_hand(u32) { return false; }   ///< more() has all of this type
  static u64 insn(u32, u64 random) { return random; }
  static u64 slot_addend(u32) { return 0; }
  static std::vector<exception> exceptions() { return {}; }
  template <class Skipped>
  static void more(suite<Arch>&, bool, Skipped const&) {}
  static bool uses_got(u32 type) {
    reloc::rule const* const r = reloc::find_rule<Arch>(type);
    return (Arch::needs_of(type) & (reloc::needs_got | reloc::needs_got_slot)) != 0 ||
           (r != nullptr && r->formula == reloc::formula::z_a);
  }
  template <class State>
  static void prepare(State& state, linkers_got<Arch> const& slots, u32 type) {
    if (target<Arch>::uses_got(type))
      slots.lend(state);
  }
};

template <class Arch>
bool compare(linker const& by) {
  return comparison<Arch>{by}();
}

} // namespace kmodld::test::linkers
