// SPDX-License-Identifier: MIT
// init_build_id: the GNU build id, for stack traces. Never fails, acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/build_id.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct init_build_id {
  static constexpr std::string_view name = "init_build_id"sv;
  using needs = types<section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env&, section_table const& table, module_record& m) noexcept {
    if constexpr (Env::abi::build_id)
      for (u32 i = 1; i < table.file_count && m->build_id.empty(); ++i)
        if (table[i].type == elf::sht_note && table[i].allocated() && table[i].size != 0)
          m->build_id = find_build_id<typename Env::format>(table[i].bytes());
    return errc::ok;
  }
};

} // namespace kmodld::steps
