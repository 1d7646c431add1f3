// SPDX-License-Identifier: MIT
// i386: each rule of the table, both ends of the checked ones, the GOT, and what is refused.
#include <kmodld/arch/i386.hpp>
#include <kmodld/reloc.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace kmodld;
using arch::i386;

namespace {

struct outcome {
  errc code;
  u64 place;
};

template <bool Wide = true>
outcome one(u32 type, u64 place, u64 s, u64 p, i386::state state = {}, u32 width = 4) {
  std::byte bytes[8];
  elf::field<u64, elf::byte_order::little>::store(bytes, place);
  i386::relocation r{};
  r.r_info = 1u << 8 | type;
  u64 const values[] = {0, s};
  error e;
  std::span<std::byte> const all{bytes, width};
  errc const code =
      relocate<i386, Wide>({all, {p}, {}, {&r, 1}}, {values}, state, e, [&](std::span<std::byte>) {
        elf::field<u64, elf::byte_order::little>::store(bytes, place);
      });
  return {code, elf::field<u64, elf::byte_order::little>::load(bytes)};
}

} // namespace

TEST_CASE("i386: words are added to and wrap") {
  CHECK(one(1, 0x10, 0xc0001000, 0xf8000000).place == 0xc0001010);
  CHECK(one(1, 0xfffffff0, 0x20, 0).place == 0x10);
  for (u32 type : {2u, 4u}) {
    CHECK(one(type, 0xfffffffc, 0xc0001000, 0xf8000000).place == 0xc8000ffc);
    CHECK(one(type, 0, 0xf8000000, 0xc0001000).place == 0x37fff000);
  }
  CHECK(one(0, 0x1234, 1, 2).place == 0x1234);
  CHECK(one(11, 4, 0xc0001000, 0).place == 0xc0001004);
}

TEST_CASE("i386: every type of Linux by itself, and only those when it is asked for") {
  for (reloc::rule const& r : i386::rules) {
    INFO(r.name);
    bool const linux = r.type <= 2 || r.type == 4;
    CHECK(((r.flags & reloc::by_linux) != 0) == linux);
    CHECK((one<false>(r.type, 0, 0x100, 0x80).code == errc::ok) == linux);
  }
  CHECK(one<false>(20, 0, 1, 0).code == errc::reloc_unknown_i386);
  for (u32 type : {5u, 8u, 12u, 42u, 44u, 255u})
    CHECK(one(type, 0, 1, 0).code == errc::reloc_unknown_i386);
  for (u32 type : {14u, 18u, 24u, 34u, 37u, 39u, 41u})
    CHECK(one(type, 0, 1, 0).code == errc::reloc_tls);
}

TEST_CASE("i386: both ends of 8 and 16 bits") {
  struct row {
    u32 type, width;
    u64 low, high; ///< the last values that fit
  };
  for (row const& r : {row{20, 2, 0xffff8000, 0xffff}, row{21, 2, 0xffff8000, 0x7fff},
                       row{22, 1, 0xffffff80, 0xff}, row{23, 1, 0xffffff80, 0x7f}}) {
    CAPTURE(r.type);
    bool const relative = r.type == 21 || r.type == 23;
    u64 const p = relative ? 0xf0000000 : 0;
    for (u64 value : {r.low, r.low + 1, u64{0xffffffff}, u64{0}, r.high - 1, r.high}) {
      CAPTURE(value);
      outcome const o = one(r.type, 0, (value + p) & 0xffffffff, p, {}, r.width);
      CHECK(o.code == errc::ok);
      CHECK(o.place == (value & ((u64{1} << r.width * 8) - 1)));
    }
    CHECK(one(r.type, 0, (r.low - 1 + p) & 0xffffffff, p, {}, r.width).code ==
          errc::reloc_overflow);
    CHECK(one(r.type, 0, r.high + 1 + p, p, {}, r.width).code == errc::reloc_overflow);
    CHECK(one(r.type, 0x01, r.high + p, p, {}, r.width).code == errc::reloc_overflow);
  }
}

TEST_CASE("i386: the GOT is reached through a register or by address") {
  u32 slots[] = {0, 3};
  u32 none[] = {0, 0};
  i386::state s;
  s.got = {0xd0000000};
  s.got_slot = slots;
  s.plt_slot = none;
  CHECK(one(9, 4, 0xd0000100, 0, s).place == 0x104);       // GOTOFF
  CHECK(one(10, 2, 0, 0xc0000000, s).place == 0x10000002); // GOTPC
  CHECK(one(3, 0, 0xdead, 0, s).place == 8);               // no byte before it
  CHECK(one(43, 1, 0xdead, 0, s).place == 9);
  CHECK(one(3, 0, 0xdead, 0).code == errc::reloc_no_slot);
  CHECK(one(9, 0, 0xdead, 0).code == errc::reloc_no_slot);

  std::byte slot[4] = {};
  i386::write_got_slot(slot, 0x12345678);
  CHECK(slot[0] == std::byte{0x78});
  CHECK(slot[3] == std::byte{0x12});

  // 8b 05 word: mov word, %eax; 8b 83 word: mov word(%ebx), %eax; and 3 or 43 alike.
  for (u32 type : {3u, 43u})
    for (auto [modrm, expected] : {std::pair{0x05, 0xd0000008u}, std::pair{0x0d, 0xd0000008u},
                                   std::pair{0x83, 8u}, std::pair{0x45, 8u}, std::pair{0x04, 8u}}) {
      std::byte code[6] = {std::byte{0x8b}, static_cast<std::byte>(modrm)};
      i386::relocation r{};
      r.r_offset = 2;
      r.r_info = 1u << 8 | type;
      u64 const values[] = {0, 0xdead};
      error e;
      CHECK(relocate<i386>({code, {0xc0000000}, {}, {&r, 1}}, {values}, s, e,
                           [](std::span<std::byte>) {}) == errc::ok);
      CHECK(elf::field<u32, elf::byte_order::little>::load(code + 2) == expected);
    }
}

TEST_CASE("i386: places and symbols that are not there") {
  std::byte bytes[6] = {};
  u64 const values[] = {0, 1};
  for (reloc::rule const& rule : i386::rules) {
    if (rule.formula == reloc::formula::tls || rule.formula == reloc::formula::none)
      continue;
    INFO(rule.name);
    for (u32 offset : {7u - rule.field.bytes, 0x80000000u, 0xffffffffu}) {
      i386::relocation r{};
      r.r_offset = offset;
      r.r_info = 1u << 8 | rule.type;
      error e;
      CHECK(relocate<i386>({bytes, {0}, {}, {&r, 1}}, {values}, {}, e) == errc::reloc_offset);
      CHECK(e.number[0] == offset);
    }
    i386::relocation r{};
    r.r_info = 2u << 8 | rule.type;
    error e;
    CHECK(relocate<i386>({bytes, {0}, {}, {&r, 1}}, {values}, {}, e) == errc::reloc_symbol);
  }
  for (std::byte b : bytes)
    CHECK(b == std::byte{0});
}

TEST_CASE("i386: which files are its own, and where memory may be") {
  i386::format::ehdr h{};
  for (u16 machine : {u16{3}, u16{6}}) {
    h.e_machine = machine;
    CHECK(i386::accepts(h));
  }
  h.e_machine = 62;
  CHECK(!i386::accepts(h));
  CHECK(i386::reach({{0xc0000000}, {0xc1000000}}).last.value == 0xffffffff);
}

TEST_CASE("i386: 32-bit words are one class, whether P counts or not") {
  using classes = reloc::classes<i386>;
  CHECK(classes::count == 2); // NONE and words
  CHECK(classes::of_type(1) == classes::of_type(2));
  CHECK(classes::get(classes::of_type(2)).formulas);
}

TEST_CASE("i386: more symbols than a relocation can name change no other type into one") {
  // In r_info the symbol's number ends at bit 24 where the type begins again.
  std::vector<u64> const values((u64{1} << 24) + 4096);
  for (u32 bad : {3u, 12u, 200u}) {
    std::byte bytes[16] = {};
    i386::relocation r[2] = {};
    r[0].r_info = 1u << 8 | 2;
    r[1].r_offset = 4;
    r[1].r_info = 1u << 8 | bad;
    error e;
    i386::state state;
    CHECK(relocate<i386>({bytes, {0x1000}, {}, r}, {values}, state, e) != errc::ok);
    CHECK(e.index == 1);
  }
}
