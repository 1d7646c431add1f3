// SPDX-License-Identifier: MIT
#include "patch_tables/inspector.hpp"

#include <kmodld/arch/arm.hpp>

#include <tuple>

namespace kmodld::patch_tables {

template <>
void inspector<arch::arm>::inspect(finalize_context<arch::arm> const& c,
                                   reading<arch::arm> const& r) {
  inspection<arch::arm> i{c, r};
  i.table<jump_entry_absolute>("__jump_table", 12, jump_code,
                               jump_field{4, jump_target, jump_field::own},
                               jump_field{8, jump_key, jump_field::any});
  i.sorted<jump_entry_absolute>("__jump_table", jump_text);
  i.found<jump_entry_absolute>("__jump_table", c.record.sections.jump_entries);
  i.table<address_entry>("__mcount_loc", 4, site);
  i.table<bug_entry_absolute>("__bug_table", 12, bug_where, bug_file);
  i.table<relative_site>(".pv_table", 4, site);
  using smp = address_field<smp_alternative>;
  i.table<smp_alternative>(".alt.smp.init", 8,
                           smp{0, [](auto const& s) { return s.site.value; }, smp::own});
  // One index for each text section; the linker has sorted it.
  using exidx = address_field<exidx_entry>;
  for (u32 k = 1; k < c.sections.file_count; ++k) {
    section_entry const& s = c.sections[k];
    if (s.type != sht_arm_exidx || s.host == nullptr)
      continue;
    i.one<exidx_entry>(k, 8, exidx{0, [](auto const& e) { return e.function.value; }, exidx::own},
                       exidx{4, [](auto const& e) { return e.table.value; }, exidx::own});
    region const text = c.section(exidx_text(s.name));
    table_view<arch::arm::format, exidx_entry> const view{region{s.target, s.host, s.size}};
    for (u32 n = 0; n < view.size(); ++n) {
      if (!text.contains(view[n].function))
        complain(s.name, n * 8, "is for another section than " + std::string{exidx_text(s.name)});
      if (n != 0 && view[n].function < view[n - 1].function)
        complain(s.name, n * 8, "is not sorted");
    }
  }
}

bool load_arm(byte_view file) { return load<arch::arm>(file); }

} // namespace kmodld::patch_tables
