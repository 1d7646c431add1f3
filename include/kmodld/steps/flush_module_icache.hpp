// SPDX-License-Identifier: MIT
// flush_module_icache: what was written becomes visible to instruction fetch, init first.
// Never fails, acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct flush_module_icache {
  static constexpr std::string_view name = "flush_module_icache"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    for (u8 i = m->memory_count; i != 0; --i)
      if (region const& memory = m->memories[i - 1].memory; memory.size != 0)
        env.policy().protector.flush_icache(memory);
    return errc::ok;
  }
};

} // namespace kmodld::steps
