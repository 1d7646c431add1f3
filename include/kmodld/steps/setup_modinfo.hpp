// SPDX-License-Identifier: MIT
// setup_modinfo: keeps `version` and `srcversion` beyond the image. Never fails: without memory
// they are missing. Undo: free_modinfo.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Env>
void free_modinfo(Env& env, module& m) noexcept {
  env.state.free_record(m.version.data());
  env.state.free_record(m.srcversion.data());
  m.version = m.srcversion = {};
  env.undone("free_modinfo"sv);
}

struct setup_modinfo {
  static constexpr std::string_view name = "setup_modinfo"sv;
  using needs = types<load_info>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, load_info const& info, module_record& m) noexcept {
    m->version = keep(env, info.tags.first(modinfo_tag::version));
    m->srcversion = keep(env, info.tags.first(modinfo_tag::srcversion));
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    free_modinfo(env, *m);
  }

private:
  template <class Env>
  static std::string_view keep(Env& env, std::string_view value) noexcept {
    if (value.data() == nullptr)
      return {};
    std::span<char> copy = env.state.duplicate(value);
    return {copy.data(), copy.size()};
  }
};

} // namespace kmodld::steps
