// SPDX-License-Identifier: MIT
// A pipeline of kmodld's own steps that links an object at addresses of the user's choice: the
// library's GOT, PLT, stubs, symbol and relocation steps with a layout of this program's own. A
// last step that always fails reads what was made, so that the pipeline gives everything back.
#pragma once

#include "../heap_memory.hpp"
#include "merge.hpp"
#include "place.hpp"
#include "tables.hpp"

#include <kmodld/load_module.hpp>
#include <kmodld/loader.hpp>
#include <kmodld/reloc/branch_islands.hpp>

namespace linux_like {

/// What the steps share: the loader's hooks.
struct link_job {
  const link_request& request;
  const merged_object& merged;
  linked_image& out;
  section_placer placer{};
  std::exception_ptr refused{}; ///< by this program's own parts; steps do not throw
  bool done = false;
};

/// The architecture with stubs for calls at any distance, where calls can be out of reach at all.
template <class Arch>
struct far_reaching {
  using type = Arch;
};
template <class Arch>
  requires requires { Arch::far_stub_size; }
struct far_reaching<Arch> {
  using type = kmodld::reloc::with_branch_islands<Arch>;
};

/// `--abs`.
struct absolute_symbols {
  const absolute_values& all;

  bool find(std::string_view name, bool, kmodld::exported_symbol& out) noexcept {
    const auto found = all.find(name);
    if (found == all.end())
      return false;
    out = {};
    out.value = {found->second};
    return true;
  }
};

template <class Config>
struct read_object {
  using image_type = kmodld::elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "read_object";
  using needs = kmodld::types<image_type>;
  using yields = kmodld::types<kmodld::load_info, kmodld::section_table>;

  /// That the library may add: GOT, PLT and the like, and an island for each group.
  static constexpr kmodld::u32 own_sections = 8 + 256;

  template <class Env>
  static kmodld::errc run(Env& env, const image_type& image, kmodld::load_info& info,
                          kmodld::section_table& table) noexcept {
    info.str = image.section_count() - 2; // as object_writer puts them
    info.sym = image.section_count() - 3;
    table.all = env.template scratch<kmodld::section_entry>(kmodld::u64{image.section_count()} +
                                                            own_sections);
    if (table.all.empty())
      return env.fail_no_memory("section headers", image.section_count());
    kmodld::read_sections(image, table);
    try {
      env.hooks().placer.make_groups(env.hooks().request, env.hooks().merged, table);
    } catch (...) {
      env.hooks().refused = std::current_exception();
      return kmodld::errc::injected;
    }
    return kmodld::errc::ok;
  }
};

template <class Config>
struct place_object {
  using arch = typename Config::arch;
  using image_type = kmodld::elf::image<typename arch::format>;
  static constexpr std::string_view name = "place_object";
  using needs = kmodld::types<image_type, kmodld::load_info>;
  using mutates = kmodld::types<kmodld::section_table>;
  using yields = kmodld::types<kmodld::module_record, kmodld::arch_state<arch>>;

  template <class Env>
  static kmodld::errc run(Env& env, const image_type& image, const kmodld::load_info& info,
                          kmodld::section_table& table, kmodld::module_record& record,
                          kmodld::arch_state<arch>& slots) noexcept {
    if (const auto code =
            kmodld::steps::module_frob_arch_sections(env, image, info, table, slots.state);
        code != kmodld::errc::ok)
      return code;
    void* memory = env.state.new_record(sizeof(kmodld::module));
    if (memory == nullptr)
      return env.fail_no_memory("module record", sizeof(kmodld::module));
    record.record = ::new (memory) kmodld::module{};
    try {
      place_sections(env.hooks(), image, table, *record, slots.state);
    } catch (...) {
      env.hooks().refused = std::current_exception();
      release(env, record);
      return kmodld::errc::injected;
    }
    slots.state.placed(table, *record);
    return kmodld::errc::ok;
  }

  template <class Env>
  static void undo(Env& env, kmodld::section_table&, kmodld::module_record& record,
                   kmodld::arch_state<arch>&) noexcept {
    release(env, record);
  }

private:
  template <class Env>
  static void release(Env& env, kmodld::module_record& record) noexcept {
    record->~module();
    env.state.free_record(record.record);
    record.record = nullptr;
  }

  template <class State>
  static void place_sections(link_job& job, const image_type& image, kmodld::section_table& table,
                             kmodld::module& m, State& state) {
    // s390x keeps GOT and PLT in no section but before the first one: they get a place of their
    // own, for which the null section stands.
    kmodld::u64 prefix = 0;
    if constexpr (requires { state.core_prefix; })
      prefix = state.core_prefix;
    if (prefix != 0)
      table[0] = {.flags = kmodld::elf::shf_alloc | kmodld::elf::shf_execinstr,
                  .size = prefix,
                  .align = 8,
                  .name = ".plt"};
    constexpr kmodld::u64 last = arch::format::bits == 32 ? 0xffffffff : ~kmodld::u64{0};
    job.placer.place(table, job.request.base, last);

    constexpr kmodld::u64 unit = 16; // what code of the host likes to find
    kmodld::u64 size = unit;
    for (kmodld::u32 i = 0; i < table.used; ++i)
      if (table[i].allocated())
        size += kmodld::round_up(table[i].size, unit);
    job.out.memory = std::make_unique<lazy_memory>(size);
    std::byte* host = job.out.memory->data();
    for (kmodld::u32 i = 0; i < table.used; ++i) {
      kmodld::section_entry& s = table[i];
      if (!s.allocated())
        continue;
      s.memory = 0;
      s.host = host;
      host += kmodld::round_up(s.size, unit);
      if (i != 0 && i < table.file_count && s.type != kmodld::elf::sht_nobits) {
        const auto bytes = image.data(i);
        std::memcpy(s.host, bytes.data(), std::min<std::size_t>(bytes.size(), s.size));
      }
    }
    m.memories[0] = {.memory = {table[0].target, table[0].host, prefix}};
    m.memory_count = 1;
  }
};

template <class Config>
struct read_result {
  using arch = typename Config::arch;
  using image_type = kmodld::elf::image<typename arch::format>;
  static constexpr std::string_view name = "read_result";
  using needs = kmodld::types<image_type, kmodld::load_info, kmodld::section_table,
                              kmodld::arch_state<arch>, kmodld::resolved_symbols>;
  using mutates = kmodld::types<kmodld::module_record>;

  template <class Env>
  static kmodld::errc run(Env& env, const image_type& image, const kmodld::load_info& info,
                          const kmodld::section_table& table, const kmodld::arch_state<arch>& slots,
                          const kmodld::resolved_symbols& symbols,
                          kmodld::module_record&) noexcept {
    link_job& job = env.hooks();
    try {
      link_tables<arch> all{job.request, job.merged, job.out,     image,
                            info,        table,      slots.state, symbols};
      all();
      job.done = true;
    } catch (...) {
      job.refused = std::current_exception();
    }
    return kmodld::errc::injected; // everything is given back
  }
};

/// Ends the run with the sections placed.
template <class Config>
struct read_places {
  static constexpr std::string_view name = "read_places";
  using needs = kmodld::types<kmodld::section_table>;
  using mutates = kmodld::types<kmodld::module_record>;

  template <class Env>
  static kmodld::errc run(Env& env, const kmodld::section_table& table,
                          kmodld::module_record&) noexcept {
    for (const kmodld::section_entry& s : table.sections())
      if (s.allocated() && s.placed())
        env.hooks().out.sections.push_back(
            {std::string(s.name), "", s.target.value, s.size, nullptr});
    env.hooks().done = true;
    return kmodld::errc::injected;
  }
};

template <class Arch>
struct link_config {
  using arch = typename far_reaching<Arch>::type;
  using abi = kmodld::abi::linux_of<Arch, kmodld::abi::plain>;
  using allocator = heap_memory;
  using symbol_resolver = absolute_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
  using verifier = kmodld::no_signatures;
  using hooks = link_job&;

  template <class C>
  using pipeline =
      kmodld::pipeline<kmodld::steps::module_sig_check, kmodld::steps::elf_header_check<C>,
                       read_object<C>, place_object<C>, kmodld::steps::simplify_symbols<C>,
                       kmodld::steps::apply_relocations<C>, read_result<C>>;
};

/// Only the layout.
template <class Arch>
struct place_config : link_config<Arch> {
  template <class C>
  using pipeline =
      kmodld::pipeline<kmodld::steps::module_sig_check, kmodld::steps::elf_header_check<C>,
                       read_object<C>, place_object<C>, read_places<C>>;
};

} // namespace linux_like
