// SPDX-License-Identifier: MIT
// Types that take turns share one loop: whatever order they come in, wherever the section ends and
// whichever of them is wrong, it must do and find what the exact loop does.
#include "reloc/bench.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/riscv.hpp>
#include <kmodld/arch/x86_64.hpp>

#include <doctest/doctest.h>
#include <random>

using namespace kmodld;

TEST_CASE_TEMPLATE("turns: any order, any end, any fault", A, arch::aarch64, arch::riscv64,
                   arch::riscv32, arch::x86_64) {
  constexpr bool pairs = A::machine == arch::riscv64::machine;
  std::minstd_rand random{7};
  auto const below = [&](u32 n) { return static_cast<u32>(random() >> 8) % n; };
  unsigned good = 0, refused[3] = {};
  for (auto const& types : A::turns)
    for (unsigned round = 0; round < 3000; ++round) {
      test::reloc_bench<A> b;
      b.original.resize(256);
      u32 const first = b.symbol(b.place.value + 0x100);
      u64 begun = 0; // where the last of the first type stands
      u32 const count = 1 + below(14), wrong = below(2 * count), how = below(3);
      u32 next = 0;
      for (u32 i = 0; i < count; ++i) {
        u64 offset = 16 * i;
        // Mostly the expected one, else any.
        next = below(8) == 0 ? below(3) : next;
        u32 const type = types[next] == 0 ? types[1] : types[next];
        // RISC-V: the symbol of a low part is the place of its high part.
        u32 symbol = pairs && next == 1 ? b.symbol(b.place.value + begun) : first;
        begun = next == 0 ? offset : begun;
        if (i == wrong) {
          symbol = how == 0 ? b.symbol(b.place.value + (u64{1} << 40)) : how == 1 ? 1000 : symbol;
          offset = how == 2 ? 255 : offset;
        }
        b.add(offset, type, symbol);
        next = next == 2 && below(2) == 0 ? 2 : (next + 1) % 3;
      }
      errc const code = b.run();
      REQUIRE(code != errc::count_); // the loops differ
      if (code == errc::ok)
        ++good;
      else if (wrong < count)
        ++refused[how];
    }
  CHECK(good > 1000);
  CHECK(refused[1] > 300); // no such symbol
  CHECK(refused[2] > 300); // beyond the section
  if constexpr (A::format::bits == 64)
    CHECK(refused[0] > 100); // out of reach
}
