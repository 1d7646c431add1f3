// SPDX-License-Identifier: MIT
// The values that travel down the pipeline: each is written once, by the step that yields it.
#pragma once

#include <kmodld/elf/image.hpp>
#include <kmodld/layout/section_table.hpp>
#include <kmodld/linux/modinfo.hpp>
#include <kmodld/module.hpp>
#include <kmodld/pipeline.hpp>
#include <kmodld/reloc/section.hpp>

namespace kmodld {

/// The image without the trailer of a signature; yielded by module_sig_check.
struct module_image {
  byte_view bytes;
  bool sig_ok = false;
};

/// Indices of the sections that Linux remembers, 0 for none; yielded by setup_load_info.
struct load_info {
  u32 sym = 0, str = 0, mod = 0, vers = 0, info = 0, pcpu = 0;
  loader_modinfo tags;
  std::string_view info_name; ///< modinfo `name`, else that of the structure: blacklist, messages
  std::string_view name;      ///< the structure's: list, sysfs, everything later
};

/// The record, yielded by layout_and_allocate; steps that change it list it under mutates.
struct module_record {
  module* record = nullptr;
  module& operator*() const noexcept { return *record; }
  module* operator->() const noexcept { return record; }
};

/// GOT, PLT and what else the architecture keeps while relocating; yielded by layout_and_allocate.
template <class Arch>
struct arch_state {
  typename Arch::state state;
};

/// Symbols with their final values; yielded by simplify_symbols.
struct resolved_symbols {
  std::span<u64> values;
  std::span<u8> attributes;
  bool unresolved_weak = false;
};

} // namespace kmodld
