// SPDX-License-Identifier: MIT
// check_modinfo: version magic and what the module says of itself; taints. A part of
// layout_and_allocate, before anything is allocated. Taints are not undone by a failure.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/license.hpp>
#include <kmodld/linux/vermagic.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// ok or ENOEXEC.
template <class Env>
errc check_modinfo(Env& env, load_info const& info) noexcept {
  using abi = typename Env::abi;
  std::string_view const kernel = env.state.settings.vermagic;
  if (abi::module_struct && !kernel.empty()) {
    std::string_view magic = info.tags.first(modinfo_tag::vermagic);
    if (env.flags.ignore_vermagic || magic.data() == nullptr) {
      if (!env.force_load(nullptr, "bad vermagic"sv))
        return env.fail(errc::vermagic_missing);
    } else if (!same_magic(magic, kernel, abi::modversions && info.vers != 0)) {
      return env.fail(errc::vermagic_mismatch, {.subject = magic, .second = kernel});
    }
  }
  if constexpr (!abi::module_struct)
    return errc::ok;
  if (!info.tags.has(modinfo_tag::intree)) {
    if (!env.kernel_tainted(taint_out_of_tree))
      env.note(errc::taint_out_of_tree);
    env.taint(nullptr, taint_out_of_tree);
  }
  if (abi::retpoline && !info.tags.has(modinfo_tag::retpoline))
    env.note(errc::retpoline_missing);
  if (info.tags.has(modinfo_tag::staging)) {
    env.taint(nullptr, taint_staging);
    env.note(errc::taint_staging);
  }
  if (info.tags.has(modinfo_tag::livepatch)) {
    if constexpr (!abi::livepatch)
      return env.fail(errc::livepatch_disabled);
    if (!env.state.logged_livepatch.load(std::memory_order_relaxed))
      env.note(errc::taint_livepatch);
    env.state.logged_livepatch.store(true, std::memory_order_relaxed);
    env.taint(nullptr, taint_livepatch);
  }
  std::string_view license = info.tags.first(modinfo_tag::license);
  if (license.data() == nullptr)
    license = unspecified_license;
  if (!license_is_gpl_compatible(license)) {
    if (!env.kernel_tainted(taint_proprietary))
      env.note(errc::taint_license, {.subject = license});
    env.taint(nullptr, taint_proprietary);
  }
  if (info.tags.has(modinfo_tag::test)) {
    if (!env.kernel_tainted(taint_test))
      env.note(errc::taint_test);
    env.taint(nullptr, taint_test);
  }
  return errc::ok;
}

} // namespace kmodld::steps
