// expect: order_of<kmodld::steps::apply_relocations<config>, kmodld::resolved_symbols, false>
// SPDX-License-Identifier: MIT
// The compiler names the step and the value that it lacks.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/loader.hpp>

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
#ifndef GOOD
  template <class C>
  using pipeline = kmodld::insert_step<
      kmodld::drop_step<kmodld::load_module<C>, kmodld::steps::apply_relocations<C>>,
      kmodld::steps::simplify_symbols<C>, kmodld::steps::apply_relocations<C>>;
#endif
};

bool use(kmodld::loader<config>& l) { return l.load({}).has_value(); }
