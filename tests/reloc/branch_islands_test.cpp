// SPDX-License-Identifier: MIT
// Stubs of branch islands: their bytes for each architecture, and how they are shared.
// tests/parts/link.sh links whole objects with them and runs what comes out.
#include <kmodld/arch/all.hpp>
#include <kmodld/reloc/branch_islands.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace kmodld;

namespace {

/// The bytes of a stub as hexadecimal digits.
template <class Arch>
std::string stub(u64 at, u64 target, u32 how = 0, u64 toc = 0) {
  typename reloc::with_branch_islands<Arch>::state state;
  if constexpr (requires { state.toc.value; })
    state.toc = {toc};
  std::vector<std::byte> bytes(Arch::far_stub_size);
  if (!Arch::write_far_stub(bytes.data(), {at}, target, how, state))
    return "unreachable";
  std::string out;
  for (std::byte const b : bytes)
    for (unsigned const digit :
         {std::to_integer<unsigned>(b) >> 4, std::to_integer<unsigned>(b) & 15})
      out += "0123456789abcdef"[digit];
  return out;
}

} // namespace

TEST_CASE("branch islands: x86-64 jumps by a slot") {
  CHECK(stub<arch::x86_64>(0x1000, 0x1122334455667788) == "ff25020000006690"
                                                          "8877665544332211");
}

TEST_CASE("branch islands: aarch64 uses ADRP up to its reach and no further") {
  // adrp x16, +1 page; add x16, x16, #0x678; br x16; nop
  CHECK(stub<arch::aarch64>(0x10ffc, 0x11678) == "100000b0"
                                                 "10e21991"
                                                 "00021fd6"
                                                 "1f2003d5");
  CHECK(stub<arch::aarch64>(0x200000000, 0x2ffffffff).substr(0, 8) == "f0ff7ff0");
  CHECK(stub<arch::aarch64>(0x200000000, 0x100000000).substr(0, 8) == "10008090");
  // ldr x16, 8; br x16; .quad
  CHECK(stub<arch::aarch64>(0x200000000, 0x300000000) == "50000058"
                                                         "00021fd6"
                                                         "0000000003000000");
  CHECK(stub<arch::aarch64>(0x200000000, 0xffffffff).substr(0, 8) == "50000058");
}

TEST_CASE("branch islands: arm by the instruction set of the caller") {
  CHECK(stub<arch::arm>(0x1000, 0x80001235) == "04f01fe5"
                                               "35120080");
  CHECK(stub<arch::arm>(0x1000, 0x80001234, 1) == "dff800f0"
                                                  "34120080");
}

TEST_CASE("branch islands: riscv loads the target from behind the code") {
  CHECK(stub<arch::riscv64>(0x1000, 0x1122334455667788) == "97020000"
                                                           "03b30201"
                                                           "67000300"
                                                           "13000000"
                                                           "8877665544332211");
  CHECK(stub<arch::riscv32>(0x1000, 0x55667788) == "97020000"
                                                   "03a3c200"
                                                   "67000300"
                                                   "88776655");
}

TEST_CASE("branch islands: powerpc64 by what becomes of r2") {
  using le = arch::powerpc64le;
  u64 const at = 0x10012340, toc = 0x10008000;
  auto const form = [](le::form f) { return static_cast<u32>(f); };
  // addis r11,r2,1; addi r11,r11,-0x5cc0; std r2,24(r1) or nop; ld r12,32(r11)
  CHECK(stub<le>(at, 0x1122334455667788, form(le::form::toc), toc) ==
        "0100623d40a36b39180041f820008be9a603897d2004804e00000000627574738877665544332211");
  CHECK(stub<le>(at, 0x1122334455667788, form(le::form::local), toc).substr(16, 8) == "00000060");
  CHECK(stub<le>(0x90008000, 0, form(le::form::toc), toc) == "unreachable");
  CHECK(stub<le>(0x90008000, 0, form(le::form::no_toc), toc) != "unreachable");
}

TEST_CASE("branch islands: one stub a target and kind, as long as there is room") {
  reloc::far_stub room[2];
  u32 index[4] = {};
  reloc::branch_island island;
  island.stubs = room;
  island.index = index;
  u32 n = 9;
  bool fresh = false;
  REQUIRE(island.find(0x1000, 0, 7, n, fresh));
  CHECK((n == 0 && fresh));
  REQUIRE(island.find(0x1000, 1, 7, n, fresh));
  CHECK((n == 1 && fresh));
  REQUIRE(island.find(0x1000, 0, 7, n, fresh));
  CHECK((n == 0 && !fresh));
  CHECK(!island.find(0x2000, 0, 7, n, fresh));
  CHECK(!reloc::branch_island{}.find(0x1000, 0, 7, n, fresh));
}

TEST_CASE("branch islands: a stub that cannot be made is not there the next time either") {
  std::vector<reloc::far_stub> stubs(4);
  std::vector<u32> index(8);
  reloc::branch_island island;
  island.stubs = stubs;
  island.index = index;
  u32 n = 0;
  bool fresh = false;
  for (u64 target : {0x10u, 0x20u, 0x30u}) {
    REQUIRE(island.find(target, 0, 7, n, fresh));
    CHECK(fresh);
  }
  island.take_back(7);
  CHECK(island.used == 2);
  REQUIRE(island.find(0x30, 0, 7, n, fresh));
  CHECK(fresh);
  CHECK(n == 2);
  REQUIRE(island.find(0x20, 0, 7, n, fresh));
  CHECK(!fresh);
}
