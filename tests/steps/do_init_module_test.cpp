// SPDX-License-Identifier: MIT
// Constructors, init, and what is left behind them.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("do_init_module: a positive answer is success with a note") {
  auto h = make_host();
  h->invoker.answer = 7;
  module& m = loaded(*h, simple_module());
  CHECK(m.state == module_state::live);
  CHECK(h->diagnostics.said("do_init_module: 'demo'->init suspiciously returned 7, it should "
                            "follow 0/-E convention"));
}

TEST_CASE("do_init_module: any negative answer is the result") {
  for (int answer : {-1, -19, -4095, -100000, -2147483647 - 1}) {
    auto h = make_host();
    h->invoker.answer = answer;
    error e = refused(*h, simple_module(), errc::init_failed, "do_init_module");
    CHECK(static_cast<i64>(e.number[0]) == -i64{answer});
  }
}

TEST_CASE("do_init_module: GOING is told to everybody before anything goes") {
  auto h = make_host();
  h->invoker.answer = -5;
  h->log.clear();
  refused(*h, simple_module(), errc::init_failed, "do_init_module");
  CHECK(h->log == event_log{"audit demo", "finalize demo", "ftrace_enable demo", "klp_coming demo",
                            "notify COMING demo", "trace_load demo", "init demo",
                            "notify GOING demo", "klp_going demo", "ftrace_release demo",
                            "trace_free demo", "ddebug_remove demo", "cleanup demo"});
}

TEST_CASE("do_init_module: without init the module lives at once") {
  auto h = make_host();
  CHECK(loaded(*h, builder{"demo"}).state == module_state::live);
  CHECK(h->invoker.called.empty());
}

TEST_CASE("do_init_module: constructors in the table's order, before init") {
  auto h = make_host(kernel::options);
  builder b{"demo"};
  u32 const text = b.text(byte_vector(16));
  b.init(text, 0);
  u32 const ctors = b.writable(byte_vector(16), ".ctors");
  b.pointer(ctors, 0, b.section_symbol(text), 8);
  b.pointer(ctors, 8, b.section_symbol(text), 4);
  module& m = loaded(*h, b);
  CHECK(h->invoker.called == std::vector<address>{m.init + 8, m.init + 4, m.init});
}

TEST_CASE("do_init_module: state and notifications around init") {
  auto h = make_host();
  module_state during{};
  h->invoker.during_init = [&](module& m) { during = m.state; };
  module& m = loaded(*h, simple_module());
  CHECK(during == module_state::coming);
  CHECK(m.state == module_state::live);
  std::size_t const n = h->log.size();
  CHECK(h->log[n - 4] == "init demo");
  CHECK(h->log[n - 3] == "notify LIVE demo");
  CHECK(h->log[n - 2] == "announce demo");
  CHECK(h->log[n - 1] == "async_synchronize");
}

TEST_CASE("do_init_module: init memory goes after a grace period, its kinds only") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    loaded(*h, base_module());
    unsigned grace = 0;
    u64 regions = 0;
    h->invoker.during_init = [&](module& m) {
      grace = h->reclaimer.grace_periods;
      regions = h->allocator.live_regions();
      CHECK(m.memories[k == kernel::v6_1 ? 1 : 4].memory.size != 0);
    };
    module& m = loaded(*h, full_module());
    CHECK(h->reclaimer.grace_periods == grace + 1);
    CHECK(h->allocator.live_regions() == regions - (k == kernel::v6_1 ? 1 : 3));
    for (module_memory const& part : m.all_memories()) {
      bool const init = part.kind == memory_kind::init || (part.kind >= memory_kind::init_text &&
                                                           part.kind <= memory_kind::init_rodata);
      CHECK((part.memory.size == 0) == init);
    }
    // No permission is left on what was given back.
    for (auto const& [target, p] : h->protector.ranges)
      CHECK(h->modules().find_containing({target}) != nullptr);
    CHECK(m.kallsyms.load() == &m.core_kallsyms);
    for (section_attribute const& s : m.section_attributes)
      CHECK((s.bytes.empty() || m.host(s.target, s.bytes.size()) == s.bytes.data()));
  }
}

TEST_CASE("do_init_module: exception entries of init are trimmed") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const init = b.text(byte_vector(64), ".init.text");
  u32 const text = b.text(byte_vector(64), ".text.more");
  u32 const table = b.section("__ex_table", elf::sht_progbits, elf::shf_alloc, byte_vector(48), 4);
  u32 const s_init = b.section_symbol(init), s_text = b.section_symbol(text);
  u32 const sections[] = {s_init, s_text, s_init, s_text};
  for (u32 i = 0; i < 4; ++i) {
    b.rela(table, 12 * i, 2, sections[i], i);
    b.rela(table, 12 * i + 4, 2, sections[i], i);
  }
  u32 during = 0;
  h->invoker.during_init = [&](module& m) { during = m.extable.load()->count; };
  module& m = loaded(*h, b);
  CHECK(during == 4);
  CHECK(m.extable.load()->count == 2);
}

} // namespace kmodld::test
