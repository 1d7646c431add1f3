// SPDX-License-Identifier: MIT
// The dry run of a module for this host: with its exports and their CRCs.
#include "check_steps.hpp"

#include "check.hpp"

namespace linux_like {
namespace {

namespace steps = kmodld::steps;

struct check_config : config {
  using verifier = kmodld::no_signatures;
  using tracer = kmodld::no_tracer;
  using diagnostics = finding_diagnostics;

  template <class C>
  using pipeline = kmodld::pipeline<steps::module_sig_check, steps::elf_header_check<C>,
                                    steps::setup_load_info<C>, steps::rewrite_section_headers<C>,
                                    steps::layout_and_allocate<C>, steps::percpu_modalloc,
                                    steps::module_unload_init, steps::find_module_sections,
                                    tolerant<steps::simplify_symbols<C>>, try_relocations<C>>;
};

} // namespace

void check_relocations(host& self, kmodld::byte_view bytes, findings& out) {
  finding_diagnostics::to = &out;
  kmodld::loader<check_config> dry({.allocator = self.memory,
                                    .symbol_resolver = self.exports,
                                    .protector = self.protector,
                                    .notifier = self.notifiers,
                                    .lock = self.lock,
                                    .percpu = self.percpu,
                                    .invoker = self.invoker,
                                    .parameters = self.parameters,
                                    .introspection = self.introspection,
                                    .reclaimer = self.reclaimer,
                                    .hooks = self.hooks});
  static_cast<void>(dry.load(bytes));
}

} // namespace linux_like
