// SPDX-License-Identifier: MIT
// Checks before memory is taken, and what goes where; tests/verify has the exact layouts.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("layout_and_allocate: writable and executable is refused, kept or not") {
  auto h = make_host();
  for (u64 alloc : {u64{0}, u64{elf::shf_alloc}}) {
    builder b = simple_builder();
    b.section(".bad", elf::sht_progbits, alloc | elf::shf_write | elf::shf_execinstr,
              byte_vector(4));
    error e = refused(*h, b, errc::section_write_exec, "layout_and_allocate");
    CHECK(e.os_errno() == e_noexec);
    CHECK(text_of(e) == "demo: section .bad (index " + std::to_string(e.section) +
                            ") has invalid WRITE|EXEC flags");
  }
}

TEST_CASE("layout_and_allocate: sections too large or too much aligned") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    for (u64 size : {u64{1} << 32, ~u64{0}, (u64{1} << 31) + 1}) {
      builder b = simple_builder();
      b.nobits(".bss", elf::shf_alloc | elf::shf_write, size, 32);
      CHECK(refused(*h, b, errc::layout_overflow, "layout_and_allocate").os_errno() == e_noexec);
    }
    builder sum = simple_builder();
    sum.nobits(".bss", elf::shf_alloc | elf::shf_write, u64{1} << 30, 32);
    sum.nobits(".bss2", elf::shf_alloc | elf::shf_write, u64{1} << 30, 32);
    sum.nobits(".bss3", elf::shf_alloc | elf::shf_write, 32, 32);
    refused(*h, sum, errc::layout_overflow, "layout_and_allocate");
    builder aligned = simple_builder();
    aligned.nobits(".bss", elf::shf_alloc | elf::shf_write, 4, u64{1} << 40);
    refused(*h, aligned, errc::layout_overflow, "layout_and_allocate");
  }
}

TEST_CASE("layout_and_allocate: records are aligned for any scalar") {
  auto h = make_host();
  auto const off =
      reinterpret_cast<std::uintptr_t>(&loaded(*h, base_module())) % alignof(std::max_align_t);
  CHECK(off == 0);
}

TEST_CASE("layout_and_allocate: core and init, and their ends") {
  auto h = make_host();
  module* seen = nullptr;
  h->invoker.during_init = [&](module& m) {
    seen = &m;
    REQUIRE(m.memory_count == 2);
    module_memory const& core = m.memories[0];
    CHECK(core.kind == memory_kind::core);
    CHECK(core.text_size == 4096);
    CHECK(core.ro_size == 2 * 4096);
    CHECK(core.ro_after_init_size == 3 * 4096);
    CHECK(core.memory.size == 5 * 4096); // data, and the symbols that stay
    CHECK(m.memories[1].kind == memory_kind::init);
    CHECK(m.memories[1].memory.size == 3 * 4096);
  };
  builder b = simple_builder();
  b.rodata(byte_vector(10));
  b.section(".data..ro_after_init", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
            byte_vector(8), 8);
  b.writable(byte_vector(8));
  b.text(byte_vector(4), ".init.text");
  b.rodata(byte_vector(4), ".init.rodata");
  loaded(*h, b);
  CHECK(seen != nullptr);
}

TEST_CASE("layout_and_allocate: seven kinds, empty ones without memory") {
  auto h = make_host(kernel::v6_12);
  h->invoker.during_init = [&](module& m) {
    REQUIRE(m.memory_count == 7);
    for (int i = 0; i < 7; ++i)
      CHECK(m.memories[i].kind == static_cast<memory_kind>(i));
    CHECK(memory_of(m, memory_kind::text)->memory.size == 4096);
    CHECK(memory_of(m, memory_kind::ro_after_init)->memory.size == 0);
    CHECK(memory_of(m, memory_kind::init_text)->memory.size == 0);
    CHECK(memory_of(m, memory_kind::init_data)->memory.size == 4096); // symbol tables
  };
  loaded(*h, simple_module());
}

TEST_CASE("layout_and_allocate: per-CPU data is not kept") {
  auto h = make_host();
  builder b = simple_builder();
  b.section(".data..percpu", elf::sht_progbits, elf::shf_alloc | elf::shf_write, byte_vector(64));
  for (section_attribute const& s : loaded(*h, b).section_attributes)
    CHECK(s.name != ".data..percpu");
}

TEST_CASE("layout_and_allocate: a symbol table that the loader cannot move") {
  auto h = make_host();
  auto f = simple_builder().build();
  f.section(".strtab").sh_flags = elf::shf_alloc;
  CHECK(refused(*h, f.bytes, errc::elf_strtab_type, "layout_and_allocate").os_errno() == e_noexec);
  f = simple_builder().build();
  f.section(".symtab").sh_link = f.index(".symtab");
  refused(*h, f.bytes, errc::elf_strtab_type, "layout_and_allocate");
}

TEST_CASE("layout_and_allocate: names of init symbols that share their bytes are counted, too") {
  // What /proc/kallsyms prints of them while init runs would be out of proportion to the file.
  builder b = simple_builder();
  u32 const init = b.text(byte_vector(16), ".init.text");
  for (unsigned i = 0; i < 200; ++i)
    b.symbol("i" + std::to_string(i), init, 0);
  b.symbol(std::string(4000, 'n'), init, 0);
  auto f = b.build();
  auto h = make_host();
  loaded(*h, f.bytes);
  for (auto& s : f.entries<elf::elf64_le::sym>(".symtab"))
    if (s.st_shndx == init)
      s.st_name = f.symbol(std::string(4000, 'n')).st_name;
  auto other = make_host();
  refused(*other, f.bytes, errc::layout_overflow, "layout_and_allocate");
}

} // namespace kmodld::test
