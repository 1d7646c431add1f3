// SPDX-License-Identifier: MIT
// Introspection policy: how a module shows itself to the user (mod_sysfs_setup, /sys/module/NAME).
// Without it the host has no CONFIG_SYSFS: nothing is shown and nothing can fail.
#pragma once

#include <kmodld/address.hpp>

#include <concepts>

namespace kmodld {

struct module;

/// The parts of a module's directory in the order in which mod_sysfs_setup makes them.
enum class sysfs_part : u8 {
  object,       ///< the directory itself
  holders_dir,  ///< holders/, where the users of the module will be
  parameters,   ///< parameters/, one file for each with a mode; no directory without one
  attributes,   ///< initstate, refcnt, version ...
  holder_links, ///< in the holders/ of each module that this one uses, a link to it
  sections,     ///< sections/, the address of each section
  notes,        ///< notes/, the bytes of each note section
};

inline constexpr sysfs_part sysfs_setup_order[] = {
    sysfs_part::object,     sysfs_part::holders_dir,  sysfs_part::parameters,
    sysfs_part::attributes, sysfs_part::holder_links, sysfs_part::sections,
    sysfs_part::notes,
};

/// mod_sysfs_teardown takes them away in this order, which is not the reverse one.
inline constexpr sysfs_part sysfs_teardown_order[] = {
    sysfs_part::holder_links, sysfs_part::attributes, sysfs_part::parameters,
    sysfs_part::holders_dir,  sysfs_part::notes,      sysfs_part::sections,
    sysfs_part::object,
};

/// The kernel's name for what makes a part, for traces.
constexpr char const* sysfs_part_name(sysfs_part part) noexcept {
  switch (part) {
  case sysfs_part::object: return "mod_sysfs_init";
  case sysfs_part::holders_dir: return "holders_dir";
  case sysfs_part::parameters: return "module_param_sysfs_setup";
  case sysfs_part::attributes: return "module_add_modinfo_attrs";
  case sysfs_part::holder_links: return "add_usage_links";
  case sysfs_part::sections: return "add_sect_attrs";
  case sysfs_part::notes: return "add_notes_attrs";
  }
  return "";
}

/// The loader promises: create() is called in sysfs_setup_order for a module that is coming and in
/// the list; if a part fails, remove() is called for the parts before it, newest first, and the
/// load fails, except that a failure of sections or notes is overlooked as in Linux 6.1. A module
/// that goes gets remove() in sysfs_teardown_order for every part, also one that failed or was
/// never made; its list of what it uses is still whole then. Calls come without the loader's lock.
template <class P>
concept introspection_policy = requires(P& p, module& m, sysfs_part part) {
  // 0, or a positive errno and nothing of the part is left. For `object`: ENODEV if the host is not
  // ready, EEXIST if something of the module's name is there; Linux answers EINVAL to both.
  { p.create(part, m) } noexcept -> std::same_as<int>;
  // Takes the part away; nothing happens if it is not there. For `object`: returns when nobody
  // looks at the module's files any more, and announces `remove` if `add` had been announced.
  { p.remove(part, m) } noexcept -> std::same_as<void>;
  // The module is live: announces `add` (ACTION=add, DEVPATH=/module/NAME, SUBSYSTEM=module).
  { p.announce(m) } noexcept -> std::same_as<void>;
};

/// The least that satisfies the concept, and the null model.
struct no_introspection {
  int create(sysfs_part, module&) noexcept { return 0; }
  void remove(sysfs_part, module&) noexcept {}
  void announce(module&) noexcept {}
};
using introspection_archetype = no_introspection;
static_assert(introspection_policy<no_introspection>);

/// Makes all parts (mod_sysfs_setup). 0, or the errno of the part that failed, with the parts
/// before it taken away again and `failed` saying which it was. `strict`: sections and notes may
/// fail the load too, as in Linux 6.12.
template <introspection_policy P>
int create_all(P& policy, module& m, sysfs_part& failed, bool strict = false) noexcept {
  constexpr u8 count = sizeof sysfs_setup_order / sizeof sysfs_setup_order[0];
  for (u8 i = 0; i < count; ++i) {
    sysfs_part part = sysfs_setup_order[i];
    int error = policy.create(part, m);
    if (error == 0 || (!strict && part >= sysfs_part::sections))
      continue;
    failed = part;
    while (i-- != 0)
      policy.remove(sysfs_setup_order[i], m);
    return error;
  }
  return 0;
}

/// Takes all parts away (mod_sysfs_teardown).
template <introspection_policy P>
void remove_all(P& policy, module& m) noexcept {
  for (sysfs_part part : sysfs_teardown_order)
    policy.remove(part, m);
}

} // namespace kmodld
