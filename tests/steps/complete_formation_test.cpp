// SPDX-License-Identifier: MIT
// Exports, permissions, the bug table, COMING.
#include "steps/support.hpp"

#include <optional>

namespace kmodld::test {
TEST_CASE("complete_formation: exports are entered with all they are") {
  auto h = make_host();
  module& m = loaded(*h, exporting_module("demo", "f", true, "GPL", "SPACE", 0xabcd));
  exported_symbol const s = h->symbols.table.at("f").front();
  CHECK(s.owner == &m);
  CHECK(s.gpl_only);
  CHECK(s.has_crc);
  CHECK(s.crc == 0xabcd);
  CHECK(s.name_space == "SPACE");
  CHECK(s.value == m.init + 2);
  CHECK(h->symbols.announced == std::vector<std::string>{"f"});
  CHECK(h->unload("demo"));
  CHECK(!h->symbols.table.contains("f"));
}

TEST_CASE("complete_formation: a name that somebody exports already, GPL-only or not") {
  for (bool gpl : {false, true}) {
    auto h = make_host();
    h->symbols.kernel("taken", gpl);
    error e = refused(*h, exporting_module("demo", "taken"), errc::symbol_duplicate,
                      "complete_formation");
    CHECK(e.os_errno() == e_noexec);
    CHECK(text_of(e) == "demo: exports duplicate symbol taken (owned by kernel)");
    CHECK(h->tracer.undone_actions.front() == "ftrace_release_mod");
  }
  auto h = make_host();
  loaded(*h, base_module());
  CHECK(text_of(refused(*h, exporting_module("demo", "base_function"), errc::symbol_duplicate,
                        "complete_formation")) ==
        "demo: exports duplicate symbol base_function (owned by base)");
}

TEST_CASE("complete_formation: a broken entry of the export table") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const table = b.section("__ksymtab", elf::sht_progbits, elf::shf_alloc, byte_vector(12), 4);
  b.section("__kcrctab", elf::sht_progbits, elf::shf_alloc, byte_vector(4), 4);
  b.rela(table, 4, 2, b.symbol("far", elf::shn_abs, 0xffffffffc1000000), 0);
  CHECK(refused(*h, b, errc::export_table, "complete_formation").os_errno() == e_noexec);
  // CRCs that end before the exports do.
  builder c{"demo"};
  u32 const text = c.text(byte_vector(4));
  u32 const f = c.symbol("f", text, 0);
  c.export_symbol("f", f, false, {}, 1).export_symbol("g", f, false, {}, 0);
  refused(*h, c, errc::export_table, "complete_formation");
}

TEST_CASE("complete_formation: permissions, core and init") {
  auto h = make_host();
  loaded(*h, base_module());
  h->protector.batches.clear();
  loaded(*h, full_module());
  REQUIRE(h->protector.batches.size() == 2);
  auto const& first = h->protector.batches[0];
  REQUIRE(first.size() == 4);
  permission const order[] = {permission::read_execute, permission::read, permission::read_execute,
                              permission::read};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(first[i].allowed == order[i]);
  CHECK(first[1].memory.target == first[0].memory.target + first[0].memory.size);
  auto const& seal = h->protector.batches[1];
  REQUIRE(seal.size() == 1);
  CHECK(seal[0].allowed == permission::read);
  CHECK(seal[0].memory.target == first[1].memory.target + first[1].memory.size);
  CHECK(seal[0].memory.size == 4096);
}

TEST_CASE("complete_formation: permissions, seven kinds") {
  auto h = make_host(kernel::v6_12);
  loaded(*h, base_module());
  h->protector.batches.clear();
  std::map<memory_kind, u64> at;
  h->invoker.during_init = [&](module& m) {
    for (module_memory const& part : m.all_memories())
      at[part.kind] = part.memory.target.value;
  };
  loaded(*h, full_module());
  auto allowed = [&](std::size_t batch, memory_kind kind) {
    for (protection const& p : h->protector.batches[batch])
      if (p.memory.target.value == at[kind])
        return std::optional{p.allowed};
    return std::optional<permission>{};
  };
  REQUIRE(h->protector.batches.size() == 2);
  CHECK(allowed(0, memory_kind::text) == permission::read_execute);
  CHECK(allowed(0, memory_kind::init_text) == permission::read_execute);
  CHECK(allowed(0, memory_kind::rodata) == permission::read);
  CHECK(allowed(0, memory_kind::init_rodata) == permission::read);
  CHECK(!allowed(0, memory_kind::ro_after_init));
  CHECK(!allowed(0, memory_kind::data));
  CHECK(!allowed(0, memory_kind::init_data));
  CHECK(h->protector.batches[1].size() == 1);
  CHECK(allowed(1, memory_kind::ro_after_init) == permission::read);
}

TEST_CASE("complete_formation: rodata=off leaves constants writable, nothing more") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    h->settings().rodata = false;
    loaded(*h, base_module());
    h->protector.batches.clear();
    loaded(*h, full_module());
    REQUIRE(h->protector.batches.size() == 1);
    for (protection const& p : h->protector.batches[0])
      CHECK(p.allowed != permission::read);
  }
}

TEST_CASE("complete_formation: memory that is not page aligned") {
  auto h = make_host();
  h->memory.next += 8;
  CHECK(refused(*h, exporting_module("demo", "f"), errc::not_page_aligned, "complete_formation")
            .os_errno() == e_inval);
}

TEST_CASE("complete_formation: the bug table, kept or not, and COMING") {
  auto h = make_host();
  builder b = simple_builder();
  b.rodata(byte_vector(30), "__bug_table");
  b.rodata(byte_vector(11), "__kcfi_traps");
  after(*h, "complete_formation", [&](module& m) {
    CHECK(m.state == module_state::coming);
    CHECK(m.on_bug_list);
    CHECK(m.sections.bug_table.count == 2);
    CHECK(m.sections.kcfi_traps.count == 2);
    CHECK(!h->find("demo")); // a reference before LIVE would not keep it
  });
  loaded(*h, b);
}

} // namespace kmodld::test
