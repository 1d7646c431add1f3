// SPDX-License-Identifier: MIT
// Which section becomes which table, with how many entries.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
struct row {
  char const* section;
  module_table module_sections::* to;
  u32 entry_size;
};
// The specification's table, section 10, for 64-bit x86.
row const rows[] = {
    {"__param", &module_sections::kp, 40},
    {"__ksymtab", &module_sections::syms, 12},
    {"__kcrctab", &module_sections::crcs, 4},
    {"__ksymtab_gpl", &module_sections::gpl_syms, 12},
    {"__kcrctab_gpl", &module_sections::gpl_crcs, 4},
    {".noinstr.text", &module_sections::noinstr_text, 1},
    {"__tracepoints_ptrs", &module_sections::tracepoints, 4},
    {"___srcu_struct_ptrs", &module_sections::srcu_structs, 8},
    {"__bpf_raw_tp_map", &module_sections::bpf_raw_events, 32},
    {"__jump_table", &module_sections::jump_entries, 16},
    {"_ftrace_events", &module_sections::trace_events, 8},
    {"_ftrace_eval_map", &module_sections::trace_evals, 8},
    {"__trace_printk_fmt", &module_sections::trace_bprintk, 8},
    {"__mcount_loc", &module_sections::ftrace_callsites, 8},
    {"_error_injection_whitelist", &module_sections::ei_funcs, 16},
    {".kprobes.text", &module_sections::kprobes_text, 1},
    {"_kprobe_blacklist", &module_sections::kprobe_blacklist, 8},
    {".printk_index", &module_sections::printk_index, 8},
    {".static_call_sites", &module_sections::static_call_sites, 8},
    {".kunit_test_suites", &module_sections::kunit_suites, 8},
    {"__ex_table", &module_sections::extable, 12},
    {"__dyndbg", &module_sections::ddebug, 56},
    {"__dyndbg_classes", &module_sections::ddebug_classes, 56},
};
} // namespace

TEST_CASE("find_module_sections: each section alone fills its table, cut to whole entries") {
  auto h = make_host();
  for (row const& r : rows) {
    CAPTURE(r.section);
    builder b = simple_builder();
    bool const writable = std::string_view{r.section}.find("text") == std::string_view::npos;
    u32 const size = 3 * r.entry_size + (r.entry_size == 1 ? 0 : r.entry_size - 1);
    b.section(r.section, elf::sht_progbits,
              elf::shf_alloc | (writable ? u64{elf::shf_write} : u64{elf::shf_execinstr}),
              byte_vector(size), 8);
    module_sections found;
    after(*h, "find_module_sections", [&](module& m) { found = m.sections; });
    h->tracer.fail_step = "check_module_license_and_versions"; // the tables hold nonsense
    refused(*h, b, errc::injected, "check_module_license_and_versions");
    for (row const& other : rows) {
      module_table const& t = found.*other.to;
      CHECK(t.count == (&other == &r ? 3u : 0u));
      CHECK((t.host != nullptr) == (&other == &r));
      if (&other == &r)
        CHECK(t.entry_size == r.entry_size);
    }
  }
}

TEST_CASE("find_module_sections: only what is kept, the first of a name") {
  auto h = make_host();
  builder b = simple_builder();
  b.section("__dyndbg", elf::sht_progbits, 0, byte_vector(56));
  b.section("__dyndbg", elf::sht_progbits, elf::shf_alloc, byte_vector(112));
  b.section("__dyndbg", elf::sht_progbits, elf::shf_alloc, byte_vector(168));
  CHECK(loaded(*h, b).sections.ddebug.count == 2);
}

TEST_CASE("find_module_sections: constructors") {
  auto h = make_host(kernel::options);
  u32 count = 0; // the callback stays in the host
  for (auto name : {".ctors", ".init_array"}) {
    builder b = simple_builder();
    b.section(name, elf::sht_progbits, elf::shf_alloc | elf::shf_write, byte_vector(16), 8);
    count = 0;
    after(*h, "find_module_sections", [&](module& m) { count = m.sections.ctors.count; });
    loaded(*h, b);
    CHECK(count == 2);
    CHECK(h->unload("demo"));
  }
  builder both = simple_builder();
  both.writable(byte_vector(8), ".ctors");
  both.writable(byte_vector(8), ".init_array");
  error e = refused(*h, both, errc::has_ctors_and_init_array, "find_module_sections");
  CHECK(e.os_errno() == e_inval);
  CHECK(text_of(e) == "demo: has both .ctors and .init_array.");
  CHECK(h->tracer.undone_actions[h->tracer.undone_actions.size() - 4] == "module_unload_free");
  // Without CONSTRUCTORS nobody looks.
  auto plain = make_host();
  CHECK(loaded(*plain, both).sections.ctors.count == 0);
}

TEST_CASE("find_module_sections: obsolete parameters are noted") {
  auto h = make_host();
  builder b = simple_builder();
  b.rodata(byte_vector(8), "__obsparm");
  loaded(*h, b);
  CHECK(h->diagnostics.said("demo: Ignoring obsolete parameters"));
}

} // namespace kmodld::test
