// SPDX-License-Identifier: MIT
// percpu_modalloc: room for the module's per-CPU variables.
// May refuse: ENOMEM. The memory goes with layout_and_allocate's undo, after unlinking.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct percpu_modalloc {
  static constexpr std::string_view name = "percpu_modalloc"sv;
  using needs = types<load_info, section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, load_info const& info, section_table const& table,
                  module_record& m) noexcept {
    if constexpr (Env::smp) {
      if (info.pcpu == 0 || table[info.pcpu].size == 0)
        return errc::ok;
      u64 const size = table[info.pcpu].size;
      u64 align = table[info.pcpu].align;
      if (align > Env::abi::page_size) {
        env.note(errc::percpu_alignment, {.n0 = align, .n1 = Env::abi::page_size});
        align = Env::abi::page_size;
      }
      address base;
      if (align == 0 || is_power_of_two(align))
        base = env.policy().percpu.allocate(size, align == 0 ? 1 : align);
      if (!base)
        return env.fail(errc::percpu_no_memory, {}, size);
      m->percpu = base;
      m->percpu_size = size;
    }
    return errc::ok;
  }
};

} // namespace kmodld::steps
