// SPDX-License-Identifier: MIT
// The exact loop: one relocation after the other, each check in Linux's order, the first fault
// described in full. It also serves what the hot loop leaves out: stubs for calls out of reach and
// modules with unresolved weak symbols.
#pragma once

#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/section.hpp>

namespace kmodld::reloc {

namespace detail {

template <class Format>
u64 load_place(std::byte const* p, unsigned bytes) noexcept {
  switch (bytes) {
  case 1: return elf::field<u8, Format::order>::load(p);
  case 2: return elf::field<u16, Format::order>::load(p);
  case 4: return elf::field<u32, Format::order>::load(p);
  default: return elf::field<u64, Format::order>::load(p);
  }
}

template <class Format>
void store_place(std::byte* p, unsigned bytes, u64 v) noexcept {
  switch (bytes) {
  case 1: elf::field<u8, Format::order>::store(p, static_cast<u8>(v)); break;
  case 2: elf::field<u16, Format::order>::store(p, static_cast<u16>(v)); break;
  case 4: elf::field<u32, Format::order>::store(p, static_cast<u32>(v)); break;
  default: elf::field<u64, Format::order>::store(p, v);
  }
}

inline errc fault(error& e, errc code, u32 index, u64 n0, u64 n1 = 0) noexcept {
  e.code = code;
  e.index = index;
  e.number[0] = n0;
  e.number[1] = n1;
  return code;
}

} // namespace detail

/// Applies all relocations of `in` to pristine bytes. On a fault `e` gets code, index (number of
/// the relocation) and numbers, everything before it has been applied, the rest has not.
template <class Arch, bool Wide>
[[gnu::noinline]] errc exact_loop(section_relocations<typename Arch::relocation> const& in,
                                  symbol_values const& symbols, typename Arch::state const& state,
                                  error& e) noexcept {
  using format = typename Arch::format;
  u32 index = 0;
  for (auto const& r : in.relocations) {
    u32 const type = Arch::type_of(r);
    rule const* row = find_rule<Arch>(type);
    if (row == nullptr || (!Wide && (row->flags & by_linux) == 0))
      return detail::fault(e, errc::reloc_unknown, index, type);
    if (row->formula == formula::tls)
      return detail::fault(e, errc::reloc_tls, index, type);
    if (row->formula == formula::none) {
      ++index;
      continue;
    }
    u32 const symbol = Arch::symbol_of(r);
    u64 const offset = r.r_offset;
    unsigned const bytes = row->field.bytes;
    if (symbol >= symbols.values.size())
      return detail::fault(e, errc::reloc_symbol, index, symbol);
    if (in.bytes.size() < bytes || offset > in.bytes.size() - bytes)
      return detail::fault(e, errc::reloc_offset, index, offset, in.bytes.size());
    if ((row->flags & branch) != 0 && !symbols.attributes.empty() &&
        (symbols.attributes[symbol] & symbol_unresolved) != 0)
      return detail::fault(e, errc::reloc_weak_branch, index, type);
    std::byte* const place = in.bytes.data() + offset;
    operands const o{symbols.values[symbol], Arch::addend_of(r), in.place.value + offset, symbol};
    u64 v = 0;
    switch (row->formula) {
    case formula::s_a: v = o.s + o.a; break;
    case formula::s_a_p: v = o.s + o.a - o.p; break;
    default:
      if (!state.has(row->formula, symbol))
        return detail::fault(e, errc::reloc_no_slot, index, type);
      v = state.compute(row->formula, o);
    }
    // Linux 6.1 prints S + A where a place of a PC-relative type is not zero.
    if ((row->flags & zero_place) != 0 && detail::load_place<format>(place, bytes) != 0)
      return detail::fault(e, errc::reloc_nonzero, index, type, o.s + o.a);
    detail::store_place<format>(place, bytes, v);
    if (!fits(v, row->check, bytes))
      return detail::fault(e, errc::reloc_overflow, index, type, v);
    ++index;
  }
  return errc::ok;
}

} // namespace kmodld::reloc
