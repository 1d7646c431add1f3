// SPDX-License-Identifier: MIT
// A host for the tests of the loader and of its steps.
//
//   auto host = make_host();                       // or make_host(kernel::v6_12)
//   auto ref = host->load(simple_module("demo"));
//   CHECK(host->clean());
//
// The loaders behind it are compiled once a program, in fixture_test.cpp of each folder.
#pragma once

#include "loader/policies.hpp"
#include "support/module_builder.hpp"

#include <kmodld/loader.hpp>

#include <memory>

namespace kmodld::test {

using builder = module_builder<x86_64_numbers>;

/// Which abi the host has. `options`: with constructors, live patches and the retpoline warning;
/// `lenient`: symbols without version and missing namespace imports pass; `strict`: nothing is
/// loaded or unloaded by force, KALLSYMS without KALLSYMS_ALL; `unversioned`: without MODVERSIONS.
enum class kernel { v6_1, v6_12, options, lenient, strict, unversioned };

using memory_kinds = hosted::counting_allocator<test_memory>;

/// The policies, and a loader over them.
class host {
public:
  virtual ~host() = default;
  virtual result<module_ref> load(byte_view image, std::string_view args = {},
                                  load_flags flags = {}) = 0;
  virtual result<void> unload(std::string_view name, unload_flags flags = {}) = 0;
  virtual module_ref find(std::string_view name) = 0;
  virtual module_list const& modules() = 0;
  virtual kernel_settings& settings() = 0;
  virtual u32 taints() = 0;
  virtual std::string_view last_unloaded() = 0;
  virtual u32 last_unloaded_taints() = 0;
  /// What the loader's destructor does; the policies stay to be looked at.
  virtual void end() = 0;

  promises promised;
  event_log log;
  test_protector protector{&promised};
  test_memory memory{&promised, &protector};
  memory_kinds allocator{memory};
  test_symbols symbols{.p = &promised};
  test_notifier notifier{.p = &promised, .log = &log};
  test_lock lock{.p = &promised};
  test_percpu percpu{.p = &promised};
  test_verifier verifier;
  test_invoker invoker{.p = &promised, .log = &log};
  test_parameters parameters{.log = &log};
  test_introspection introspection{.p = &promised, .log = &log};
  test_tracer tracer;
  test_diagnostics diagnostics;
  test_reclaimer reclaimer{.p = &promised};
  test_hooks hooks{.p = &promised, .log = &log};

  /// Everything that is held, as text to compare before and after; empty: nothing.
  std::string held() {
    std::string out;
    auto add = [&out](char const* what, u64 n) {
      if (n != 0)
        out.append(what).append(" ").append(std::to_string(n)).append("; ");
    };
    add("regions", allocator.live_regions());
    add("protected", protector.ranges.size());
    add("exports", symbols.exports_of_modules());
    add("percpu", percpu.live.size());
    add("sysfs", introspection.tree.size());
    add("finalized", hooks.finalized.size());
    add("parameters", parameters.allocated.size());
    for (module& m : modules()) {
      out += "module " + std::string{m.name()};
      add(", references", m.refcnt.load());
      for (module_use* u = m.source_list; u != nullptr; u = u->next_source)
        out += "used by " + std::string{u->user->name()} + "; ";
    }
    return out;
  }
  /// No promise was broken, no memory given back twice.
  bool sound() const {
    return promised.broken == 0 && promised.lock_depth == 0 && allocator.mistakes() == 0;
  }
  bool clean() { return held().empty() && sound() && notifier.balanced(); }

  void forget_events() {
    log.clear();
    tracer.entered.clear();
    tracer.undone_actions.clear();
    diagnostics.all.clear();
  }
};

std::unique_ptr<host> make_host(kernel k = kernel::v6_1);

/// errno and code of a load that must fail.
inline errc code_of(result<module_ref> const& r) { return r ? errc::ok : r.error().code; }
inline int errno_of(result<module_ref> const& r) { return r ? 0 : r.error().os_errno(); }
inline errc code_of(result<void> const& r) { return r ? errc::ok : r.error().code; }

/// A module with text, init and exit: a starting point.
inline builder simple_builder(std::string_view name = "demo", std::string_view license = "GPL") {
  builder b{name, license};
  u32 text = b.text(bytes_of({0x31, 0xc0, 0xc3, 0xc3}));
  b.init(text, 0).exit(text, 3);
  return b;
}
inline byte_vector simple_module(std::string_view name = "demo", std::string_view license = "GPL") {
  return simple_builder(name, license).build().bytes;
}

/// A module that exports `function` (and nothing else).
inline byte_vector exporting_module(std::string_view name, std::string_view function,
                                    bool gpl = false, std::string_view license = "GPL",
                                    std::string_view name_space = {}, u32 crc = 0x1234) {
  builder b{name, license};
  u32 text = b.text(bytes_of({0xc3, 0xc3, 0xc3}));
  b.init(text, 0).exit(text, 1);
  b.export_symbol(function, b.function(function, text, 2), gpl, name_space, crc);
  return b.build().bytes;
}

/// Something of everything: uses base_function, exports full_function, has parameters `number` and
/// `flag`, per-CPU data, notes, init sections, call sites, debug descriptors, data that is sealed.
builder full_builder(std::string_view name = "full");
inline byte_vector full_module() { return full_builder().build().bytes; }
inline byte_vector base_module() { return exporting_module("base", "base_function"); }

} // namespace kmodld::test
