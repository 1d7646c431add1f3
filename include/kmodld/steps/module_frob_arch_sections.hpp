// SPDX-License-Identifier: MIT
// module_frob_arch_sections: the architecture makes room for GOT, PLT, stubs and veneers. A part of
// layout_and_allocate. Scratch memory goes with free_copy.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/reloc/classes.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// What an architecture's own frob(context) works with.
template <class Env>
struct frob_context {
  using arch = typename Env::arch;
  using format = typename arch::format;
  using relocation = typename arch::relocation;
  using abi = typename Env::abi;

  Env& env;
  elf::image<format> const& image;
  load_info const& info;
  section_table& table;

  std::span<typename format::sym const> symbols() const noexcept {
    return image.template entries<typename format::sym>(info.sym);
  }
  template <class T>
  std::span<T> scratch(u64 count) const noexcept {
    return env.template scratch<T>(count);
  }
  errc no_memory(u64 bytes) const noexcept { return env.fail_no_memory("relocations"sv, bytes); }
  errc missing(std::string_view section) const noexcept {
    return env.fail(errc::arch_section_missing, section);
  }

  /// Calls f(section index, entries) for every relocation section whose target exists.
  template <class F>
  errc for_each_relocations(F&& f) const noexcept {
    constexpr u32 kind = reloc::addend_in_place<relocation> ? elf::sht_rel : elf::sht_rela;
    for (u32 i = 1; i < table.file_count; ++i)
      if (table[i].type == kind)
        if (errc code = f(i, image.template entries<relocation>(i)); code != errc::ok)
          return code;
    return errc::ok;
  }

  /// A writable copy of section i's entries, which is applied in its place.
  std::span<relocation> reorder(u32 i) const noexcept {
    auto const original = image.template entries<relocation>(i);
    auto copy = env.template scratch<relocation>(original.size());
    if (!copy.empty()) {
      __builtin_memcpy(copy.data(), original.data(), original.size_bytes());
      table[i].reordered = reinterpret_cast<std::byte const*>(copy.data());
    }
    return copy;
  }
};

template <class Env>
errc module_frob_arch_sections(Env& env, elf::image<typename Env::format> const& image,
                               load_info const& info, section_table& table,
                               typename Env::arch::state& state) noexcept {
  using arch = typename Env::arch;
  using abi = typename Env::abi;
  frob_context<Env> context{env, image, info, table};
  if constexpr (requires { arch::frob(context, state); }) {
    return arch::frob(context, state);
  } else {
    constexpr u8 wanted = (abi::wide_relocations ? reloc::needs_got | reloc::needs_got_slot : 0) |
                          (abi::far_calls ? reloc::needs_plt_entry : 0);
    if constexpr (wanted == 0)
      return errc::ok;
    auto scratch = [&env](u64 count) { return env.template scratch<u32>(count); };
    if (state.count(image, table, context.symbols(), wanted, scratch) != errc::ok)
      return context.no_memory(context.symbols().size() * sizeof(u32));
    return errc::ok;
  }
}

} // namespace kmodld::steps
