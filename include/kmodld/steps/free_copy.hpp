// SPDX-License-Identifier: MIT
// free_copy: the commit. The load's scratch memory goes; from here everything belongs to the module
// record, and what still fails is undone by free_module.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct free_copy {
  static constexpr std::string_view name = "free_copy"sv;
  static constexpr bool commits = true;
  using mutates = types<section_table, resolved_symbols>;

  template <class Env>
  static errc run(Env& env, section_table& table, resolved_symbols& symbols) noexcept {
    table = {};
    symbols = {};
    env.free_scratch();
    return errc::ok;
  }
};

} // namespace kmodld::steps
