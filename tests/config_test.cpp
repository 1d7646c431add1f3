// SPDX-License-Identifier: MIT
// A Config with the five policies alone; what the optional ones cost when they are not named.
// What is wrong with a Config is told by the compiler: tests/compile_fail.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/loader.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace kmodld::test {
namespace {

struct empty_allocator {
  memory_status allocate(memory_request const&, region&) noexcept { return memory_status::no_room; }
  void release(memory_kind, region) noexcept {}
};

struct least {
  using arch = kmodld::arch::x86_64;
  using allocator = empty_allocator;
  using symbol_resolver = no_symbols;
  using protector = no_protection;
  using notifier = no_notifier;
};

struct by_reference : least {
  using allocator = empty_allocator&;
};

struct everything : least {
  using abi = kmodld::abi::linux_6_12;
  using lock = no_lock;
  using percpu = percpu_archetype;
  using verifier = no_keys_verifier;
  using invoker = no_invoker;
  using parameters = no_parameters;
  using introspection = no_introspection;
  using tracer = no_tracer;
  using diagnostics = no_diagnostics;
  using reclaimer = no_reclaimer;
  using hooks = no_hooks;
};

} // namespace

TEST_CASE("defaults of the optional policies") {
  using p = policies<least>;
  CHECK(std::is_same_v<decltype(p::lock), no_lock>);
  CHECK(std::is_same_v<decltype(p::percpu), uniprocessor>);
  CHECK(std::is_same_v<decltype(p::verifier), no_keys_verifier>);
  CHECK(std::is_same_v<decltype(p::invoker), direct_invoker>);
  CHECK(std::is_same_v<decltype(p::parameters), no_parameters>);
  CHECK(std::is_same_v<decltype(p::introspection), no_introspection>);
  CHECK(std::is_same_v<decltype(p::tracer), no_tracer>);
  CHECK(std::is_same_v<decltype(p::diagnostics), no_diagnostics>);
  CHECK(std::is_same_v<decltype(p::reclaimer), no_reclaimer>);
  CHECK(std::is_same_v<decltype(p::hooks), no_hooks>);
  CHECK(std::is_same_v<environment<least>::abi, abi::linux_6_1>);
  CHECK(std::is_same_v<environment<everything>::abi, abi::linux_6_12>);
  CHECK(!environment<least>::smp);
  CHECK(environment<everything>::smp);
}

TEST_CASE("an unused optional policy takes no bytes") {
  // Four empty members that are always there have a byte each; the ten others none.
  CHECK(sizeof(policies<least>) <= 4 + 4);
}

TEST_CASE("a policy by reference is the caller's object") {
  empty_allocator mine;
  policies<by_reference> p{mine};
  CHECK(&p.allocator == &mine);
}

TEST_CASE("no_parameters refuses to be set and read") {
  no_parameters none;
  module m;
  kernel_param p;
  CHECK(none.set(m, p, "1") == e_inval);
  CHECK(none.get(m, p, {}) == -e_perm);
  CHECK(!none.no_argument(m, p));
}

TEST_CASE("a loader with the five policies alone answers") {
  loader<least> l;
  auto r = l.load({});
  REQUIRE(!r);
  CHECK(r.error().code == errc::elf_header_len);
  CHECK(r.error().os_errno() == e_noexec);
  CHECK(decltype(l)::pipeline_type::names[r.error().step - 1] == "elf_header_check");
  CHECK(!l.find("nobody"));
  CHECK(!l.unload("nobody"));
  CHECK(l.taints() == 0);
}

TEST_CASE("two loaders live beside each other") {
  loader<least> a;
  loader<everything> b;
  a.settings().modules_disabled = true;
  CHECK(a.load({}).error().code == errc::not_permitted);
  CHECK(b.load({}).error().code == errc::elf_header_len);
}

} // namespace kmodld::test
