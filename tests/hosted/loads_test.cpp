// SPDX-License-Identifier: MIT
// Whole loads in the arena: many, from two threads, and in memory that was used before.
#include "support/module_builder.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/epoch_reclaimer.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/mutex_lock.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <thread>

namespace {

using namespace kmodld;
using hosted::arena;
using test::byte_vector;
using table_type = symbol_table<arena, hosted::epoch_reclaimer>;

constexpr u64 mib = u64{1} << 20;

struct counting_notifier {
  std::array<std::atomic<unsigned>, 3> events{};
  int notify(module_event event, module&) noexcept {
    ++events[static_cast<std::size_t>(event)];
    return 0;
  }
  unsigned of(module_event e) const { return events[static_cast<std::size_t>(e)]; }
};

template <class Base>
struct host {
  using arch = kmodld::arch::x86_64;
  struct abi : Base {
    static constexpr bool modversions = false;
  };
  using allocator = arena&;
  using symbol_resolver = table_type&;
  using protector = hosted::mprotect_protector&;
  using notifier = counting_notifier&;
  using lock = hosted::mutex_lock&;
  using reclaimer = hosted::epoch_reclaimer&;
  using invoker = no_invoker;
};

template <class Base = abi::linux_6_12>
struct machine {
  arena memory{{.size = 64 * mib}};
  hosted::mprotect_protector protector{memory};
  hosted::epoch_reclaimer reclaimer;
  hosted::mutex_lock lock;
  counting_notifier notifier;
  table_type symbols{memory, reclaimer, {.bounded_by = {{1}, {0}}}};
  loader<host<Base>> loads{{.allocator = memory,
                            .symbol_resolver = symbols,
                            .protector = protector,
                            .notifier = notifier,
                            .lock = lock,
                            .reclaimer = reclaimer}};

  u64 value_of(std::string const& name) {
    lock_guard hold{lock};
    exported_symbol found;
    return symbols.find(name, true, found) ? found.value.value : 0;
  }
};

using builder = test::module_builder<test::x86_64_numbers>;
constexpr u32 word = test::x86_64_numbers::word;

/// Exports base_function.
byte_vector base_image() {
  builder m{"base"};
  u32 const text = m.text(byte_vector(64, std::byte{0x90}));
  m.init(text, 0).exit(text, 16);
  m.export_symbol("base_function", m.function("base_function", text, 32));
  return m.build().bytes;
}

/// Exports NAME_text and NAME_data; at the latter stand the addresses of base_function and
/// NAME_text. `size` is that of code and data.
byte_vector image(std::string const& name, u64 size) {
  builder m{name};
  auto const bytes = static_cast<std::size_t>(size);
  u32 const text = m.text(byte_vector(bytes, std::byte{0x90}));
  u32 const init = m.text(byte_vector(48, std::byte{0xcc}), ".init.text");
  u32 const data = m.writable(byte_vector(bytes + 16, std::byte{7}));
  std::fill_n(m.data(data).begin(), 16, std::byte{});
  m.rodata(byte_vector(bytes / 3 + 5, std::byte{3}));
  m.writable(byte_vector(9, std::byte{1}), ".init.data");
  m.rodata(byte_vector(3, std::byte{2}), ".init.rodata");
  m.nobits(".bss", elf::shf_alloc | elf::shf_write, size + 100, 64);
  m.init(init, 0).exit(text, 16);
  u32 const function = m.function(name + "_text", text, 32);
  m.export_symbol(name + "_text", function);
  m.export_symbol(name + "_data", m.symbol(name + "_data", data, 0));
  m.rela(data, 0, word, m.undefined("base_function"), 0);
  m.rela(data, 8, word, function, 0);
  return m.build().bytes;
}

/// What code and data of a loaded module have to be, by its exports.
template <class Machine>
bool right(Machine& m, std::string const& name, u64 size) {
  auto const* data = reinterpret_cast<std::byte const*>(m.value_of(name + "_data"));
  auto const* text = reinterpret_cast<std::byte const*>(m.value_of(name + "_text"));
  if (data == nullptr || text == nullptr)
    return false;
  u64 pointers[2];
  std::memcpy(pointers, data, sizeof pointers);
  return pointers[0] == m.value_of("base_function") &&
         pointers[1] == reinterpret_cast<std::uintptr_t>(text) &&
         std::all_of(data + 16, data + 16 + size, [](std::byte b) { return b == std::byte{7}; }) &&
         std::all_of(text, text + size - 32, [](std::byte b) { return b == std::byte{0x90}; });
}

struct sample {
  std::string name;
  u64 size;
  byte_vector bytes;
  bool loaded = false;
};
std::vector<sample> samples(std::string const& prefix, unsigned count) {
  std::vector<sample> out;
  for (unsigned i = 0; i < count; ++i) {
    u64 const size = 64 + i * i * 40; // from one page to five
    std::string const name = prefix + std::to_string(i);
    out.push_back({name, size, image(name, size)});
  }
  return out;
}

struct tally {
  unsigned loads = 0, unloads = 0, mistakes = 0;
  u64 highest = 0;
};

/// Loads or unloads one of `all` at random, so many times, then unloads what is left.
template <class Machine>
tally come_and_go(Machine& m, std::vector<sample>& all, unsigned steps, u32 seed) {
  tally out;
  std::mt19937 random{seed};
  auto const unload = [&](sample& s) {
    out.mistakes += !right(m, s.name, s.size) || !m.loads.unload(s.name);
    s.loaded = false;
    ++out.unloads;
  };
  for (unsigned i = 0; i < steps; ++i) {
    sample& s = all[random() % all.size()];
    if (s.loaded) {
      unload(s);
      continue;
    }
    auto const loaded = m.loads.load(s.bytes);
    ++out.loads;
    s.loaded = loaded.has_value();
    if (!loaded) {
      ++out.mistakes;
      continue;
    }
    out.mistakes += !right(m, s.name, s.size);
    for (module_memory const& part : (*loaded)->all_memories())
      if (part.memory.size != 0)
        out.highest =
            std::max(out.highest, part.memory.target + part.memory.size - m.memory.range().target);
  }
  for (sample& s : all)
    if (s.loaded)
      unload(s);
  return out;
}

/// The arena is as it was in the beginning, once the base module is gone, too.
template <class Machine>
void check_empty(Machine& m) {
  module_ref const base = m.loads.find("base");
  REQUIRE(base);
  CHECK(base->refcnt.load() == 2); // its own and this one: nobody uses it any more
  for (module& left : m.loads.modules())
    CHECK(left.name() == "base");
}
template <class Machine>
void check_whole(Machine& m) {
  CHECK(m.loads.unload("base"));
  CHECK(m.symbols.names() == 0);
  for (int kind = 0; kind <= static_cast<int>(memory_kind::init); ++kind)
    CHECK(m.memory.in_use(static_cast<memory_kind>(kind)) == 0);
  region all;
  REQUIRE(m.memory.allocate({memory_kind::text, m.memory.range().size, 1, {}, false}, all) ==
          memory_status::ok);
  m.memory.release(memory_kind::text, all);
}

TEST_CASE("thousands of loads through one loader take no more memory than the first hundreds") {
  machine m;
  REQUIRE(m.loads.load(base_image()));
  auto all = samples("m", 24);
  tally const first = come_and_go(m, all, 500, 1);
  u64 const records = m.memory.in_use(memory_kind::record);
  tally const rest = come_and_go(m, all, 2500, 2);
  CHECK(first.mistakes + rest.mistakes == 0);
  CHECK(rest.loads > 1000);
  CHECK(rest.highest <= first.highest + 2 * mib);
  CHECK(m.memory.in_use(memory_kind::record) == records);
  CHECK(m.memory.in_use(memory_kind::scratch) == 0);
  check_empty(m);
  check_whole(m);
}

TEST_CASE("two threads load and unload different modules at once") {
  machine m;
  REQUIRE(m.loads.load(base_image()));
  tally sum[2];
  std::vector<sample> all[2] = {samples("a", 12), samples("b", 12)};
  std::thread other{[&] { sum[1] = come_and_go(m, all[1], 800, 4); }};
  sum[0] = come_and_go(m, all[0], 800, 3);
  other.join();
  unsigned const loads = sum[0].loads + sum[1].loads, unloads = sum[0].unloads + sum[1].unloads;
  CHECK(sum[0].mistakes == 0);
  CHECK(sum[1].mistakes == 0);
  CHECK(loads == unloads);
  CHECK(m.notifier.of(module_event::coming) == loads + 1);
  CHECK(m.notifier.of(module_event::live) == loads + 1);
  CHECK(m.notifier.of(module_event::going) == unloads);
  // What each did is what it does alone.
  machine alone;
  REQUIRE(alone.loads.load(base_image()));
  for (int i : {0, 1}) {
    tally const again = come_and_go(alone, all[i], 800, static_cast<u32>(3 + i));
    CHECK(again.mistakes == 0);
    CHECK(again.loads == sum[i].loads);
    CHECK(again.unloads == sum[i].unloads);
  }
  check_empty(m);
  check_whole(m);
}

/// Regions as they are when the module is live, and those of init as they are when they go.
struct picture {
  memory_kind kind;
  u64 at;
  byte_vector bytes;
};

/// Fills what need not be zero, and keeps what module memory held at its release.
struct filling_memory {
  arena& inner;
  std::byte fill;
  bool says_zero = false; ///< of module memory that was filled
  std::vector<picture> released{};

  memory_status allocate(memory_request const& q, region& out) noexcept {
    memory_status const status = inner.allocate(q, out);
    if (status == memory_status::ok && !q.zeroed) {
      std::memset(out.host, static_cast<int>(fill), static_cast<std::size_t>(out.size));
      out.zero = says_zero;
    }
    return status;
  }
  void release(memory_kind kind, region r) noexcept {
    if (kind <= memory_kind::init)
      released.push_back({kind, r.target - inner.range().target, {r.host, r.host + r.size}});
    inner.release(kind, r);
  }
};

template <class Base>
struct filling_host {
  using arch = kmodld::arch::x86_64;
  struct abi : Base {
    static constexpr bool modversions = false;
  };
  using allocator = filling_memory&;
  using symbol_resolver = symbol_table<arena>&;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
};

/// All that module memory held, if it is `fill` beforehand.
template <class Base>
std::vector<picture> pictures(arena& memory, std::byte fill, bool says_zero = false) {
  filling_memory filling{memory, fill, says_zero};
  symbol_table<arena> symbols{memory};
  REQUIRE(symbols.add("base_function", {.value = {0x1000}}));
  loader<filling_host<Base>> loads{{.allocator = filling, .symbol_resolver = symbols}};
  for (sample const& s : samples("z", 12)) {
    REQUIRE(loads.load(s.bytes));
    REQUIRE(loads.unload(s.name));
  }
  return std::move(filling.released);
}

TEST_CASE_TEMPLATE("memory that was not zeroed ends like memory that was", Base, abi::linux_6_1,
                   abi::linux_6_12) {
  arena memory{{.size = 64 * mib}}; // gives the same places when it is empty again
  auto const zero = pictures<Base>(memory, std::byte{});
  auto const poisoned = pictures<Base>(memory, std::byte{0xa5});
  REQUIRE(zero.size() == poisoned.size());
  CHECK(zero.size() > 12);
  for (std::size_t i = 0; i < zero.size(); ++i) {
    CAPTURE(i);
    CHECK(zero[i].kind == poisoned[i].kind);
    CHECK(zero[i].at == poisoned[i].at);
    CHECK(zero[i].bytes == poisoned[i].bytes);
  }
}

TEST_CASE_TEMPLATE("memory that is zero already is not made so again", Base, abi::linux_6_1,
                   abi::linux_6_12) {
  arena memory{{.size = 64 * mib}};
  auto const made = pictures<Base>(memory, std::byte{0xa5});
  auto const was = pictures<Base>(memory, std::byte{}, true);
  auto const lie = pictures<Base>(memory, std::byte{0xa5}, true);
  REQUIRE(made.size() == was.size());
  REQUIRE(made.size() == lie.size());
  std::size_t left = 0, wrong = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    CAPTURE(i);
    CHECK(made[i].bytes == was[i].bytes);
    for (std::size_t k = 0; k < made[i].bytes.size(); ++k)
      if (lie[i].bytes[k] != made[i].bytes[k]) {
        ++(made[i].bytes[k] == std::byte{} && lie[i].bytes[k] == std::byte{0xa5} ? left : wrong);
      }
  }
  CHECK(left > 4096); // what nobody wrote
  CHECK(wrong == 0);
}

} // namespace
