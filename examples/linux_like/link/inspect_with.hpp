// SPDX-License-Identifier: MIT
// modinfo, check and map for one architecture: the loader's own steps, as Linux 6.1 would take
// them, with every symbol exported at a made-up address.
#pragma once

#include "../check_steps.hpp"
#include "../module_view.hpp"
#include "inspect.hpp"
#include "link.hpp"

#include <kmodld/loader.hpp>

namespace linux_like {

template <class Arch>
module_summary summary_of(kmodld::byte_view bytes) {
  const basic_module_view<Arch> view(bytes);
  module_summary out{view.tags, {}};
  for (const std::string_view name : view.exported_names())
    out.exports.emplace_back(name);
  return out;
}

/// Memory at addresses where modules of 32-bit and 64-bit kernels may lie.
template <class Arch>
struct made_up_memory {
  static constexpr kmodld::u64 first = Arch::format::bits == 32 ? 0xbf000000 : 0xffffffffa0000000;
  /// Everything is exported here: in reach of all branches.
  static constexpr kmodld::u64 exports = first - 0x100000;

  std::vector<std::unique_ptr<lazy_memory>> blocks;
  kmodld::u64 next = first;

  kmodld::memory_status allocate(const kmodld::memory_request& request,
                                 kmodld::region& out) noexcept {
    try {
      const bool kept = request.kind <= kmodld::memory_kind::init;
      next = kmodld::round_up(next, std::max<kmodld::u64>(request.align, 1));
      blocks.push_back(std::make_unique<lazy_memory>(request.size));
      out = {{next}, blocks.back()->data(), request.size};
      next += kept ? request.size : 0;
      return kmodld::memory_status::ok;
    } catch (...) {
      return kmodld::memory_status::no_room;
    }
  }
  void release(kmodld::memory_kind, kmodld::region given) noexcept {
    std::erase_if(blocks, [&](const auto& one) { return one->data() == given.host; });
  }
};

template <class Arch>
struct made_up_exports {
  bool find(std::string_view, bool, kmodld::exported_symbol& out) noexcept {
    out = {};
    out.value = {made_up_memory<Arch>::exports};
    return true;
  }
};

/// Reads where the layout has put things, and ends the run.
template <class Config>
struct read_layout {
  static constexpr std::string_view name = "read_layout";
  using needs = kmodld::types<kmodld::section_table>;
  using mutates = kmodld::types<kmodld::module_record>;

  template <class Env>
  static kmodld::errc run(Env& env, const kmodld::section_table& table,
                          kmodld::module_record& record) noexcept {
    module_map& out = *env.hooks().map;
    constexpr const char* kinds[] = {"text",          "data",      "rodata",
                                     "ro_after_init", "init text", "init data",
                                     "init rodata",   "core",      "init"};
    for (const kmodld::module_memory& m : record->all_memories())
      if (m.memory.size != 0)
        out.regions.push_back(
            {kinds[static_cast<unsigned>(m.kind)], m.memory.target.value, m.memory.size});
    for (const kmodld::section_entry& s : table.sections())
      if (s.allocated() && s.placed())
        out.sections.push_back({std::string(s.name), s.target.value, s.size});
    env.hooks().done = true;
    return kmodld::errc::injected;
  }
};

struct inspection {
  module_map* map = nullptr;
  bool done = false;
};

template <class Arch, bool Check>
struct inspect_config {
  using arch = Arch;
  struct abi : kmodld::abi::linux_of<Arch, kmodld::abi::linux_6_1> {
    static constexpr bool modversions = false; ///< CRCs of a kernel that is not here
  };
  using allocator = made_up_memory<Arch>;
  using symbol_resolver = made_up_exports<Arch>;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
  using verifier = kmodld::no_signatures;
  using hooks = inspection&;
  using diagnostics = std::conditional_t<Check, finding_diagnostics, kmodld::no_diagnostics>;

  template <class C>
  using to_layout =
      kmodld::pipeline<kmodld::steps::module_sig_check, kmodld::steps::elf_header_check<C>,
                       kmodld::steps::setup_load_info<C>, kmodld::steps::rewrite_section_headers<C>,
                       kmodld::steps::layout_and_allocate<C>, read_layout<C>>;
  template <class C>
  using to_relocations =
      kmodld::pipeline<kmodld::steps::module_sig_check, kmodld::steps::elf_header_check<C>,
                       kmodld::steps::setup_load_info<C>, kmodld::steps::rewrite_section_headers<C>,
                       kmodld::steps::layout_and_allocate<C>, kmodld::steps::percpu_modalloc,
                       kmodld::steps::module_unload_init, kmodld::steps::find_module_sections,
                       tolerant<kmodld::steps::simplify_symbols<C>>, try_relocations<C>>;
  template <class C>
  using pipeline = std::conditional_t<Check, to_relocations<C>, to_layout<C>>;
};

/// What is wrong with a module apart from the symbols that it wants.
template <class Arch>
void check_with(kmodld::byte_view bytes, findings& out) {
  finding_diagnostics::to = &out;
  inspection nothing;
  kmodld::loader<inspect_config<Arch, true>> dry({.hooks = nothing});
  static_cast<void>(dry.load(bytes));
}

/// Throws refusal.
template <class Arch>
module_map module_layout_of(kmodld::byte_view bytes) {
  module_map out;
  inspection all{&out};
  kmodld::loader<inspect_config<Arch, false>> dry({.hooks = all});
  const auto result = dry.load(bytes);
  if (!all.done)
    throw refused(result.error());
  return out;
}

} // namespace linux_like
