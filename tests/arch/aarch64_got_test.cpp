// SPDX-License-Identifier: MIT
// AArch64: small GOTs of -fpic code, and how far a PLT entry leads. All else is compared with what
// real kernels and linkers made (tests/verify) and executed (tests/execution).
#include <kmodld/arch/aarch64.hpp>

#include <doctest/doctest.h>

#include "reloc/bench.hpp"

using namespace kmodld;

namespace {

using bench = test::reloc_bench<arch::aarch64>;
constexpr u32 ldr_x0_x0 = 0xf9400000, gotoff_lo15 = 310, gotpage_lo15 = 313, call26 = 283;

/// `ldr x0, [x0, #slot]` for the symbol whose slot has this number.
errc load_slot(bench& b, u32 type, u32 number, u64 got, i64 addend = 0) {
  static u32 slots[2];
  slots[1] = number + 1;
  b.relocations.clear();
  b.values.resize(1);
  b.symbol(0x1234);
  b.state.got = {got};
  b.state.got_slot = slots;
  b.put(8, ldr_x0_x0);
  b.add(8, type, 1, addend);
  return b.run();
}

} // namespace

TEST_CASE(
    "aarch64: a slot's distance from the GOT's page has 15 bits, the lowest three of them 0") {
  bench b;
  CHECK(load_slot(b, gotpage_lo15, 0, 0x40100010) == errc::ok);
  CHECK(b.word(8) == (ldr_x0_x0 | 2 << 10));
  CHECK(load_slot(b, gotpage_lo15, 4093, 0x40100010) == errc::ok);
  CHECK(b.word(8) == (ldr_x0_x0 | 4095 << 10));
  CHECK(load_slot(b, gotpage_lo15, 4094, 0x40100010) == errc::reloc_overflow);
  CHECK(load_slot(b, gotpage_lo15, 0, 0x40100014) == errc::reloc_misaligned);
  CHECK(load_slot(b, gotpage_lo15, 0, 0x40100000, 8) == errc::ok);
  CHECK(b.word(8) == (ldr_x0_x0 | 1 << 10));
}

TEST_CASE("aarch64: a slot's distance from the GOT itself") {
  bench b;
  CHECK(load_slot(b, gotoff_lo15, 3, 0x40100010) == errc::ok);
  CHECK(b.word(8) == (ldr_x0_x0 | 3 << 10));
  CHECK(load_slot(b, gotoff_lo15, 4096, 0x40100010) == errc::reloc_overflow);
  b.state.got_slot = {};
  b.relocations[0] = bench::make(8, gotoff_lo15, 1, 0);
  CHECK(b.run() == errc::reloc_no_slot);
}

TEST_CASE("aarch64: a PLT entry leads 4 GiB far, and what lies beyond is refused") {
  bench b;
  std::byte entries[2 * arch::aarch64::plt_entry_size];
  auto const call = [&](u64 target) {
    b.relocations.clear();
    b.values.resize(1);
    b.put(0, 0x94000000);
    b.add(0, call26, b.symbol(target));
    b.state.core = {1, 1, 0, entries, {0x40001000}};
    return b.run();
  };
  u64 const last = u64{0x40001000} + 0xfffff000;
  CHECK(call(last + 0xffc) == errc::ok);
  CHECK(b.word(0) == 0x94000400);
  CHECK(arch::aarch64::plt_target(entries, {0x40001000}) == last + 0xffc);
  CHECK(call(last + 0x1000) == errc::reloc_overflow);
}
