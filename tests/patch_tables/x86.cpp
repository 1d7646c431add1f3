// SPDX-License-Identifier: MIT
#include "patch_tables/inspector.hpp"

#include <kmodld/arch/i386.hpp>
#include <kmodld/arch/x86_64.hpp>

#include <tuple>

namespace kmodld::patch_tables {
namespace {

/// What 64 and 32 bits share.
template <class Arch>
void inspect_x86(finalize_context<Arch> const& c, inspection<Arch>& i) {
  constexpr u32 word = Arch::format::bits / 8;
  i.template table<alt_instr>(".altinstructions", 12, alternative_site, alternative_replacement);
  i.template table<jump_entry>("__jump_table", 8 + word, jump_code,
                               jump_field{4, jump_target, jump_field::own},
                               jump_field{8, jump_key, jump_field::any});
  i.template sorted<jump_entry>("__jump_table", jump_text);
  i.template found<jump_entry>("__jump_table", c.record.sections.jump_entries);
  i.template table<relative_site>(".smp_locks", 4, site);
  i.template table<paravirt_patch_site>(
      ".parainstructions", 2 * word,
      address_field<paravirt_patch_site>{0, [](auto const& p) { return p.instr.value; },
                                         address_field<paravirt_patch_site>::own});
  i.template table<address_entry>("__mcount_loc", word, site);
  i.template sorted<address_entry>("__mcount_loc", site_value);
}

} // namespace

template <>
void inspector<arch::x86_64>::inspect(finalize_context<arch::x86_64> const& c,
                                      reading<arch::x86_64> const& r) {
  inspection<arch::x86_64> i{c, r};
  inspect_x86(c, i);
  using call = address_field<static_call_site>;
  i.table<static_call_site>(
      ".static_call_sites", 8, call{0, [](auto const& s) { return s.site.value; }, call::own},
      call{4, [](auto const& s) { return s.key.value | u64{s.tail} | u64{s.init} << 1; },
           call::any});
  i.sorted<static_call_site>(".static_call_sites", [](static_call_site const& s) {
    return std::tuple{s.key, s.site, s.tail, s.init};
  });
  i.found<static_call_site>(".static_call_sites", c.record.sections.static_call_sites);
  for (char const* name : {".retpoline_sites", ".return_sites", ".call_sites", ".ibt_endbr_seal"})
    i.table<relative_site>(name, 4, site);
  i.table<bug_entry>("__bug_table", 12, bug_where, bug_file);
  i.table<relative_site>(".orc_unwind_ip", 4, site);
  orc_table<elf::elf64_le, orc_entry_6_1> orc{c.section(".orc_unwind_ip"),
                                              c.section(".orc_unwind")};
  totals[".orc_unwind"].entries += orc.size();
  if (orc.size() * 6 != c.section(".orc_unwind").size)
    complain(".orc_unwind", 0, "is not whole");
  auto const all = [&] {
    std::vector<std::tuple<address, i16, i16, u8, u8, u8, bool>> out;
    for (u32 k = 0; k < orc.size(); ++k)
      out.emplace_back(orc.ip(k), orc[k].sp_offset, orc[k].bp_offset, orc[k].sp_reg, orc[k].bp_reg,
                       orc[k].type, orc[k].end);
    return out;
  };
  auto before = all();
  orc.sort();
  for (u32 k = 1; k < orc.size(); ++k)
    if (orc.ip(k) < orc.ip(k - 1) ||
        (orc.ip(k) == orc.ip(k - 1) && orc[k].undefined && !orc[k - 1].undefined))
      complain(".orc_unwind", k, "is not sorted");
  auto after = all();
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  if (before != after)
    complain(".orc_unwind", 0, "has other entries when it is sorted");
  // The init function has a frame that is known.
  orc_frame frame;
  if (c.record.init && (!orc.find(c.record.init, frame) || frame.undefined))
    complain(".orc_unwind", 0, "does not know the init function");
}

template <>
void inspector<arch::i386>::inspect(finalize_context<arch::i386> const& c,
                                    reading<arch::i386> const& r) {
  inspection<arch::i386> i{c, r};
  inspect_x86(c, i);
  i.table<bug_entry_absolute>("__bug_table", 12, bug_where, bug_file);
}

bool load_x86_64(byte_view file) { return load<arch::x86_64>(file); }
bool load_i386(byte_view file) { return load<arch::i386>(file); }

} // namespace kmodld::patch_tables
