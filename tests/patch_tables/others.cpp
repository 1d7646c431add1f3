// SPDX-License-Identifier: MIT
#include "patch_tables/inspector.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/mips.hpp>
#include <kmodld/arch/powerpc64.hpp>
#include <kmodld/arch/s390x.hpp>

#include <tuple>

namespace kmodld::patch_tables {
namespace {

template <class Arch>
void inspect_relative(finalize_context<Arch> const& c, inspection<Arch>& i,
                      std::string_view tracer) {
  i.template table<jump_entry>("__jump_table", 16, jump_code,
                               jump_field{4, jump_target, jump_field::own},
                               jump_field{8, jump_key, jump_field::any});
  i.template sorted<jump_entry>("__jump_table", jump_text);
  i.template found<jump_entry>("__jump_table", c.record.sections.jump_entries);
  i.template table<address_entry>(tracer, 8, site);
  i.template found<address_entry>(tracer, c.record.sections.ftrace_callsites);
  i.template sorted<address_entry>(tracer, site_value);
  i.template table<bug_entry>("__bug_table", 12, bug_where, bug_file);
}

} // namespace

template <>
void inspector<arch::aarch64>::inspect(finalize_context<arch::aarch64> const& c,
                                       reading<arch::aarch64> const& r) {
  inspection<arch::aarch64> i{c, r};
  inspect_relative(c, i, "__patchable_function_entries");
  i.table<alt_instr>(".altinstructions", 12, alternative_site, alternative_replacement);
}

template <>
void inspector<arch::s390x>::inspect(finalize_context<arch::s390x> const& c,
                                     reading<arch::s390x> const& r) {
  inspection<arch::s390x> i{c, r};
  inspect_relative(c, i, "__mcount_loc");
  i.table<alt_instr_s390>(".altinstructions", 11, alternative_site, alternative_replacement);
}

template <>
void inspector<arch::powerpc64le>::inspect(finalize_context<arch::powerpc64le> const& c,
                                           reading<arch::powerpc64le> const& r) {
  inspection<arch::powerpc64le> i{c, r};
  inspect_relative(c, i, "__mcount_loc");
  using fixup = address_field<feature_fixup>;
  for (char const* name : {"__ftr_fixup", "__mmu_ftr_fixup", "__fw_ftr_fixup"})
    i.table<feature_fixup>(name, 48,
                           fixup{16, [](auto const& f) { return f.start.value; }, fixup::entry},
                           fixup{24, [](auto const& f) { return f.end.value; }, fixup::entry},
                           fixup{32, [](auto const& f) { return f.alt_start.value; }, fixup::entry},
                           fixup{40, [](auto const& f) { return f.alt_end.value; }, fixup::entry});
  for (char const* name : {"__lwsync_fixup", "__barrier_nospec_fixup"})
    i.table<relative_word_site>(name, 8, site);
}

template <>
void inspector<arch::mips64el>::inspect(finalize_context<arch::mips64el> const& c,
                                        reading<arch::mips64el> const& r) {
  inspection<arch::mips64el> i{c, r};
  i.table<jump_entry_absolute>("__jump_table", 24, jump_code,
                               jump_field{8, jump_target, jump_field::own},
                               jump_field{16, jump_key, jump_field::any});
  i.found<jump_entry_absolute>("__jump_table", c.record.sections.jump_entries);
  i.sorted<jump_entry_absolute>("__jump_table", jump_text);
  i.table<address_entry>("__mcount_loc", 8, site);
}

bool load_aarch64(byte_view file) { return load<arch::aarch64>(file); }
bool load_mips64(byte_view file) { return load<arch::mips64el>(file); }
bool load_s390x(byte_view file) { return load<arch::s390x>(file); }
bool load_powerpc64(byte_view file) { return load<arch::powerpc64le>(file); }

} // namespace kmodld::patch_tables
