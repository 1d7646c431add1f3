// SPDX-License-Identifier: MIT
// The loader of one architecture up to post_relocation: checks, layout, GOT, PLT and stubs,
// symbols, relocation. Then the load is made to fail, so that its undo is seen, too.
#pragma once

#include "corpora/link.hpp"
#include "corpora/policies.hpp"
#include "verify/outcome.hpp"

#include <kmodld/kmodld.hpp>

#include <algorithm>
#include <chrono>

namespace kmodld::corpora {

struct observer {
  u64 relocations = 0;
  bool reached = false;
};

/// Counts what has been applied, then ends the load.
template <class Arch>
struct count_applied {
  static constexpr std::string_view name = "count_applied"sv;
  using image_type = elf::image<typename Arch::format>;
  using needs = types<image_type, section_table>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, image_type const& image, section_table const& table,
                  module_record&) noexcept {
    using relocation = typename Arch::relocation;
    constexpr u32 type = reloc::addend_in_place<relocation> ? elf::sht_rel : elf::sht_rela;
    observer& out = env.hooks();
    for (u32 i = 1; i < table.file_count; ++i) {
      if (table[i].type != type)
        continue;
      section_entry const& target = table[image.section(i).sh_info];
      if (target.allocated() && target.placed())
        out.relocations += image.template entries<relocation>(i).size();
    }
    out.reached = true;
    return env.fail(errc::injected, {.n0 = e_intr});
  }
};

template <class Arch, class Base>
struct host {
  using arch = Arch;
  using allocator = module_area&;
  using symbol_resolver = made_up_exports&;
  using protector = no_protection;
  using notifier = no_notifier;
  using percpu = percpu_place;
  using invoker = no_invoker;
  using hooks = observer;

  // The made-up kernel has no CRCs.
  struct abi : kmodld::abi::linux_of<Arch, Base> {
    static constexpr bool modversions = false;
  };

  template <class C>
  using pipeline = insert_step<load_module<C>, steps::flush_module_icache, count_applied<Arch>>;
};

/// The first byte in which two loads of one module differ, in words; empty if there is none.
inline std::string difference(std::span<region const> a, std::span<region const> b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i >= b.size() || a[i].target != b[i].target || a[i].size != b[i].size)
      return "regions differ";
    if (std::memcmp(a[i].host, b[i].host, static_cast<std::size_t>(a[i].size)) == 0)
      continue;
    auto const at = std::mismatch(a[i].host, a[i].host + a[i].size, b[i].host).first - a[i].host;
    return "byte " + std::to_string(at) + " of region " + std::to_string(i) +
           " depends on what the memory held before";
  }
  return a.size() == b.size() ? "" : "regions differ";
}

/// `Kernel` says where things are: members `where` and, unless there are none, `settings`.
template <class Kernel, class Arch, class Base>
linked link_into(module_area& area, byte_view image) {
  static made_up_exports exports{Kernel::where};
  linked out;
  area.clear();
  auto const before = std::chrono::steady_clock::now();
  {
    loader<host<Arch, Base>> l{{.allocator = area, .symbol_resolver = exports}};
    if constexpr (requires { Kernel::settings; })
      l.settings() = Kernel::settings;
    l.policies().percpu.answer = {Kernel::where.percpu};
    result<module_ref> const loaded = l.load(image);
    observer const& seen = l.policies().hooks;
    if (!seen.reached)
      out.refused = loaded ? "the load went past count_applied" : verify::text_of(loaded.error());
    out.relocations = seen.relocations;
  }
  auto const after = std::chrono::steady_clock::now();
  out.nanoseconds = static_cast<u64>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(after - before).count());
  if (area.live() != 0 && out.refused.empty())
    out.refused = std::to_string(area.live()) + " pieces of memory were not given back";
  return out;
}

/// Twice: what memory held before must not be seen.
template <class Kernel, class Arch, class Base>
linked link_one(byte_view image) {
  static module_area zero{Kernel::where, 0}, poisoned{Kernel::where, 0xa5};
  linked out = link_into<Kernel, Arch, Base>(zero, image);
  if (out.refused.empty())
    out.refused = link_into<Kernel, Arch, Base>(poisoned, image).refused;
  if (out.refused.empty())
    out.refused = difference(zero.regions(), poisoned.regions());
  return out;
}

template <class Arch>
bool is_for(byte_view bytes) {
  elf::image<typename Arch::format> image;
  error ignored;
  return elf::image<typename Arch::format>::check(
             bytes, [](auto const& h) { return Arch::accepts(h); }, image, ignored) == errc::ok;
}

template <class Kernel, class Arch, class Base>
constexpr linker linker_of{Arch::name, Base::scheme == layout_scheme::seven_kinds, is_for<Arch>,
                           link_one<Kernel, Arch, Base>};

} // namespace kmodld::corpora
