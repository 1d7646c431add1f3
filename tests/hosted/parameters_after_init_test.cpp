// SPDX-License-Identifier: MIT
// A parameter that is set while the module's init ends: what init leaves behind is not given back
// before that is done.
#include "support/module_builder.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/epoch_reclaimer.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/mutex_lock.hpp>
#include <kmodld/kmodld.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <thread>

namespace {

using namespace kmodld;

/// Tells when memory of init was given back.
struct watched_arena {
  hosted::arena& memory;
  std::atomic<bool> init_given_back{false};

  memory_status allocate(memory_request const& q, region& out) noexcept {
    return memory.allocate(q, out);
  }
  void release(memory_kind kind, region given) noexcept {
    if (kind == memory_kind::init)
      init_given_back = true;
    memory.release(kind, given);
  }
};

/// Takes its time.
struct slow_parameters {
  watched_arena& memory;
  std::atomic<bool> inside{false};
  bool kept = false; ///< memory of init was there all the time

  int set(module&, kernel_param const&, std::string_view) noexcept {
    inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    kept = !memory.init_given_back;
    return 0;
  }
  int get(module&, kernel_param const&, std::span<char>) noexcept { return 0; }
  bool no_argument(module&, kernel_param const&) noexcept { return true; }
  void free(module&, kernel_param const&) noexcept {}
};

/// Runs what it is told when a module is live.
struct at_live {
  std::function<void(module&)> run;
  int notify(module_event event, module& m) noexcept {
    if (event == module_event::live)
      run(m);
    return 0;
  }
};

struct host {
  using arch = kmodld::arch::x86_64;
  struct abi : kmodld::abi::linux_6_1 {
    static constexpr bool modversions = false;
  };
  using allocator = watched_arena&;
  using symbol_resolver = no_symbols;
  using protector = hosted::mprotect_protector;
  using notifier = at_live&;
  using invoker = no_invoker;
  using parameters = slow_parameters&;
  using lock = hosted::mutex_lock&;
  using reclaimer = hosted::epoch_reclaimer&;
};

} // namespace

TEST_CASE("init memory outlives a set_parameter that began before it was given back") {
  test::module_builder<test::x86_64_numbers> m{"demo"};
  u32 const text = m.text(test::byte_vector(16), ".init.text");
  u32 const data = m.writable(test::byte_vector(16));
  m.init(text, 0);
  m.param("p", m.section_symbol(data), m.section_symbol(data));
  auto const file = m.build();

  hosted::arena arena;
  watched_arena memory{arena};
  slow_parameters parameters{memory};
  at_live notifier;
  hosted::mutex_lock lock;
  hosted::epoch_reclaimer reclaimer;
  loader<host> loads{{.allocator = memory,
                      .notifier = notifier,
                      .lock = lock,
                      .parameters = parameters,
                      .reclaimer = reclaimer}};
  std::thread other;
  notifier.run = [&](module& live) {
    other = std::thread{[&] { CHECK(loads.set_parameter(live, "p", "1").has_value()); }};
    while (!parameters.inside)
      std::this_thread::yield();
  };
  auto const loaded = loads.load(file.view());
  REQUIRE(loaded);
  other.join();
  CHECK(parameters.kept);
  CHECK(memory.init_given_back);
}
