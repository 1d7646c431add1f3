// SPDX-License-Identifier: MIT
// linux-*: the whole loader, with policies that answer from the record and one step more. It looks
// at memory where the real kernels were stopped, at the entry of module_finalize, and makes the
// load fail there, so that its undo is seen too.
#pragma once

#include "verify/kernels.hpp"
#include "verify/linux_policies.hpp"

#include <kmodld/kmodld.hpp>

namespace kmodld::verify {

/// Copies what is to be compared, then ends the load.
template <class Config>
struct look_at_memory {
  static constexpr std::string_view name = "look_at_memory"sv;
  using needs = types<load_info, section_table, arch_state<typename Config::arch>>;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, load_info const& info, section_table const& table,
                  arch_state<typename Config::arch> const& slots, module_record& m) {
    outcome& out = *env.hooks().out;
    for (module_memory const& part : m->all_memories())
      out.regions.push_back({kind_name(part.kind), part.memory.target.value, part.memory.size,
                             part.text_size, part.ro_size, part.ro_after_init_size});
    for (u32 i = 1; i < table.used; ++i)
      look_at(env, info, table[i], i, *m);
    out.percpu = m->percpu.value;
    out.symtab = table[info.sym].target.value;
    out.strtab = table[info.str].target.value;
    out.asked = env.policy().symbol_resolver.asked;
    // What the architecture defines itself is undefined in the file, but nobody is asked for it.
    for (auto const& entry : env.policy().allocator.source->undefined) {
      std::string const& symbol = entry.first;
      u64 const should = entry.second;
      u64 value = 0;
      static_cast<void>(should);
      if constexpr (requires { slots.state.own_symbol(symbol, value); })
        if (slots.state.own_symbol(symbol, value)) {
          out.asked.insert(symbol);
          if (value != should)
            out.complaints.push_back(symbol + " has another value");
        }
    }
    if constexpr (requires { slots.state.plt_bytes(); }) {
      out.got_address = slots.state.got.value;
      out.plt_address = slots.state.plt.value;
      out.got.assign(slots.state.got_bytes().begin(), slots.state.got_bytes().end());
      out.plt.assign(slots.state.plt_bytes().begin(), slots.state.plt_bytes().end());
    }
    env.hooks().looked = true;
    return env.fail(errc::injected, {.n0 = e_intr});
  }

private:
  template <class Env>
  static void look_at(Env& env, load_info const& info, section_entry const& s, u32 i,
                      module const& m) {
    outcome& out = *env.hooks().out;
    loaded_section l{i, std::string{s.name}, s.target.value, s.size, {}, {}, true};
    if (info.pcpu != 0 && i == info.pcpu) {
      l.address = m.percpu.value;
      l.region = "percpu";
      l.bytes = env.policy().percpu.initial;
      l.bytes.resize(static_cast<std::size_t>(s.size));
    } else if (!s.allocated() || i == info.mod || i == info.sym || i == info.str) {
      return; // not kept, or left out of the ground truth
    } else if (!s.placed()) {
      out.complaints.push_back("section " + std::to_string(i) + " is allocated but has no place");
      return;
    } else {
      l.region = kind_name(m.memories[s.memory].kind);
      auto bytes = s.bytes();
      l.bytes.assign(bytes.begin(), bytes.end());
    }
    out.sections.push_back(std::move(l));
  }
};

template <class Arch, bool SevenKinds, u64 PageSize, bool KallsymsAll>
struct verify_config {
  using arch = Arch;
  using allocator = record_allocator;
  using symbol_resolver = record_resolver;
  using protector = no_protection;
  using notifier = no_notifier;
  using percpu = record_percpu;
  using invoker = no_invoker;
  using hooks = observer;

  // Neither versions nor vermagic: the resolver has no CRCs, and what it is asked for is compared.
  struct abi
      : kmodld::abi::linux_of<
            Arch, std::conditional_t<SevenKinds, kmodld::abi::linux_6_12, kmodld::abi::linux_6_1>> {
    static constexpr u64 page_size = PageSize;
    static constexpr bool kallsyms_all = KallsymsAll;
    static constexpr bool modversions = false;
  };

  template <class C>
  using pipeline = insert_step<load_module<C>, steps::flush_module_icache, look_at_memory<C>>;
};

template <class Config>
void load_linux_as(record const& r, kernel const& k, byte_view image, outcome& out) {
  loader<Config> loader;
  loader.settings().ftrace_caller = {k.ftrace_caller};
  loader.settings().mcount = {k.mcount};
  loader.settings().ftrace_regs_caller = {k.ftrace_regs_caller};
  loader.settings().kernel_toc = {k.kernel_toc};
  auto& policy = loader.policies();
  policy.allocator.source = &r;
  policy.allocator.out = &out;
  policy.symbol_resolver.read(r, weak_names<typename Config::arch::format>(image));
  policy.percpu.answer = {r.percpu};
  policy.hooks.out = &out;
  result<module_ref> loaded = loader.load(image);
  if (!policy.hooks.looked) {
    out.refused =
        loaded ? "nothing, but the load went past look_at_memory" : text_of(loaded.error());
    return;
  }
  policy.allocator.check_all_released();
  policy.percpu.check_released(out);
  if (!loader.modules().empty())
    out.complaints.push_back("the module is still listed after its load was undone");
}

/// The combinations that kernels of the table have: only these are compiled.
template <class Arch, bool SevenKinds, u64 PageSize, bool KallsymsAll>
void load_linux_if(record const& r, kernel const& k, byte_view image, outcome& out) {
  constexpr bool exists = [] {
    for (kernel const& one : kernels)
      if (one.arch == machine_named(Arch::name) && one.seven_kinds == SevenKinds &&
          one.page_size == PageSize && one.kallsyms_all == KallsymsAll)
        return true;
    return false;
  }();
  if constexpr (exists)
    if (k.seven_kinds == SevenKinds && k.page_size == PageSize && k.kallsyms_all == KallsymsAll)
      load_linux_as<verify_config<Arch, SevenKinds, PageSize, KallsymsAll>>(r, k, image, out);
}

template <class Arch>
void load_linux(record const& r, kernel const& k, byte_view image, outcome& out) {
  load_linux_if<Arch, true, 4096, true>(r, k, image, out);
  load_linux_if<Arch, false, 4096, true>(r, k, image, out);
  load_linux_if<Arch, false, 4096, false>(r, k, image, out);
  load_linux_if<Arch, false, 65536, false>(r, k, image, out);
}

} // namespace kmodld::verify
