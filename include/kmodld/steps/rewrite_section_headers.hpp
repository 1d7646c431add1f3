// SPDX-License-Identifier: MIT
// rewrite_section_headers: makes the table that takes what Linux writes into the image's section
// headers. .modinfo and the version tables lose SHF_ALLOC: they are never kept.
// May refuse: ENOMEM. Acquires scratch memory, which goes with free_copy.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct rewrite_section_headers {
  using image_type = elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "rewrite_section_headers"sv;
  using needs = types<image_type, load_info>;
  using yields = types<section_table>;

  /// GOT and PLT come after the sections of the file.
  static constexpr u32 own_sections = 4;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table& out) noexcept {
    u64 const count = u64{image.section_count()} + own_sections;
    out.all = env.template scratch<section_entry>(count, false);
    if (out.all.empty())
      return env.fail_no_memory("section headers"sv, count * sizeof(section_entry));
    read_sections(image, out);
    constexpr u64 alloc = elf::shf_alloc;
    out[info.vers].flags &= ~alloc;
    out[info.info].flags &= ~alloc;
    for (std::string_view extended : {"__version_ext_crcs"sv, "__version_ext_names"sv})
      if (u32 i = out.find(extended); i != 0)
        out[i].flags &= ~alloc;
    return errc::ok;
  }
};

} // namespace kmodld::steps
