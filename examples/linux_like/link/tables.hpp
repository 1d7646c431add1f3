// SPDX-License-Identifier: MIT
// What a linked image is made of, by name: sections, symbols, GOT slots and stubs, as the
// architecture's state and the object's relocations tell them.
#pragma once

#include "merge.hpp"

#include <kmodld/kmodld.hpp>

#include <algorithm>
#include <set>

namespace linux_like {

template <class Arch>
struct link_tables {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  using sym = typename format::sym;
  using u32 = kmodld::u32;
  using u64 = kmodld::u64;
  using state_type = typename Arch::state;

  const link_request& request;
  const merged_object& merged;
  linked_image& out;
  const kmodld::elf::image<format>& image;
  const kmodld::load_info& info;
  const kmodld::section_table& table;
  const state_type& state;
  const kmodld::resolved_symbols& values;

  kmodld::elf::table<sym> symbols = image.template entries<sym>(info.sym);

  /// Of GOT and stubs in the map: a small multiple of the files.
  u64 map_limit = 0, map_bytes = 0;

  void operator()() {
    for (const link_input& input : request.inputs)
      map_limit += input.bytes.size();
    map_limit = 4 * map_limit + 65536;
    add_sections();
    add_symbols();
    add_got();
    add_stubs();
  }

private:
  std::string_view name_of(u32 symbol) const {
    return kmodld::string_at(image.data(info.str), symbols[symbol].st_name);
  }

  using symbol_and_addend = std::pair<u32, u64>;

  /// A symbol's name; of a section's symbol, the section's. With what goes into the map with it, it
  /// counts against a limit: one name may serve any number of relocations. Throws refusal.
  std::string label(u32 symbol, u64 addend = 0, std::size_t values_of_it = 1) {
    std::string_view name = name_of(symbol);
    const u32 shndx = symbols[symbol].st_shndx;
    if (name.empty() && shndx != 0 && shndx < table.file_count)
      name = table[shndx].name;
    map_bytes += name.size() + values_of_it * sizeof(u64);
    if (map_bytes > map_limit)
      throw refusal(ENOEXEC, fmt::format("the names of GOT slots and stubs take more than {} bytes",
                                         map_limit));
    std::string out(name);
    if (addend != 0)
      out += static_cast<kmodld::i64>(addend) < 0 ? fmt::format("-{:#x}", 0 - addend)
                                                  : fmt::format("+{:#x}", addend);
    return out;
  }

  void add_sections() {
    for (u32 i = 1; i < table.used; ++i) {
      const kmodld::section_entry& s = table[i];
      if (!s.allocated() || !s.placed())
        continue;
      const bool own =
          i >= merged.sections.size() || merged.sections[i].input == section_origin::none;
      // The merger lets nothing relocate a section without bytes in the file; some of those that
      // the library fills with stubs and slots have none, but a size of its own.
      const bool written = i >= table.file_count ||
                           image.section(i).sh_type != kmodld::elf::sht_nobits ||
                           s.size != image.section(i).sh_size;
      out.sections.push_back({std::string(s.name),
                              own ? std::string() : request.inputs[merged.sections[i].input].name,
                              s.target.value, s.size, written ? s.host : nullptr});
    }
    if constexpr (requires { state.core_prefix; })
      if (state.core_prefix != 0) {
        const u64 got = state.got_bytes().size(), plt = state.plt_bytes().size();
        const std::byte* host = state.got_bytes().data();
        if (got != 0)
          out.sections.push_back({".got", "", state.got.value, got, host});
        if (plt != 0)
          out.sections.push_back({".plt", "", state.plt.value, plt, host + got});
      }
    std::ranges::stable_sort(out.sections, {}, &linked_image::section::address);
  }

  bool is_relocations(u32 i) const {
    return table[i].type == kmodld::elf::sht_rel || table[i].type == kmodld::elf::sht_rela;
  }

  void add_symbols() {
    // Local ones come first in the object, in the order of the files; a global one replaces them.
    for (u32 i = 1; i < symbols.size(); ++i) {
      const sym& s = symbols[i];
      const auto type = kmodld::elf::st_type(s.st_info);
      const std::string_view name = name_of(i);
      const bool unresolved = (values.attributes[i] & kmodld::symbol_unresolved) != 0;
      if (name.empty() || unresolved || type == kmodld::elf::stt_section ||
          type == kmodld::elf::stt_file)
        continue;
      if (kmodld::elf::st_bind(s.st_info) == kmodld::elf::stb_local)
        out.symbols.emplace(name, values.values[i]);
      else
        out.symbols[std::string(name)] = values.values[i];
    }
    if (state.got.value != 0)
      out.symbols.emplace("_GLOBAL_OFFSET_TABLE_", state.got.value);
    if constexpr (requires { state.toc.value; })
      out.symbols[".TOC."] = state.toc.value;
  }

  /// What relocations of such types refer to, each once, in the order of symbols.
  template <class Accepts, class Addend>
  std::vector<symbol_and_addend> targets(Accepts&& accepts, Addend&& addend) const {
    std::vector<symbol_and_addend> out;
    for (u32 i = 1; i < table.file_count; ++i)
      if (is_relocations(i))
        for (const relocation& r : image.template entries<relocation>(i))
          if (Arch::symbol_of(r) < symbols.size() && accepts(Arch::type_of(r)))
            out.emplace_back(Arch::symbol_of(r), addend(r));
    std::ranges::sort(out);
    const auto same = std::ranges::unique(out);
    out.erase(same.begin(), same.end());
    return out;
  }

  void add_got() {
    if constexpr (requires { state.got_slot; }) {
      for (u32 i = 0; i < state.got_slot.size(); ++i)
        if (const u32 n = state.got_slot[i]; n != 0)
          out.got.emplace(label(i), state.got.value + u64{n - 1} * Arch::got_slot_size);
    } else {
      std::map<u64, u64> slots; // by what they hold
      const auto add = [&](u64 value, kmodld::address slot) { slots.emplace(value, slot.value); };
      if constexpr (requires { state.for_each_got(add); })
        state.for_each_got(add);
      else
        for (u32 i = 0; i < state.got_slots.used; ++i)
          add(state.got_slots.value(i), state.got_slots.slot(i));
      for (const auto& [symbol, addend] :
           targets([](u32 type) { return Arch::takes_slot(type); },
                   [](const relocation& r) { return u64(Arch::addend_of(r)); })) {
        const auto found =
            slots.find(static_cast<typename format::word_type>(values.values[symbol] + addend));
        if (found != slots.end())
          out.got.emplace(label(symbol, addend), found->second);
      }
    }
  }

  void add_stubs() {
    if constexpr (requires { Arch::branch_islands; }) {
      std::multimap<u64, u64> stubs; // by target
      state.for_each_far_stub(
          [&](u64 target, u32, kmodld::address stub) { stubs.emplace(target, stub.value); });
      if (stubs.empty())
        return;
      std::map<std::string, std::set<u64>> named;
      // Addends in the place are those of plain calls but for what nobody writes.
      for (const auto& [symbol, addend] :
           targets([](u32 type) { return Arch::is_far_call(type); },
                   [](const relocation& r) {
                     return kmodld::reloc::addend_in_place<relocation>
                                ? u64{0}
                                : u64(Arch::addend_of(r) - Arch::call_addend(Arch::type_of(r)));
                   })) {
        const auto word = static_cast<typename format::word_type>(values.values[symbol] + addend);
        const auto [at, end] = stubs.equal_range(word);
        if (at == end)
          continue;
        std::set<u64>& all = named[label(symbol, addend, std::size_t(std::distance(at, end)))];
        for (auto one = at; one != end; ++one)
          all.insert(one->second);
      }
      for (const auto& [name, all] : named)
        out.stubs[name].assign(all.begin(), all.end());
    }
  }
};

} // namespace linux_like
