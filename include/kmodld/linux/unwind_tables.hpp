// SPDX-License-Identifier: MIT
// Tables by which a kernel walks a module's stack frames: ORC (x86, loongarch64) and the exception
// index of the Arm EHABI (.ARM.exidx).
#pragma once

#include <kmodld/linux/table_view.hpp>

namespace kmodld {

/// How the frame of the code from some address on is left.
struct orc_frame {
  i16 sp_offset = 0;
  i16 bp_offset = 0; ///< loongarch64: of fp
  i16 ra_offset = 0; ///< loongarch64
  u8 sp_reg = 0;
  u8 bp_reg = 0;
  u8 ra_reg = 0;
  u8 type = 0;
  bool signal = false;
  bool end = false;
  /// Nothing is known here: it stands behind the last instruction of a section. Of two entries for
  /// one address it is the weaker and stands first.
  bool undefined = false;
};

/// x86 to 6.3.
struct orc_entry_6_1 {
  template <class Fields>
  static constexpr orc_frame read(Fields& f) noexcept {
    orc_frame o{.sp_offset = f.template number<i16>(), .bp_offset = f.template number<i16>()};
    u32 const bits = f.template number<u16>();
    o.sp_reg = bits & 15;
    o.bp_reg = bits >> 4 & 15;
    o.type = bits >> 8 & 3;
    o.end = (bits >> 10 & 1) != 0;
    o.undefined = o.sp_reg == 0 && !o.end;
    return o;
  }
};

/// x86 since 6.4, whose modules have an .orc_header, too.
struct orc_entry {
  template <class Fields>
  static constexpr orc_frame read(Fields& f) noexcept {
    orc_frame o{.sp_offset = f.template number<i16>(), .bp_offset = f.template number<i16>()};
    u32 const bits = f.template number<u16>();
    o.sp_reg = bits & 15;
    o.bp_reg = bits >> 4 & 15;
    o.type = bits >> 8 & 7;
    o.signal = (bits >> 11 & 1) != 0;
    o.undefined = o.type == 0;
    o.end = o.type == 1;
    return o;
  }
};

/// loongarch64.
struct orc_entry_loongarch {
  template <class Fields>
  static constexpr orc_frame read(Fields& f) noexcept {
    orc_frame o{.sp_offset = f.template number<i16>(),
                .bp_offset = f.template number<i16>(),
                .ra_offset = f.template number<i16>()};
    u32 const bits = f.template number<u16>();
    o.sp_reg = bits & 15;
    o.bp_reg = bits >> 4 & 15;
    o.ra_reg = bits >> 8 & 15;
    o.type = bits >> 12 & 7;
    o.signal = (bits >> 15 & 1) != 0;
    o.undefined = o.type == 0;
    o.end = o.type == 1;
    return o;
  }
};

/// .orc_unwind_ip and .orc_unwind: two tables of one order. As in the kernel (unwind_module_init)
/// there are no entries if a size is no multiple of its entry's or the numbers differ.
template <class Format, class Entry>
class orc_table {
  struct ip_entry {
    template <class Fields>
    static constexpr address read(Fields& f) noexcept {
      return f.prel32();
    }
  };
  table_view<Format, ip_entry> ips_;
  table_view<Format, Entry> frames_;

public:
  orc_table(region const& orc_unwind_ip, region const& orc_unwind) noexcept
      : ips_{orc_unwind_ip}, frames_{orc_unwind} {
    if (ips_.size() != frames_.size() || orc_unwind_ip.size != u64{ips_.size()} * 4 ||
        orc_unwind.size != u64{frames_.size()} * frames_.entry_size)
      ips_ = {}, frames_ = {};
  }

  u32 size() const noexcept { return ips_.size(); }
  /// The first address that the i-th entry is for.
  address ip(u32 i) const noexcept { return ips_[i]; }
  orc_frame operator[](u32 i) const noexcept { return frames_[i]; }

  /// By address; the kernel does so in module_finalize.
  void sort() noexcept { heap_sort(*this, size()); }
  bool less(u32 a, u32 b) const noexcept {
    address const first = ip(a), second = ip(b);
    return first != second ? first < second : frames_[a].undefined && !frames_[b].undefined;
  }
  /// Swaps two entries, a before b.
  void exchange(u32 a, u32 b) noexcept {
    ips_.exchange(a, b);
    frames_.exchange(a, b);
  }

  /// The entry of a sorted table for the instruction at `a`: the last that begins at or before it.
  /// False if the table begins later.
  bool find(address a, orc_frame& out) const noexcept {
    u32 low = 0;
    u32 high = size();
    while (low < high) {
      u32 const middle = low + ((high - low) >> 1);
      if (ip(middle) <= a)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == 0)
      return false;
    out = frames_[low - 1];
    return true;
  }
};

/// An entry of .ARM.exidx: how the frame of the function at `function` is left (EHABI 32, "Index
/// table entries"). The linker has sorted each table; a module has one for every text section
/// (.ARM.exidx.init.text is that of .init.text), and module_finalize pairs them by name.
struct exidx_entry {
  enum class form : u8 {
    cantunwind, ///< the walk ends here
    inlined,    ///< `bytes` is the compact form itself
    table,      ///< it stands at `table`, in .ARM.extab
  };
  address function;
  form kind = form::cantunwind;
  u32 bytes = 0;
  address table;

  template <class Fields>
  static constexpr exidx_entry read(Fields& f) noexcept {
    exidx_entry e;
    address const first = f.here();
    e.function = prel31(first, f.template number<u32>());
    address const second = f.here();
    u32 const content = f.template number<u32>();
    if (content == 1)
      return e;
    e.kind = (content >> 31) != 0 ? form::inlined : form::table;
    if (e.kind == form::inlined)
      e.bytes = content;
    else
      e.table = prel31(second, content);
    return e;
  }

private:
  /// Bits 0 to 30 are a signed distance from the field.
  static constexpr address prel31(address from, u32 stored) noexcept {
    u32 const distance = (stored & 0x7fffffff) | (stored << 1 & 0x80000000);
    return {static_cast<u32>(from.value) + distance};
  }
};

inline constexpr u32 sht_arm_exidx = 0x70000001;

/// The text section that an .ARM.exidx section is for, by name, as the kernel pairs them.
constexpr std::string_view exidx_text(std::string_view exidx) noexcept {
  std::string_view const rest = tail(exidx, ".ARM.exidx"sv.size());
  return rest.empty() ? ".text"sv : rest;
}

} // namespace kmodld
