// SPDX-License-Identifier: MIT
// Exception table, per-CPU copies, symbol tables for readers.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
using table_type = exception_table<elf::elf64_le, extable_kind::relative_with_data>;
using sym = elf::elf64_le::sym;

std::map<std::string, char> letters_of(kallsyms_table const& t) {
  std::map<std::string, char> out;
  auto const* symbols = reinterpret_cast<sym const*>(t.symtab);
  for (u32 i = 1; i < t.count; ++i)
    out[std::string{string_at(t.strtab, symbols[i].st_name)}] = t.typetab[i];
  return out;
}

builder symbols_of_all_kinds() {
  builder b = simple_builder();
  constexpr u64 alloc = elf::shf_alloc, write = elf::shf_alloc | elf::shf_write;
  u32 const text = b.text(byte_vector(4), ".text.more");
  u32 const init = b.text(byte_vector(4), ".init.text");
  b.symbol("a_text", text, 1);
  b.symbol("a_init", init, 1);
  b.symbol("a_rodata", b.section(".rodata", elf::sht_progbits, alloc, byte_vector(4)), 0);
  b.symbol("a_data", b.section(".data", elf::sht_progbits, write, byte_vector(4)), 0);
  b.symbol("a_bss", b.nobits(".bss", write, 4), 0);
  b.symbol("an_absolute", elf::shn_abs, 5);
  b.symbol("a_percpu", b.section(".data..percpu", elf::sht_progbits, write, byte_vector(4)), 0);
  b.symbol("a_debug", b.section(".debug_info", elf::sht_progbits, 0, byte_vector(4)), 0);
  b.symbol("a_comment", b.section(".comment", elf::sht_progbits, 0, byte_vector(4)), 0);
  b.symbol("a_klp", elf::shn_livepatch, 0);
  b.symbol("a_weak_function", text, 2, elf::stb_weak << 4 | elf::stt_func);
  b.symbol("a_weak_object", text, 2, elf::stb_weak << 4 | elf::stt_object);
  b.symbol("a_static", text, 3, elf::stb_local << 4);
  b.undefined("an_undefined", true);
  b.symbol("a_got_symbol", elf::shn_undef, 0);
  return b;
}
} // namespace

TEST_CASE("post_relocation: the exception table is sorted by instruction") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const text = b.text(byte_vector(64), ".text.more");
  u32 const s = b.section_symbol(text);
  u32 const table = b.section("__ex_table", elf::sht_progbits, elf::shf_alloc, byte_vector(36), 4);
  u64 const order[] = {30, 10, 20};
  for (u32 i = 0; i < 3; ++i) {
    b.rela(table, 12 * i, 2, s, static_cast<i64>(order[i]));
    b.rela(table, 12 * i + 4, 2, s, static_cast<i64>(order[i] + 1));
    b.data(table)[12 * i + 8] = static_cast<std::byte>(order[i]);
  }
  module& m = loaded(*h, b);
  REQUIRE(m.extable.load() != nullptr);
  table_type const sorted{*m.extable.load()};
  REQUIRE(sorted.size() == 3);
  for (u32 i = 0; i < 3; ++i) {
    CHECK(sorted[i].data == 10 * (i + 1));
    CHECK(sorted[i].fixup - sorted[i].insn == 1);
    CHECK(sorted[i].insn - sorted[0].insn == 10 * i);
  }
}

TEST_CASE("post_relocation: per-CPU data is copied from the file, not relocated") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const percpu = b.section(".data..percpu", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                               byte_vector(16, std::byte{7}), 8);
  b.rela(percpu, 0, 1, b.symbol("x", elf::shn_abs, 1), 0);
  module& m = loaded(*h, b);
  CHECK(h->percpu.initial[m.percpu.value] == byte_vector(16, std::byte{7}));
  // Without bytes in the file there is nothing to copy.
  auto f = b.build();
  f.section(".data..percpu").sh_type = elf::sht_nobits;
  CHECK(h->unload("demo"));
  h->percpu.initial.clear();
  loaded(*h, f.bytes);
  CHECK(h->percpu.initial.empty());
}

TEST_CASE("post_relocation: letters, all symbols while init runs") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    h->symbols.kernel("a_got_symbol");
    std::map<std::string, char> all;
    u32 count = 0;
    h->invoker.during_init = [&](module& m) {
      CHECK(m.kallsyms.load() == &m.full_kallsyms);
      all = letters_of(m.full_kallsyms);
      count = m.full_kallsyms.count;
    };
    builder b = symbols_of_all_kinds();
    loaded(*h, b);
    std::map<std::string, char> const expected = {
        {"a_text", 't'},      {"a_init", 't'},          {"a_rodata", 'r'},
        {"a_data", 'd'},      {"a_bss", 'b'},           {"an_absolute", 'a'},
        {"a_percpu", 'a'},    {"a_debug", 'n'},         {"a_comment", '?'},
        {"a_klp", '?'},       {"a_weak_function", 'w'}, {"a_weak_object", 'v'},
        {"a_static", 't'},    {"an_undefined", 'w'},    {"a_got_symbol", 'U'},
        {"init_module", 't'}, {"cleanup_module", 't'}};
    CHECK(all == expected);
    CHECK(count == expected.size() + 1);
  }
}

TEST_CASE("post_relocation: the kept symbols, with and without KALLSYMS_ALL") {
  struct {
    kernel k;
    std::vector<std::string> kept;
  } const rows[] = {{kernel::v6_1,
                     {"a_bss", "a_data", "a_percpu", "a_rodata", "a_static", "a_text",
                      "a_weak_function", "a_weak_object", "cleanup_module", "init_module"}},
                    {kernel::v6_12,
                     {"a_bss", "a_data", "a_percpu", "a_rodata", "a_static", "a_text",
                      "a_weak_function", "a_weak_object", "cleanup_module", "init_module"}},
                    {kernel::strict,
                     {"a_static", "a_text", "a_weak_function", "a_weak_object", "cleanup_module",
                      "init_module"}}};
  for (auto const& r : rows) {
    auto h = make_host(r.k);
    h->symbols.kernel("a_got_symbol");
    builder b = symbols_of_all_kinds();
    module& m = loaded(*h, b);
    CHECK(m.kallsyms.load() == &m.core_kallsyms);
    std::vector<std::string> names;
    for (auto const& [name, letter] : letters_of(m.core_kallsyms))
      names.push_back(name);
    CHECK(names == r.kept);
    auto const* symbols = reinterpret_cast<sym const*>(m.core_kallsyms.symtab);
    CHECK(symbols[0].st_name == 0);
    CHECK(m.core_kallsyms.strtab[0] == std::byte{0});
    for (u32 i = 1; i < m.core_kallsyms.count; ++i)
      if (string_at(m.core_kallsyms.strtab, symbols[i].st_name) == "init_module")
        CHECK(symbols[i].st_value == m.init.value);
  }
}

TEST_CASE("post_relocation: a live patch keeps all symbols") {
  auto h = make_host(kernel::options);
  h->symbols.kernel("a_got_symbol");
  builder b = symbols_of_all_kinds();
  b.modinfo("livepatch", "Y");
  module& m = loaded(*h, b);
  CHECK(letters_of(m.core_kallsyms).size() == 17);
}

} // namespace kmodld::test
