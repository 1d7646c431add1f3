// SPDX-License-Identifier: MIT
// AArch64 for CPUs with Cortex-A53 erratum 843419: an ADRP in the last two words of a 4 KiB page
// may compute a wrong address, so none is left there (Linux: CONFIG_ARM64_ERRATUM_843419 on a CPU
// that has it). A Config that names this architecture in place of aarch64 switches the workaround
// on.
//
//   adrp x0, page  ->  adr x0, page              where the page lies within 1 MiB
//   adrp x0, page  ->  b   veneer                else: adrp x0, page; add x0, x0, #0; b behind it
//
// Veneers take entries of the PLT, which are counted before the addresses are known: for every ADRP
// that stands there whatever the section's alignment is. The alignment of a section is raised so
// far that the others keep out of there. What counts for a PLT entry, counts for the ADRP in it.
//
// Every relocation goes through the exact loop, which tells entries apart that the hot loop would
// have to take back.
#pragma once

#include <kmodld/arch/aarch64.hpp>

namespace kmodld::arch {

namespace detail {

constexpr bool is_adrp(u32 type) noexcept {
  return type == aarch64::adr_page || type == aarch64::adr_page_nc || type == aarch64::got_page;
}

/// The rules of aarch64, with ADRP left to a handler.
struct rules_843419 {
  static constexpr std::size_t count = sizeof aarch64::rules / sizeof aarch64::rules[0];
  reloc::rule all[count];

  consteval rules_843419() {
    for (std::size_t i = 0; i < count; ++i) {
      all[i] = aarch64::rules[i];
      if (is_adrp(all[i].type))
        all[i].formula = reloc::formula::special;
    }
  }
};
inline constexpr rules_843419 rules_with_843419{};

} // namespace detail

struct aarch64_843419 : aarch64 {
  static constexpr std::string_view name = "aarch64_843419"sv;
  static constexpr auto const& rules = detail::rules_with_843419.all;

  struct state : aarch64::state {
    /// Entries that the hot loop took could not be given back.
    bool simple() const noexcept { return false; }

    /// A PLT entry as in aarch64; one whose ADRP must not stand where it would is left out.
    errc far(u32, reloc::operands const& o, u64& v) noexcept {
      address const p{o.p};
      plt_area& area = area_of(p);
      u32 n = area.used;
      if (area.host == nullptr || n > area.count)
        return errc::reloc_no_slot;
      if (forbidden(address_of(area, n)))
        ++n;
      if (n > area.count) // Linux writes beyond the PLT
        return errc::reloc_no_slot;
      u64 const target = o.s + o.a;
      write_plt_entry(at(area, n), address_of(area, n), target);
      if (area.used != 0 && is_entry_for(area, area.used - 1, n, target)) {
        n = area.used - 1;
      } else {
        area.used = n + 1;
        if (area.used > area.count)
          return errc::reloc_no_slot;
      }
      v = address_of(area, n) - p;
      return errc::ok;
    }

    /// module_emit_veneer_for_adrp: the address of three instructions that do what the ADRP of
    /// register `rd` at `p` should, and go on behind it. False if no entry is left.
    bool veneer(address p, u64 page, u32 rd, address& out) noexcept {
      plt_area& area = area_of(p);
      if (area.host == nullptr || area.used >= area.count)
        return false;
      u32 n = area.used++;
      if (forbidden(address_of(area, n)))
        n = area.used++; // there is room for one entry more than is counted
      std::byte* const host = at(area, n);
      out = address_of(area, n);
      put(host, adrp.encode(0x90000000 | rd, page - (out.value & ~u64{0xfff}))); // adrp rd
      put(host + 4, 0x91000000 | u64{rd} << 5 | rd);                             // add rd, rd, #0
      put(host + 8, branch(out + 8, p + 4));                                     // b   p + 4
      return true;
    }

  private:
    /// Not a veneer, and for the same target as the entry n.
    static bool is_entry_for(plt_area const& area, u32 before, u32 n, u64 target) noexcept {
      return word(at(area, before) + 4) == word(at(area, n) + 4) &&
             word(at(area, before) + 8) == word(at(area, n) + 8) &&
             plt_target(at(area, before), address_of(area, before)) == target;
    }
  };

  /// As in aarch64, and ADRP.
  static errc special(u32 type, reloc::operands const& o, std::span<std::byte> section, u64 offset,
                      state& s, u64& shown) noexcept {
    if (!detail::is_adrp(type))
      return aarch64::special(type, o, section, offset, s, shown);
    u64 page = (o.s + o.a) & ~u64{0xfff};
    if (type == got_page) {
      if (!s.has(f::page_g_p, o.symbol))
        return errc::reloc_no_slot;
      page = (o.p & ~u64{0xfff}) + s.compute(f::page_g_p, o);
    }
    std::byte* const place = section.data() + offset;
    u32 const insn = word(place);
    if (!forbidden({o.p})) {
      shown = page - (o.p & ~u64{0xfff});
      put(place, adrp.encode(insn, shown));
      return type != adr_page_nc && !fits(shown, c::sign, adrp.width()) ? errc::reloc_overflow
                                                                        : errc::ok;
    }
    shown = page - o.p;
    if (fits(shown, c::sign, adr.width())) {
      put(place, adr.encode(insn & 0x7fffffff, shown)); // ADR differs in bit 31
      return errc::ok;
    }
    address to;
    if (!s.veneer({o.p}, page, insn & 31, to))
      return errc::reloc_no_slot;
    put(place, branch({o.p}, to));
    shown = page - (to.value & ~u64{0xfff});
    if (type != adr_page_nc && !fits(shown, c::sign, adrp.width()))
      return errc::reloc_overflow;
    return fits(to - address{o.p}, c::sign, 28) ? errc::ok : errc::reloc_overflow;
  }

  template <class Context>
  static errc frob(Context const& context, state& s) noexcept {
    return frob_counting(context, s, [](auto entries, section_entry& target, u32 count) {
      constexpr u32 in_page = 4096 / plt_entry_size;
      for (relocation const& r : entries)
        if (detail::is_adrp(type_of(r))) {
          // A section aligned by twice the lowest 0 bit of the offset has that bit in the address.
          int const bit = std::countr_one(u64{r.r_offset} | 7);
          if (bit >= 12)
            ++count;
          else if (target.align < u64{2} << bit)
            target.align = u64{2} << bit;
        }
      return count + (count + in_page - 1) / in_page; // entries that are left out
    });
  }

private:
  static constexpr bool forbidden(address a) noexcept { return (a.value & 0xfff) >= 0xff8; }
  static constexpr u64 branch(address from, address to) noexcept {
    return 0x14000000 | ((to - from) >> 2 & 0x3ffffff);
  }
};

} // namespace kmodld::arch
