// SPDX-License-Identifier: MIT
// move_module: allocates the regions that the layout asked for and copies the sections there.
// A part of layout_and_allocate.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/layout/layout.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Env>
void release_memory(Env& env, module& m) noexcept {
  // Newest first: init memory goes before core.
  while (m.memory_count != 0) {
    u8 const last = static_cast<u8>(m.memory_count - 1);
    m.memory_count = last;
    module_memory& part = m.memories[last];
    if (part.memory.size != 0)
      env.policy().allocator.release(part.kind, part.memory);
    part = {};
  }
}

/// Gets the module's regions; on failure everything it got is given back.
template <class Env>
errc allocate_memory(Env& env, module_layout const& layout, module& m) noexcept {
  using arch = typename Env::arch;
  reach_window reach = env.state.settings.module_window;
  auto narrow = [&reach](reach_window other) {
    reach_window w = arch::reach(other);
    reach.first = w.first > reach.first ? w.first : reach.first;
    reach.last = w.last < reach.last ? w.last : reach.last;
  };
  // Where stubs and a GOT lead to exports at any distance, only the module must hold together.
  constexpr bool exports_anywhere = requires { arch::exports_anywhere; };
  if constexpr (!exports_anywhere &&
                bounded_resolver<std::remove_cvref_t<decltype(env.policy().symbol_resolver)>>) {
    reach_window exports;
    {
      lock_guard lock{env.policy().lock};
      exports = env.policy().symbol_resolver.bounds();
    }
    if (!exports.empty())
      narrow(exports);
  }
  for (u8 i = 0; i < layout.count; ++i) {
    auto const& wanted = layout.parts[i];
    module_memory& part = m.memories[i];
    part = {.kind = wanted.kind,
            .text_size = static_cast<u32>(wanted.text_size),
            .ro_size = static_cast<u32>(wanted.ro_size),
            .ro_after_init_size = static_cast<u32>(wanted.ro_after_init_size)};
    m.memory_count = static_cast<u8>(i + 1);
    // Before 6.4 core is allocated even if it is empty; nothing can be placed in no bytes.
    u64 const size = round_up(wanted.size, Env::abi::page_size);
    if (size == 0)
      continue;
    memory_status status = env.policy().allocator.allocate(
        {wanted.kind, size, Env::abi::page_size, reach, false}, part.memory);
    if (status != memory_status::ok) {
      part.memory = {};
      release_memory(env, m);
      return env.fail(status == memory_status::no_room ? errc::no_memory : errc::out_of_reach,
                      "module memory"sv, size);
    }
    // What the allocator gave beyond the wish is not the module's; release() gets it all back.
    narrow({part.memory.target, part.memory.target + (part.memory.size - 1)});
  }
  return errc::ok;
}

/// Makes `size` bytes from offset `from` zero, unless all of the region is.
[[gnu::noinline]] inline void zero(region const& memory, u64 from, u64 size) noexcept {
  if (size != 0 && !memory.zero)
    __builtin_memset(memory.host + from, 0, static_cast<std::size_t>(size));
}

/// Copies every kept section to its place and notes its address; zeroes all else but the room for
/// symbols, which add_kallsyms fills to the last byte.
template <class Env>
void copy_sections(elf::image<typename Env::format> const& image, section_table& table,
                   module_layout const& layout, module const& m) noexcept {
  for (u32 i = 0; i < table.used; ++i) {
    section_entry& s = table[i];
    if (!s.allocated() || !s.placed())
      continue;
    region const& memory = m.memories[s.memory].memory;
    s.target = memory.target + s.offset;
    s.host = memory.host + s.offset;
    zero(memory, s.offset - s.gap, s.gap);
    // The architecture may have made room in a section that has bytes of its own in the file.
    byte_view bytes =
        i < table.file_count && s.type != elf::sht_nobits ? image.data(i) : byte_view{};
    if (bytes.size() > s.size)
      bytes = bytes.first(static_cast<std::size_t>(s.size));
    if (!bytes.empty())
      __builtin_memcpy(s.host, bytes.data(), bytes.size());
    zero(memory, s.offset + bytes.size(), s.size - bytes.size());
  }
  auto const& symbols = layout.symtab;
  for (u8 i = 0; i < layout.count; ++i) {
    region const& memory = m.memories[i].memory;
    u64 from = layout.parts[i].sections_end;
    if (Env::abi::kallsyms && memory.size != 0 && i == symbols.core) {
      zero(memory, from, symbols.core_symbols - from);
      from = symbols.core_types + symbols.kept;
    }
    if (Env::abi::kallsyms && memory.size != 0 && i == symbols.init) {
      zero(memory, from, symbols.init_types - from);
      from = symbols.init_types + symbols.all;
    }
    zero(memory, from, memory.size - from);
  }
}

} // namespace kmodld::steps
