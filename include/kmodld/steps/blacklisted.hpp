// SPDX-License-Identifier: MIT
// blacklisted: the boot parameter module_blacklist=a,b,c.
// May refuse: EPERM. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct blacklisted {
  static constexpr std::string_view name = "blacklisted"sv;
  using needs = types<load_info>;

  template <class Env>
  static errc run(Env& env, load_info const& info) noexcept {
    std::string_view list = env.state.settings.module_blacklist;
    while (!list.empty()) {
      std::size_t comma = index_of(list, ',');
      if (equal(head(list, comma), info.info_name))
        return env.fail(errc::module_blacklisted);
      list = tail(list, comma + 1);
    }
    return errc::ok;
  }
};

} // namespace kmodld::steps
