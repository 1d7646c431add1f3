// expect: order_of<kmodld::steps::rewrite_section_headers<config>, kmodld::load_info, false>
// SPDX-License-Identifier: MIT
// A Config drops a step whose value later ones need.
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
  using pipeline = kmodld::drop_step<kmodld::load_module<C>, kmodld::steps::setup_load_info<C>>;
#endif
};

bool use(kmodld::loader<config>& l) { return l.load({}).has_value(); }
