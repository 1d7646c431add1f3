// expect: order_of<kmodld::steps::module_unload_init, kmodld::module_record, false>
// SPDX-License-Identifier: MIT
// A step that changes a value before it is there.
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
      kmodld::drop_step<kmodld::load_module<C>, kmodld::steps::module_unload_init>,
      kmodld::steps::layout_and_allocate<C>, kmodld::steps::module_unload_init>;
#endif
};

bool use(kmodld::loader<config>& l) { return l.load({}).has_value(); }
