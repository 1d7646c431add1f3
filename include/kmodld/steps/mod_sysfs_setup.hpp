// SPDX-License-Identifier: MIT
// mod_sysfs_setup: the module's directory, with its sections for debuggers.
// May refuse: EINVAL, EEXIST, ENOMEM; parts made before the failing one are taken away again.
// Undo: mod_sysfs_teardown.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// Readers hold the lock: once it has been free, nobody looks at what was removed before.
template <class Env>
void free_section_attributes(Env& env, module& m) noexcept {
  std::span<section_attribute> const gone = m.section_attributes;
  {
    lock_guard lock{env.policy().lock};
    m.section_attributes = {};
  }
  env.state.free_record(gone.data());
}

template <class Env>
void mod_sysfs_teardown(Env& env, module& m) noexcept {
  remove_all(env.policy().introspection, m);
  m.in_sysfs = false;
  free_section_attributes(env, m);
  env.undone("mod_sysfs_teardown"sv);
}

struct mod_sysfs_setup {
  static constexpr std::string_view name = "mod_sysfs_setup"sv;
  using needs = types<section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, section_table const& table, module_record& m) noexcept {
    // Without memory there is no sections/ directory, which Linux 6.1 overlooks.
    m->section_attributes = attributes(env, table);
    sysfs_part failed{};
    constexpr bool strict = Env::abi::scheme == layout_scheme::seven_kinds;
    if (int e = create_all(env.policy().introspection, *m, failed, strict); e != 0) {
      free_section_attributes(env, *m);
      if (failed == sysfs_part::object && (e == e_nodev || e == e_exist))
        return env.fail(e == e_nodev ? errc::sysfs_uninitialised : errc::sysfs_exists);
      return env.fail(errc::sysfs_failed, c_string(sysfs_part_name(failed)), static_cast<u64>(e));
    }
    m->in_sysfs = true;
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    mod_sysfs_teardown(env, *m);
  }

private:
  /// One record: the attributes, then their names.
  template <class Env>
  static std::span<section_attribute> attributes(Env& env, section_table const& table) noexcept {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(env.policy().introspection)>,
                                 no_introspection>)
      return {};
    u64 count = 0, text = 0;
    for (section_entry const& s : table.sections())
      if (shown(s)) {
        ++count;
        text += s.name.size();
      }
    // Names may share their bytes in the file; here each would have its own.
    if (count == 0 || text / 2 > env.image.size())
      return {};
    auto* out = static_cast<section_attribute*>(
        env.state.new_record(count * sizeof(section_attribute) + text));
    if (out == nullptr)
      return {};
    auto* names = reinterpret_cast<char*>(out + count);
    u64 n = 0;
    for (section_entry const& s : table.sections())
      if (shown(s)) {
        if (!s.name.empty())
          __builtin_memcpy(names, s.name.data(), s.name.size());
        ::new (out + n++)
            section_attribute{{names, s.name.size()}, s.target, s.bytes(), s.type == elf::sht_note};
        names += s.name.size();
      }
    return {out, static_cast<std::size_t>(n)};
  }

  static bool shown(section_entry const& s) noexcept {
    return s.allocated() && s.placed() && s.size != 0;
  }
};

} // namespace kmodld::steps
