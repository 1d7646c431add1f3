// SPDX-License-Identifier: MIT
// module_finalize: what its context gives, when it runs, and what a failure gives back.
#include "loader/policies.hpp"
#include "support/module_builder.hpp"

#include <kmodld/linux/patch_tables.hpp>
#include <kmodld/loader.hpp>

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

using builder = module_builder<x86_64_numbers>;
using context = finalize_context<arch::x86_64>;

/// The hook of a host, and behind it that of the architecture.
struct finalizer {
  event_log* log = nullptr;
  std::function<int(context const&)> work{};
  unsigned finalized = 0, cleaned = 0;

  int finalize(context const& c) noexcept {
    log->push_back("host");
    int const answer = work ? work(c) : 0;
    finalized += answer == 0;
    return answer;
  }
  void cleanup(module&) noexcept { ++cleaned; }
};

/// x86-64 with a module_finalize of its own: it turns the first byte of .text.arch into 0xcc.
struct patched_x86_64 : arch::x86_64 {
  static int finalize(auto const& c) noexcept {
    region const r = c.section(".text.arch"sv);
    if (r.size == 0)
      return 0;
    if (r.size < 4)
      return e_inval;
    *r.host = std::byte{0xcc};
    return 0;
  }
};
/// One that takes the module alone, as a hook may.
struct plain_finalizer {
  unsigned finalized = 0, cleaned = 0;
  int finalize(module& m) noexcept {
    finalized += m.name() == "demo"sv;
    return 0;
  }
  void cleanup(module&) noexcept { ++cleaned; }
};
/// With the context of any architecture.
struct any_finalizer : finalizer {
  int answer = 0;
  int finalize(auto const& c) noexcept {
    log->push_back("host");
    finalized += c.section(".text.arch"sv).host != nullptr;
    return answer;
  }
};
static_assert(finalize_hook<finalizer, arch::x86_64>);
static_assert(finalize_hook<plain_finalizer, arch::x86_64>);
static_assert(finalize_hook<any_finalizer, patched_x86_64>);
static_assert(!finalize_hook<finalizer, patched_x86_64>); // has the context of another one
static_assert(!finalize_hook<no_hooks, arch::x86_64>);

/// Remembers what it flushed with the bytes that stood there.
struct flushing_protector : test_protector {
  event_log* log = nullptr;
  std::vector<byte_vector> bytes{};
  void flush_icache(region r) noexcept {
    log->push_back("flush");
    bytes.emplace_back(r.host, r.host + r.size);
    test_protector::flush_icache(r);
  }
};

using memory_kinds = hosted::counting_allocator<test_memory>;

template <class Arch, class Hooks, class Base>
struct config {
  using arch = Arch;
  using allocator = memory_kinds&;
  using symbol_resolver = no_symbols;
  using protector = flushing_protector&;
  using notifier = no_notifier;
  using invoker = test_invoker&;
  using hooks = Hooks;
  using tracer = test_tracer&;
  using diagnostics = test_diagnostics&;
  struct abi : Base {
    static constexpr bool modversions = false;
  };
};

template <class Hooks = finalizer, class Arch = arch::x86_64, class Base = abi::linux_6_1>
struct finalize_host {
  using config_type = config<Arch, Hooks, Base>;
  promises promised;
  event_log log;
  flushing_protector protector{{.p = &promised}, &log};
  test_memory memory{&promised, &protector};
  memory_kinds allocator{memory};
  test_invoker invoker{.p = &promised, .log = &log};
  test_tracer tracer;
  test_diagnostics diagnostics;
  loader<config_type> l{policies<config_type>{.allocator = allocator,
                                              .symbol_resolver = {},
                                              .protector = protector,
                                              .notifier = {},
                                              .invoker = invoker,
                                              .tracer = tracer,
                                              .diagnostics = diagnostics,
                                              .hooks = {}}};

  Hooks& hooks() { return l.policies().hooks; }
  result<module_ref> load(builder const& b) {
    if constexpr (requires { hooks().log; })
      hooks().log = &log;
    return l.load(b.build().bytes);
  }
  bool clean() {
    return l.modules().empty() && allocator.live_regions() == 0 && allocator.mistakes() == 0 &&
           protector.ranges.empty() && promised.broken == 0;
  }
};

/// Two alternatives; `elsewhere`: the second is for code that is not the module's.
builder module_with_alternatives(bool elsewhere = false) {
  builder b{"demo"};
  u32 const text = b.text(byte_vector(32, std::byte{0x90}));
  b.init(text, 0).exit(text, 1);
  u32 const other = b.text(byte_vector(8, std::byte{0xaa}), ".altinstr_replacement");
  u32 const t = b.section(".altinstructions", elf::sht_progbits, elf::shf_alloc, byte_vector(24));
  u32 const site = b.section_symbol(text), replacement = b.section_symbol(other);
  for (u32 i = 0; i < 2; ++i) {
    if (i == 1 && elsewhere)
      b.rela(t, 12 * i, 2, b.symbol("elsewhere", elf::shn_abs, 0xffffffffc1000000), 0);
    else
      b.rela(t, 12 * i, 2, site, 8 + 4 * i);
    b.rela(t, 12 * i + 4, 2, replacement, 2 * i);
    b.data(t)[12 * i + 8] = static_cast<std::byte>(i); // the feature
    b.data(t)[12 * i + 10] = std::byte{4};
    b.data(t)[12 * i + 11] = std::byte{2};
  }
  return b;
}

/// Puts every replacement in.
int apply_all(context const& c) noexcept {
  for (alternative const& a : c.entries<alt_instr>(".altinstructions")) {
    auto const site = c.bytes(a.site, a.site_size);
    auto const with = c.bytes(a.replacement, a.replacement_size);
    if (site.empty() || with.size() > site.size())
      return e_noexec;
    std::copy(with.begin(), with.end(), site.begin());
  }
  return 0;
}

} // namespace

TEST_CASE("module_finalize: code is patched through the tables, before it is flushed and sealed") {
  finalize_host<> h;
  h.hooks().work = [&](context const& c) {
    CHECK(h.protector.batches.empty());
    CHECK(c.record.kallsyms.load() == &c.record.full_kallsyms); // the symbols are there
    CHECK(&c.settings == &h.l.settings());
    CHECK(c.entries<alt_instr>(".altinstructions").size() == 2);
    CHECK(c.entries<alt_instr>(".altinstructions")[1].feature == 1);
    return apply_all(c);
  };
  auto m = h.load(module_with_alternatives());
  REQUIRE(m);
  CHECK(h.log == event_log{"host", "flush", "flush", "init demo"}); // init's memory, then core
  // What was flushed has the patched bytes.
  region const& flushed = h.protector.flushed.at(1);
  REQUIRE(flushed.contains((**m).init));
  u64 const text = (**m).init - flushed.target;
  byte_vector expected(32, std::byte{0x90});
  expected[8] = expected[9] = expected[12] = expected[13] = std::byte{0xaa};
  byte_vector const& bytes = h.protector.bytes.at(1);
  CHECK(byte_vector(bytes.begin() + static_cast<long>(text),
                    bytes.begin() + static_cast<long>(text + 32)) == expected);
  CHECK(h.protector.ranges.contains(flushed.target.value));
  CHECK(h.l.unload(*m));
  CHECK(h.hooks().cleaned == 1);
  CHECK(h.clean());
}

TEST_CASE("module_finalize: sections by name, bytes only of the module") {
  finalize_host<> h;
  builder b = module_with_alternatives();
  b.section(".comment", elf::sht_progbits, 0, byte_vector(8)); // not kept
  b.section("twice", elf::sht_progbits, elf::shf_alloc, byte_vector(3));
  b.section("twice", elf::sht_progbits, elf::shf_alloc, byte_vector(5));
  h.hooks().work = [&](context const& c) {
    CHECK(c.section(".nothing").host == nullptr);
    CHECK(c.section(".comment").host == nullptr);
    CHECK(c.section("").host == nullptr);
    CHECK(c.section("twice").size == 3);
    CHECK(c.entries<alt_instr>(".nothing").empty());
    region const t = c.section(".altinstructions");
    CHECK(t.size == 24);
    CHECK(c.bytes(t.target, 24).data() == t.host);
    region const whole = c.record.memories[0].memory;
    address const end = whole.target + whole.size;
    CHECK(c.bytes(end + (0 - u64{1}), 1).size() == 1);
    CHECK(c.bytes(end + (0 - u64{1}), 2).empty());
    CHECK(c.bytes(end, 1).empty());
    CHECK(c.bytes({0}, 1).empty());
    CHECK(c.bytes(t.target, ~u64{0}).empty());
    CHECK(c.bytes({~u64{0}}, 8).empty());
    return 0;
  };
  CHECK(h.load(b));
}

TEST_CASE("module_finalize: a table that leads out of the module is told, and nothing is left") {
  finalize_host<> h;
  h.hooks().work = apply_all;
  auto m = h.load(module_with_alternatives(true));
  REQUIRE(!m);
  CHECK(m.error().code == errc::hook_refused);
  CHECK(m.error().os_errno() == e_noexec);
  CHECK(h.tracer.entered.back() == "post_relocation");
  CHECK(h.hooks().cleaned == 0); // the failing one has nothing to clean up
  CHECK(h.log == event_log{"host"});
  CHECK(h.clean());
}

TEST_CASE("module_finalize: every later step may fail, each time it is cleaned up once") {
  finalize_host<> h;
  REQUIRE(h.load(module_with_alternatives()));
  CHECK(h.l.unload("demo"));
  auto const steps = h.tracer.entered;
  auto const last = std::find(steps.begin(), steps.end(), "do_init_module");
  REQUIRE(last != steps.end());
  bool behind = false;
  unsigned tried = 0;
  for (auto step = steps.begin(); step <= last; ++step) {
    CAPTURE(*step);
    h.tracer.fail_step = *step;
    h.hooks().finalized = h.hooks().cleaned = 0;
    h.hooks().work = apply_all;
    CHECK(!h.load(module_with_alternatives()));
    CHECK(h.hooks().finalized == (behind ? 1 : 0));
    CHECK(h.hooks().cleaned == h.hooks().finalized);
    CHECK(h.clean());
    behind = behind || *step == "post_relocation";
    ++tried;
  }
  CHECK(tried >= 30);
}

TEST_CASE("module_finalize: memory may run out anywhere") {
  for (unsigned n = 1;; ++n) {
    finalize_host<> h;
    h.hooks().work = apply_all;
    h.allocator.fail_at(n);
    auto m = h.load(module_with_alternatives());
    if (m) {
      CHECK(n > 5);
      break;
    }
    CHECK(h.hooks().cleaned == h.hooks().finalized);
    CHECK(h.clean());
  }
}

TEST_CASE("module_finalize: the architecture's comes first, and its refusal is the load's") {
  finalize_host<any_finalizer, patched_x86_64> h;
  builder b = module_with_alternatives();
  b.text(byte_vector(4, std::byte{0x90}), ".text.arch");
  auto m = h.load(b);
  REQUIRE(m);
  CHECK(h.hooks().finalized == 1);
  byte_vector const& bytes = h.protector.bytes.at(1);
  CHECK(std::count(bytes.begin(), bytes.end(), std::byte{0xcc}) == 1);
  CHECK(h.l.unload(*m));
  h.log.clear();
  builder small = module_with_alternatives();
  small.text(byte_vector(3), ".text.arch");
  auto refused = h.load(small);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::finalize_failed);
  CHECK(refused.error().os_errno() == e_inval);
  CHECK(h.log.empty()); // the host was not asked
  CHECK(h.clean());
  h.hooks().answer = e_inval;
  auto by_host = h.load(b);
  REQUIRE(!by_host);
  CHECK(by_host.error().code == errc::hook_refused);
  CHECK(h.log == event_log{"host"});
  CHECK(h.clean());
}

TEST_CASE("module_finalize: seven regions are flushed behind it, and a hook may take the module") {
  finalize_host<plain_finalizer, arch::x86_64, abi::linux_6_12> h;
  auto m = h.load(module_with_alternatives());
  REQUIRE(m);
  CHECK(h.hooks().finalized == 1);
  for (module_memory const& part : (**m).all_memories())
    if (part.kind == memory_kind::text)
      CHECK(
          std::any_of(h.protector.flushed.begin(), h.protector.flushed.end(), [&](region const& r) {
            return r.target == part.memory.target && r.size == part.memory.size;
          }));
  CHECK(h.l.unload(*m));
  CHECK(h.hooks().cleaned == 1);
}

} // namespace kmodld::test
