// SPDX-License-Identifier: MIT
// The exact loop: one relocation after the other, each check in Linux's order, the first fault
// described in full. It also serves what the hot loop leaves out: GOT slots, stubs for calls out of
// reach and modules with unresolved weak symbols.
#pragma once

#include <kmodld/reloc/classes.hpp>
#include <kmodld/reloc/section.hpp>

namespace kmodld::reloc {

namespace detail {

template <class Format>
u64 load_place(std::byte const* p, field const& f) noexcept {
  switch (f.bytes) {
  case 1: return place_access<Format, 1>::load(p);
  case 2: return place_access<Format, 2>::load(p);
  case 4:
    return f.halves ? place_access<Format, 4, true>::load(p) : place_access<Format, 4>::load(p);
  case 8: return place_access<Format, 8>::load(p);
  default: return 0; // three bytes, say: the architecture's handler reads and writes them
  }
}

template <class Format>
void store_place(std::byte* p, field const& f, u64 v) noexcept {
  switch (f.bytes) {
  case 1: place_access<Format, 1>::store(p, v); break;
  case 2: place_access<Format, 2>::store(p, v); break;
  case 4:
    f.halves ? place_access<Format, 4, true>::store(p, v) : place_access<Format, 4>::store(p, v);
    break;
  case 8: place_access<Format, 8>::store(p, v); break;
  default: break;
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

/// Applies relocations to pristine bytes.
template <class Arch, bool Wide>
class exact_loop {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;

  section_relocations<relocation> const& in_;
  symbol_values const& symbols_;
  typename Arch::state& state_;
  error& error_;
  u32 index_ = 0;

public:
  exact_loop(section_relocations<relocation> const& in, symbol_values const& symbols,
             typename Arch::state& state, error& e) noexcept
      : in_{in}, symbols_{symbols}, state_{state}, error_{e} {}

  /// On a fault the error gets code, index (number of the relocation) and numbers; everything
  /// before it has been applied, the rest has not.
  errc operator()() noexcept {
    for (relocation const& r : in_.relocations) {
      if (errc code = one(r); code != errc::ok)
        return code;
      ++index_;
    }
    return errc::ok;
  }

private:
  errc fault(errc code, u64 n0, u64 n1 = 0) noexcept {
    return detail::fault(error_, code, index_, n0, n1);
  }

  static constexpr errc unknown_type() noexcept {
    if constexpr (requires { Arch::unknown_type; })
      return Arch::unknown_type;
    return errc::reloc_unknown;
  }

  static constexpr errc overflow_of(u32 type) noexcept {
    if constexpr (requires { Arch::overflow_of(type); })
      return Arch::overflow_of(type);
    return errc::reloc_overflow;
  }

  errc one(relocation const& r) noexcept {
    u32 const type = Arch::type_of(r);
    rule const* const row = find_rule<Arch>(type);
    if (row == nullptr || (!Wide && (row->flags & by_linux) == 0))
      return fault(unknown_type(), type);
    if (row->formula == formula::tls)
      return fault(errc::reloc_tls, type);
    if constexpr (requires { Arch::refusal(type); })
      if (row->formula == formula::refused)
        return fault(Arch::refusal(type), in_.place.value + r.r_offset, type);
    if (row->formula == formula::none)
      return errc::ok;
    u32 const symbol = Arch::symbol_of(r);
    u64 const offset = r.r_offset;
    unsigned const bytes = row->field.bytes;
    if (symbol >= symbols_.values.size())
      return fault(errc::reloc_symbol, symbol);
    if (in_.bytes.size() < bytes || offset > in_.bytes.size() - bytes)
      return fault(errc::reloc_offset, offset, in_.bytes.size());
    u8 const attributes = symbols_.attributes.empty() ? u8{0} : symbols_.attributes[symbol];
    // Where Linux takes the last 4095 values for error codes.
    if constexpr (requires { state_.is_error(u64{}); })
      if (state_.is_error(symbols_.values[symbol]))
        return (attributes & symbol_weak) != 0 ? errc::ok : fault(errc::reloc_error_value, type);
    if ((row->flags & branch) != 0 && symbols_.unresolved_weak &&
        (attributes & symbol_unresolved) != 0)
      return fault(errc::reloc_weak_branch, type);
    std::byte* const place = in_.bytes.data() + offset;
    u64 const old = bytes == 0 ? 0 : detail::load_place<format>(place, row->field);
    u64 addend = 0;
    if constexpr (addend_in_place<relocation>)
      addend = bytes == 0 ? 0 : row->field.decode(old);
    else
      addend = Arch::addend_of(r);
    operands const o{symbols_.values[symbol], addend, in_.place.value + offset, symbol, attributes};
    return apply(*row, o, place, old);
  }

  errc apply(rule const& row, operands const& o, std::byte* place, u64 old) noexcept {
    u64 v = 0;
    if (row.formula == formula::special) {
      if constexpr (requires { Arch::special(0u, o, in_.bytes, u64{0}, state_, v); }) {
        errc const code = Arch::special(row.type, o, in_.bytes, o.p - in_.place.value, state_, v);
        return code == errc::ok ? code
                                : fault(code, code == errc::reloc_pc_reach ? o.p : row.type, v);
      }
    } else if (is_plain(row.formula)) {
      v = address_wrapped<format>(plain_value(row.formula, o.s, o.a, o.p));
      if (row.formula == formula::l_a_p && !fits(v, row.check, row.field.width()))
        if constexpr (requires { state_.far(row.type, o, v); })
          if (errc code = state_.far(row.type, o, v); code != errc::ok)
            return fault(code, row.type, v);
    } else if (!state_.has(row.formula, o.symbol)) {
      return fault(errc::reloc_no_slot, row.type);
    } else {
      v = address_wrapped<format>(state_.compute(row.formula, o));
    }
    // Linux 6.1 prints S + A where a place of a PC-relative type is not zero.
    if ((row.flags & zero_place) != 0 && old != 0)
      return fault(errc::reloc_nonzero, row.type, o.s + o.a);
    detail::store_place<format>(place, row.field, row.field.encode(old, v));
    if (!fits(v, row.check, row.field.width()))
      return fault(overflow_of(row.type), row.type, v);
    if ((v & ((u64{1} << row.align) - 1)) != 0)
      return fault(errc::reloc_misaligned, row.type, v);
    return errc::ok;
  }
};

} // namespace kmodld::reloc
