// SPDX-License-Identifier: MIT
// arm: each rule against what ld.lld 19 wrote, both ends of every range, interworking, the PLT of
// modules as Linux builds it, and what is refused.
#include "reloc/bench.hpp"
#include "support/module_builder.hpp"

#include <kmodld/arch/arm.hpp>
#include <kmodld/kmodld.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

using namespace kmodld;
using namespace kmodld::test;
using arch::arm;

namespace {

using le32 = elf::field<u32, elf::byte_order::little>;
using le16 = elf::field<u16, elf::byte_order::little>;

/// One relocation of 4 bytes (or `width`) at `p`, against symbol 1.
struct single {
  u32 type;
  u32 before;
  u64 s, p;
  u8 attributes = 0;
  std::size_t width = 4;

  std::byte bytes[4] = {};
  error e{};

  errc operator()(arm::state& state) {
    le32::store(bytes, before);
    arm::relocation r{};
    r.r_info = 1u << 8 | type;
    u64 const values[] = {0, s};
    u8 const all[] = {0, attributes};
    return relocate<arm>({{bytes, width}, {p}, {}, {&r, 1}}, {values, all}, state, e,
                         [&](std::span<std::byte>) { le32::store(bytes, before); });
  }
  errc operator()() {
    arm::state none;
    return (*this)(none);
  }
  u32 word() const { return le32::load(bytes); }
  /// A Thumb instruction as the manual writes it.
  u32 thumb() const { return u32{le16::load(bytes)} << 16 | le16::load(bytes + 2); }
};

constexpr u32 halves(u32 thumb) { return thumb >> 16 | thumb << 16; }

} // namespace

TEST_CASE("arm: what ld.lld 19 makes of one instruction each") {
  constexpr u32 tf = 0x22345d, af = 0x223458, lo = 0x3005, near = 0x100a0, lo2 = 0x10f34,
                exact = 0x4fc54, tn = 0x20041, dd1 = 0x20080, dd0 = 0x1ff40;
  struct row {
    u32 p, type, s;
    u8 before[4], after[4];
  };
  // clang-format off
  static constexpr row rows[] = {
      {0x10000, 28, tf, {0xfe, 0xff, 0xff, 0xeb}, {0x15, 0x4d, 0x08, 0xfa}},
      {0x10004, 28, tf, {0xfe, 0xff, 0xff, 0xfa}, {0x14, 0x4d, 0x08, 0xfa}},
      {0x10008, 28, af, {0xfe, 0xff, 0xff, 0xeb}, {0x12, 0x4d, 0x08, 0xeb}},
      {0x1000c, 28, af, {0xfe, 0xff, 0xff, 0xfa}, {0x11, 0x4d, 0x08, 0xeb}},
      {0x10010, 29, af, {0xfe, 0xff, 0xff, 0x1a}, {0x10, 0x4d, 0x08, 0x1a}},
      {0x10014, 43, af, {0x00, 0x10, 0x00, 0xe3}, {0x58, 0x14, 0x03, 0xe3}},
      {0x10018, 44, af, {0x00, 0x10, 0x40, 0xe3}, {0x22, 0x10, 0x40, 0xe3}},
      {0x1001c, 43, af, {0xff, 0x2f, 0x07, 0xe3}, {0x57, 0x24, 0x0b, 0xe3}},
      {0x10020, 44, af, {0xff, 0x2f, 0x47, 0xe3}, {0x22, 0x20, 0x40, 0xe3}},
      {0x10024, 45, af, {0x00, 0x30, 0x00, 0xe3}, {0x34, 0x34, 0x03, 0xe3}},
      {0x10028, 46, af, {0x00, 0x30, 0x40, 0xe3}, {0x21, 0x30, 0x40, 0xe3}},
      {0x1002c, 57, af, {0x00, 0x00, 0x8f, 0xe2}, {0x84, 0x09, 0x8f, 0xe2}},
      {0x10030, 59, af, {0x04, 0x00, 0x80, 0xe2}, {0xd0, 0x0d, 0x80, 0xe2}},
      {0x10034, 57, af, {0x10, 0x00, 0x4f, 0xe2}, {0x84, 0x09, 0x8f, 0xe2}},
      {0x10038, 57, lo, {0x08, 0x00, 0x8f, 0xe2}, {0xd0, 0x0c, 0x4f, 0xe2}},
      {0x1003c, 59, lo, {0x08, 0x00, 0x80, 0xe2}, {0x2f, 0x00, 0x40, 0xe2}},
      {0x10040, 63, lo, {0x10, 0x00, 0x90, 0xe5}, {0x00, 0x00, 0x10, 0xe5}},
      {0x10044, 4, near, {0x08, 0x00, 0x1f, 0xe5}, {0x54, 0x00, 0x9f, 0xe5}},
      {0x10048, 64, near, {0xd8, 0x00, 0x4f, 0xe1}, {0xd0, 0x05, 0xcf, 0xe1}},
      {0x1004c, 62, lo2, {0x00, 0x00, 0x90, 0xe5}, {0x08, 0x00, 0x90, 0xe5}},
      {0x10050, 65, lo2, {0xd0, 0x00, 0xc0, 0xe1}, {0xd4, 0x00, 0xc0, 0xe1}},
      {0x10054, 58, exact, {0x00, 0x00, 0x8f, 0xe2}, {0xff, 0x0b, 0x8f, 0xe2}},
      {0x10058, 2, tf, {0x00, 0x00, 0x00, 0x00}, {0x5d, 0x34, 0x22, 0x00}},
      {0x1005c, 38, af, {0x00, 0x00, 0x00, 0x00}, {0x58, 0x34, 0x22, 0x00}},
      {0x10060, 3, af, {0x00, 0x00, 0x00, 0x00}, {0xf8, 0x33, 0x21, 0x00}},
      {0x20000, 10, tf, {0xff, 0xf7, 0xfe, 0xff}, {0x03, 0xf2, 0x2c, 0xfa}},
      {0x20004, 10, af, {0xff, 0xf7, 0xfe, 0xff}, {0x03, 0xf2, 0x28, 0xea}},
      {0x20008, 10, af, {0xff, 0xf7, 0xfe, 0xef}, {0x03, 0xf2, 0x26, 0xea}},
      {0x2000e, 10, af, {0xff, 0xf7, 0xfe, 0xff}, {0x03, 0xf2, 0x24, 0xea}},
      {0x20012, 10, tf, {0xff, 0xf7, 0xfe, 0xef}, {0x03, 0xf2, 0x23, 0xfa}},
      {0x20016, 10, tf, {0xff, 0xf7, 0xfe, 0xff}, {0x03, 0xf2, 0x21, 0xfa}},
      {0x2001a, 30, tf, {0xff, 0xf7, 0xfe, 0xbf}, {0x03, 0xf2, 0x1f, 0xba}},
      {0x2001e, 51, tn, {0x3f, 0xf4, 0xfe, 0xaf}, {0x00, 0xf0, 0x0f, 0x80}},
      {0x20022, 30, tn, {0xff, 0xf7, 0xfe, 0xbf}, {0x00, 0xf0, 0x0d, 0xb8}},
      {0x20026, 51, tn, {0x7f, 0xf4, 0xfe, 0xaf}, {0x40, 0xf0, 0x0b, 0x80}},
      {0x2002a, 47, tf, {0x40, 0xf2, 0x00, 0x01}, {0x43, 0xf2, 0x5d, 0x41}},
      {0x2002e, 48, tf, {0xc0, 0xf2, 0x00, 0x01}, {0xc0, 0xf2, 0x22, 0x01}},
      {0x20032, 47, tf, {0x41, 0xf2, 0x34, 0x29}, {0x44, 0xf2, 0x91, 0x69}},
      {0x20036, 48, tf, {0xc1, 0xf2, 0x34, 0x29}, {0xc0, 0xf2, 0x22, 0x09}},
      {0x2003a, 49, tf, {0x40, 0xf2, 0x00, 0x03}, {0x43, 0xf2, 0x23, 0x43}},
      {0x2003e, 50, tf, {0xc0, 0xf2, 0x00, 0x03}, {0xc0, 0xf2, 0x20, 0x03}},
      {0x20042, 53, dd1, {0xaf, 0xf2, 0x04, 0x00}, {0x0f, 0xf2, 0x3c, 0x00}},
      {0x20046, 54, dd1, {0x5f, 0xf8, 0x04, 0x00}, {0xdf, 0xf8, 0x38, 0x00}},
      {0x2004a, 53, dd0, {0xaf, 0xf2, 0x04, 0x00}, {0xaf, 0xf2, 0x0c, 0x10}},
      {0x2004e, 54, dd0, {0x5f, 0xf8, 0x04, 0x00}, {0x5f, 0xf8, 0x10, 0x01}},
  };
  // clang-format on
  for (row const& r : rows) {
    CAPTURE(r.p);
    arm::state state;
    state.mixed = true;
    bool const function = r.s == tf || r.s == af;
    single one{r.type, le32::load(r.before), r.s, r.p, function ? u8{symbol_function} : u8{0}};
    CHECK(one(state) == errc::ok);
    CHECK(one.word() == le32::load(r.after));
  }
}

TEST_CASE("arm: what Thumb code of an object imports has its instruction set in bit 0") {
  arm::state state;
  state.mixed = true;
  u32 const bl = halves(0xf7fffffe);
  single to_arm{10, bl, 0x9000, 0x8000, symbol_undefined};
  CHECK(to_arm(state) == errc::ok);
  CHECK(to_arm.thumb() == 0xf000effe); // blx +0xffc
  single to_thumb{10, bl, 0x9001, 0x8000, symbol_undefined};
  CHECK(to_thumb(state) == errc::ok);
  CHECK(to_thumb.thumb() == 0xf000fffe); // bl +0xffc
  single label{10, bl, 0x9000, 0x8000};
  CHECK(label(state) == errc::ok);
  CHECK(label.thumb() == 0xf000fffe);
  // Linux's modules are of one kind, and it does not look at what is imported.
  CHECK(single{10, bl, 0x9000, 0x8000, symbol_undefined}() == errc::ok);
}

TEST_CASE("arm: words, PREL31 and its top bit, V4BX, NONE") {
  single abs{2, 0xfffffffc, 0xc0000010, 0xbf000000};
  CHECK(abs() == errc::ok);
  CHECK(abs.word() == 0xc000000c);
  single bx{40, 0xe12fff1e, 0, 0}; // bx lr
  CHECK(bx() == errc::ok);
  CHECK(bx.word() == 0xe1a0f00e); // mov pc, lr
  single none{0, 0x12345678, 7, 9};
  CHECK(none() == errc::ok);
  CHECK(none.word() == 0x12345678);

  constexpr u32 p = 0xbf000000;
  for (u32 distance : {0xc0000000u, 0xc0000001u, 0xffffffffu, 0u, 0x3fffffffu})
    for (u32 top : {0u, 0x80000000u}) {
      single prel{42, top, (u64{p} + distance) & 0xffffffff, p};
      CHECK(prel() == errc::ok);
      CHECK(prel.word() == (top | (distance & 0x7fffffff)));
    }
  for (u32 distance : {0xbfffffffu, 0x40000000u, 0x80000000u}) {
    single prel{42, 0, (u64{p} + distance) & 0xffffffff, p};
    CHECK(prel() == errc::reloc_range_arm);
  }
  single addend{42, 0x7ffffff8, p, p}; // -8
  CHECK(addend() == errc::ok);
  CHECK(addend.word() == 0x7ffffff8);
}

TEST_CASE("arm: the addend of MOVT counts before the shift") {
  single movt{44, 0xe3470fff, 0x1801, 0}; // movt r0, #0x7fff
  CHECK(movt() == errc::ok);              // 0x9800
  CHECK(movt.word() == 0xe3400000);
  single carry{44, 0xe3470fff, 0x1ffff, 0};
  CHECK(carry() == errc::ok); // 0x27ffe
  CHECK(carry.word() == 0xe3400002);
  single minus{44, 0xe34f0fff, 0x10000, 0}; // -1
  CHECK(minus() == errc::ok);
  CHECK(minus.word() == 0xe3400000);
}

TEST_CASE("arm: both ends of data of 8 and 16 bits and of short Thumb branches") {
  struct row {
    u32 type, step;
    i32 low, high; ///< the last that fit
    std::size_t width;
  };
  for (row const& r :
       {row{5, 1, -0x8000, 0xffff, 2}, row{8, 1, -0x80, 0xff, 1}, row{51, 2, -0x100000, 0xffffe, 4},
        row{102, 2, -0x800, 0x7fe, 2}, row{103, 2, -0x100, 0xfe, 2}}) {
    CAPTURE(r.type);
    constexpr u64 p = 0x80000000;
    bool const relative = r.type > 8;
    u32 const insn = r.type == 51 ? halves(0xf0008000) : 0;
    auto at = [&](i32 v) {
      u64 const s = (relative ? p : 0) + static_cast<u64>(i64{v});
      return single{r.type, insn, s & 0xffffffff, p, 0, r.width}();
    };
    i32 const step = static_cast<i32>(r.step);
    CHECK(at(r.low) == errc::ok);
    CHECK(at(r.low + step) == errc::ok);
    CHECK(at(0) == errc::ok);
    CHECK(at(r.high) == errc::ok);
    CHECK(at(r.low - step) == errc::reloc_range_arm);
    CHECK(at(r.high + step) == errc::reloc_range_arm);
  }
}

TEST_CASE("arm: branches reach 32 MiB, in Thumb 16 MiB, without the lowest value, as in Linux") {
  for (u64 p : {u64{0xbf000000}, u64{0x1000}, u64{0xfffff000}}) {
    auto distance = [&](u32 type, u32 insn, u32 d) {
      u32 const bias = type == 10 || type == 30 ? 4 : 8; // the addend in the place takes it back
      return single{type, insn, (p + d + bias) & 0xffffffff, p}();
    };
    for (u32 type : {1u, 28u, 29u}) {
      CHECK(distance(type, 0xebfffffe, 0x1fffffc) == errc::ok);
      CHECK(distance(type, 0xebfffffe, 0x2000000) == errc::reloc_range_arm);
      CHECK(distance(type, 0xebfffffe, 0xfe000004) == errc::ok);
      CHECK(distance(type, 0xebfffffe, 0xfe000000) == errc::reloc_range_arm);
    }
    for (u32 type : {10u, 30u}) {
      CHECK(distance(type, halves(0xf7fffffe), 0xfffffe) == errc::ok);
      CHECK(distance(type, halves(0xf7fffffe), 0x1000000) == errc::reloc_range_arm);
      CHECK(distance(type, halves(0xf7fffffe), 0xff000002) == errc::ok);
      CHECK(distance(type, halves(0xf7fffffe), 0xff000000) == errc::reloc_range_arm);
    }
  }
  single far{28, 0xebfffffe, 0x9fffffc + 8, 0x8000000};
  CHECK(far() == errc::ok);
  CHECK(far.word() == 0xeb7fffff);
  single thumb{10, halves(0xf7fffffe), 0x8fffffe + 4, 0x8000000};
  CHECK(thumb() == errc::ok);
  CHECK(thumb.thumb() == 0xf3ffd7ff); // bl +0xfffffe
  thumb.s = 0x7000002 + 4;
  CHECK(thumb() == errc::ok);
  CHECK(thumb.thumb() == 0xf400d001); // bl -0xfffffe
}

TEST_CASE("arm: modules have no calls between ARM and Thumb") {
  for (u64 s : {u64{0x8001}, u64{0x8002}, u64{0x8003}}) {
    CHECK(single{28, 0xebfffffe, s, 0x8000}() == errc::reloc_arm_to_thumb);
    CHECK(single{29, 0xeafffffe, s, 0x8000}() == errc::reloc_arm_to_thumb);
  }
  CHECK(single{10, halves(0xf7fffffe), 0x9000, 0x8000, symbol_function}() ==
        errc::reloc_thumb_to_arm);
  CHECK(single{10, halves(0xf7fffffe), 0x9001, 0x8000, symbol_function}() == errc::ok);
  CHECK(single{10, halves(0xf7fffffe), 0x9000, 0x8000}() == errc::ok); // a label of any kind
}

TEST_CASE("arm: groups at their limits") {
  auto ldr = [](u32 type, u32 insn, i64 distance) {
    return single{type, insn, static_cast<u64>(0x80000000 + distance) & 0xffffffff, 0x80000000}();
  };
  CHECK(ldr(4, 0xe59f0000, 0xfff) == errc::ok);
  CHECK(ldr(4, 0xe59f0000, -0xfff) == errc::ok);
  CHECK(ldr(4, 0xe59f0000, 0x1000) == errc::reloc_range_arm);
  CHECK(ldr(62, 0xe5900000, 0xfffff) == errc::ok);
  CHECK(ldr(62, 0xe5900000, 0x100fff) == errc::ok);
  CHECK(ldr(62, 0xe5900000, 0x101fff) == errc::reloc_range_arm);
  CHECK(ldr(63, 0xe5900000, 0xfffffff) == errc::ok);
  CHECK(ldr(63, 0xe5900000, 0x10001fff) == errc::ok);
  CHECK(ldr(63, 0xe5900000, 0x1fffffff) == errc::reloc_range_arm);
  CHECK(ldr(64, 0xe1cf00d0, 0xff) == errc::ok);
  CHECK(ldr(64, 0xe1cf00d0, 0x100) == errc::reloc_range_arm);
  CHECK(ldr(67, 0xed9f0b00, 0x3fc) == errc::ok);
  CHECK(ldr(67, 0xed9f0b00, 0x3fe) == errc::reloc_misaligned);
  CHECK(ldr(67, 0xed9f0b00, 0x400) == errc::reloc_range_arm);
  CHECK(ldr(58, 0xe28f0000, 0xff0000) == errc::ok);
  CHECK(ldr(58, 0xe28f0000, 0x1ff0000) == errc::reloc_range_arm);
  CHECK(ldr(57, 0xe28f0000, 0x1ff0000) == errc::ok);
  CHECK(ldr(60, 0xe2800000, 0xffff) == errc::ok);
  CHECK(ldr(60, 0xe2800000, 0x1ffff) == errc::reloc_range_arm);
  CHECK(ldr(61, 0xe2800000, 0xffffff) == errc::ok);
  CHECK(ldr(61, 0xe2800000, 0x1ffffff) == errc::reloc_range_arm);
  CHECK(ldr(53, halves(0xf20f0000), 0xfff) == errc::ok);
  CHECK(ldr(53, halves(0xf20f0000), 0x1000) == errc::reloc_range_arm);
  CHECK(ldr(54, halves(0xf8df0000), -0xfff) == errc::ok);
  CHECK(ldr(54, halves(0xf8df0000), -0x1000) == errc::reloc_range_arm);
  single zero{57, 0xe28f0fff, 0x80000000 - 0x3fc, 0x80000000}; // add r0, pc, #1020
  CHECK(zero() == errc::ok);
  CHECK(zero.word() == 0xe28f0000);
}

TEST_CASE("arm: a GOT for -fpic objects") {
  u32 slots[] = {0, 2}, none[] = {0, 0};
  arm::state state;
  state.got = {0x40000};
  state.got_slot = slots;
  state.plt_slot = none;
  auto value = [&](u32 type, u32 addend, u64 s, u64 p) {
    single one{type, addend, s, p};
    CHECK(one(state) == errc::ok);
    return one.word();
  };
  CHECK(value(24, 4, 0x50000, 0) == 0x10004);
  CHECK(value(25, 8, 0, 0x30000) == 0x10008);
  CHECK(value(26, 0, 0x9999, 0) == 4);
  CHECK(value(95, 1, 0x9999, 0) == 0x40005);
  CHECK(value(96, 0xfffffff8, 0x9999, 0x50000) == 0xfffefffc);
  CHECK(value(41, 0, 0x9999, 0x50000) == 0xffff0004);
  CHECK(single{96, 0, 1, 1}() == errc::reloc_no_slot);
}

TEST_CASE("arm: types that are not served, places and symbols that are not there") {
  for (u32 type : {6u, 9u, 16u, 20u, 23u, 39u, 52u, 94u, 112u, 128u, 160u, 255u})
    CHECK(single{type, 0, 0, 0}() == errc::reloc_unknown_arm);
  std::byte bytes[6] = {};
  u64 const values[] = {0, 1};
  for (reloc::rule const& rule : arm::rules) {
    INFO(rule.name);
    if (rule.formula == reloc::formula::tls) {
      CHECK(single{rule.type, 0, 0, 0}() == errc::reloc_tls);
      continue;
    }
    if (rule.formula == reloc::formula::none)
      continue;
    for (u32 offset : {7u - rule.field.bytes, 0x80000000u, 0xffffffffu}) {
      arm::relocation r{};
      r.r_offset = offset;
      r.r_info = 1u << 8 | rule.type;
      error e;
      CHECK(relocate<arm>({bytes, {0}, {}, {&r, 1}}, {values}, {}, e) == errc::reloc_offset);
    }
    arm::relocation r{};
    r.r_info = 2u << 8 | rule.type;
    error e;
    CHECK(relocate<arm>({bytes, {0}, {}, {&r, 1}}, {values}, {}, e) == errc::reloc_symbol);
  }
  for (std::byte b : bytes)
    CHECK(b == std::byte{0});
}

TEST_CASE("arm: unwind tables of init code are init") {
  for (std::string_view s : {".init.text", ".init.plt", ".ARM.extab.init.text", ".ARM.exidx.init"})
    CHECK(arm::is_init_section(s, true));
  for (std::string_view s : {".text", ".exit.text", ".ARM.exidx", ".ARM.exidx.exit.text"})
    CHECK(!arm::is_init_section(s, true));
  for (std::string_view s : {".exit.text", ".ARM.extab.exit.text", ".ARM.exidx.exit.text"})
    CHECK(arm::is_init_section(s, false));
  CHECK(is_init_section<arm, abi::linux_6_1>(".ARM.exidx.init.text"));
}

// The PLT.

namespace {

/// Memory for one PLT of `entries`.
struct plt_memory {
  explicit plt_memory(u64 entries, bool thumb = false)
      : bytes(round_up<std::size_t>(entries * 8, 128), std::byte{0xcc}) {
    area.room = bytes.size() / 8;
    area.thumb = thumb;
    area.host = bytes.data();
    area.target = {0x10000};
  }
  u32 word(std::size_t at) const { return le32::load(bytes.data() + at); }
  u32 entry(u32 to, std::span<u32 const> fixed = {}) {
    u32 at = 0;
    return area.entry(to, fixed, at) ? at : 0;
  }

  byte_vector bytes;
  arm::plt_area area;
};

} // namespace

TEST_CASE("arm: an entry is a load into pc from the line behind") {
  plt_memory m{17};
  CHECK(m.entry(0xc0001000) == 0x10000);
  CHECK(m.entry(0xc0001000) == 0x10000); // the last one is used again
  CHECK(m.entry(0xc0002000) == 0x10004);
  CHECK(m.entry(0xc0001000) == 0x10008); // an older one is not looked for
  for (u32 i = 0; i < 16; ++i)
    CHECK(m.word(i * 4) == 0xe59ff038); // ldr pc, [pc, #56]
  CHECK(m.word(64) == 0xc0001000);
  CHECK(m.word(68) == 0xc0002000);
  CHECK(m.word(72) == 0xc0001000);
  CHECK(m.word(76) == 0);
  CHECK(m.word(128) == 0xcccccccc); // the next block is not begun
  for (u32 i = 3; i < 16; ++i)
    m.entry(i);
  CHECK(m.entry(0x77) == 0x10080);
  CHECK(m.word(128 + 60) == 0xe59ff038);
  CHECK(m.word(192) == 0x77);

  plt_memory thumb{1, true};
  CHECK(thumb.entry(0xc0001001) == 0x10000);
  CHECK(thumb.bytes[0] == std::byte{0xdf}); // ldr.w pc, [pc, #60]: f8df f03c
  CHECK(thumb.word(0) == 0xf03cf8df);
  CHECK(thumb.word(60) == 0xf03cf8df);
  CHECK(thumb.word(64) == 0xc0001001);
}

TEST_CASE("arm: fixed entries come first and are always looked at; a PLT may be full") {
  u32 const fixed[] = {0xc0312a38, 0xc0312a2c};
  plt_memory m{3};
  CHECK(m.entry(0x1000, fixed) == 0x10008);
  CHECK(m.word(64) == 0xc0312a38);
  CHECK(m.word(68) == 0xc0312a2c);
  CHECK(m.entry(0xc0312a2c, fixed) == 0x10004);
  CHECK(m.entry(0x1000, fixed) == 0x10008);
  for (u32 i = 3; i < 16; ++i)
    CHECK(m.entry(i, fixed) != 0);
  CHECK(m.entry(0x9999, fixed) == 0);
  CHECK(m.entry(15, fixed) == 0x1003c);
  plt_memory none{0};
  CHECK(none.entry(1) == 0);
}

TEST_CASE("arm: a section that is relocated once more takes its entries once") {
  plt_memory m{3};
  arm::state state;
  state.plt_areas[0] = m.area;
  std::vector<std::byte> bytes(16);
  for (std::size_t i = 0; i < 16; i += 4)
    le32::store(bytes.data() + i, 0xebfffffe);
  arm::relocation r[3] = {};
  u64 values[] = {0, 0x80000000, 0x90000000, 0xa0000000};
  for (u32 i = 0; i < 3; ++i) {
    r[i].r_offset = i * 4;
    r[i].r_info = (i + 1) << 8 | arm::call;
  }
  r[2].r_info = 3 << 8 | 99; // unknown: the hot loop gives up, the exact one begins again
  error e;
  byte_vector const original = bytes;
  CHECK(relocate<arm>({bytes, {0x20000}, original, r}, {values}, state, e) ==
        errc::reloc_unknown_arm);
  CHECK(e.index == 2);
  CHECK(state.plt_areas[0].used == 2);
  CHECK(le32::load(bytes.data()) == 0xebffbffe);     // to 0x10000
  CHECK(le32::load(bytes.data() + 4) == 0xebffbffe); // to 0x10004
}

TEST_CASE("arm: equal relocations come out in the order of Linux's heap sort") {
  // By hand from its rules: of equal children the left one, and a sifted one goes below its equals.
  auto sorted = [](std::vector<std::pair<int, char>> v) {
    reloc::sort(std::span{v}, [](auto const& a, auto const& b) { return a.first < b.first; });
    std::string out;
    for (auto const& [key, name] : v)
      out += name;
    return out;
  };
  CHECK(sorted({}) == "");
  CHECK(sorted({{1, 'a'}}) == "a");
  CHECK(sorted({{1, 'a'}, {1, 'b'}}) == "ba");
  CHECK(sorted({{1, 'a'}, {1, 'b'}, {1, 'c'}}) == "bca");
  CHECK(sorted({{3, 'c'}, {1, 'a'}, {2, 'b'}}) == "abc");
  for (u32 n = 0; n < 200; ++n) {
    std::vector<u32> v;
    for (u32 i = 0; i < n; ++i)
      v.push_back(i * 7919 % 61);
    reloc::sort(std::span{v}, std::less<>{});
    CHECK(std::is_sorted(v.begin(), v.end()));
  }
}

// Whole modules.

namespace {

/// A region's address tells its kind: text at 0xbf000000, core 7 MiB higher.
struct fixed_memory {
  std::map<memory_kind, byte_view>* seen = nullptr;

  memory_status allocate(memory_request const& q, region& r) noexcept {
    auto* host = static_cast<std::byte*>(std::calloc(1, static_cast<std::size_t>(q.size)));
    u64 const at = 0xbf000000 + (static_cast<u64>(q.kind) << 20);
    r = {{at}, host, q.size};
    if (q.kind <= memory_kind::init && seen != nullptr)
      (*seen)[q.kind] = {host, static_cast<std::size_t>(q.size)};
    return host == nullptr ? memory_status::no_room : memory_status::ok;
  }
  void release(memory_kind, region r) noexcept { std::free(r.host); }
};

struct by_name {
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    out = {};
    out.value = {name == "far"sv      ? 0x10000000u
                 : name == "far2"sv   ? 0x30000000u
                 : name == "near"sv   ? 0xbfa00000u
                 : name == "tracer"sv ? 0x50000000u
                 : name == "thumb"sv  ? 0x20000001u
                                      : 0u};
    return out.value.value != 0;
  }
};

template <class Abi>
struct arm_config {
  using arch = kmodld::arch::arm;
  using allocator = fixed_memory;
  using symbol_resolver = by_name;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
  using abi = Abi;
};

struct module_abi : abi::linux_of<arm, abi::linux_6_1> {
  static constexpr bool modversions = false;
};
struct thumb_kernel_abi : module_abi {
  static constexpr bool thumb2_kernel = true;
};
struct unrounded_abi : module_abi {
  static constexpr bool strict_rwx = false; // so that sizes can be seen
};
struct object_abi : abi::linux_of<arm, abi::plain> {
  static constexpr bool far_calls = true;
};

byte_vector words(std::initializer_list<u32> all) {
  byte_vector out(all.size() * 4);
  std::size_t i = 0;
  for (u32 w : all)
    le32::store(out.data() + 4 * i++, w);
  return out;
}

template <class Abi>
struct loaded {
  std::map<memory_kind, byte_view> memory;
  loader<arm_config<Abi>> loader_;
  result<module_ref> module;

  explicit loaded(byte_view image, bool ftrace = true)
      : module{[&] {
          loader_.policies().allocator.seen = &memory;
          if (ftrace) {
            loader_.settings().ftrace_caller = {0x50000000};
            loader_.settings().mcount = {0x50000010};
          }
          return loader_.load(image, {}, {.name = "object"sv});
        }()} {}

  u32 word(memory_kind kind, std::size_t at) const {
    return le32::load(memory.at(kind).data() + at);
  }
};

/// A module with the empty sections that Linux's linker script gives it.
struct plt_module : module_builder<arm_numbers> {
  plt_module() : module_builder{"demo"} {}
  void plts() {
    section(".plt", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr, bytes_of({0}));
    section(".init.plt", elf::sht_progbits, elf::shf_alloc, bytes_of({0}));
  }
};

constexpr u32 core_at = 0xbf700000, text_at = 0xbf000000;

constexpr u32 branch(u32 opcode, u32 from, u32 to) {
  return opcode << 24 | ((to - from - 8) >> 2 & 0xffffff);
}

} // namespace

TEST_CASE("a message of dynamic debug takes 32 bytes where words have 32 bits") {
  // struct _ddebug is aligned to 8: Debian's i386 and armhf modules have multiples of 32.
  plt_module m;
  m.text(words({0}));
  m.plts();
  m.section("__dyndbg", elf::sht_progbits, elf::shf_alloc | elf::shf_write, byte_vector(96), 8);
  auto const file = m.build();
  loaded<module_abi> l{file.view()};
  REQUIRE(l.module);
  CHECK((*l.module)->sections.ddebug.count == 3);
  CHECK((*l.module)->sections.ddebug.entry_size == 32);
}

TEST_CASE("arm: far calls of a module go through its PLT, in the order of types and symbols") {
  plt_module m;
  u32 const text = m.text(
      words({0xebfffffe, 0xebfffffe, 0xebfffffe, 0xeafffffe, 0xebfffffe, 0xeb000000, 0xebfffffe}));
  m.plts();
  u32 const far = m.undefined("far"), far2 = m.undefined("far2"), near = m.undefined("near"),
            tracer = m.undefined("tracer"), local = m.symbol("local", text, 0);
  m.rel(text, 12, arm::jump24, far);
  m.rel(text, 24, arm::call, local);
  m.rel(text, 20, arm::call, far2); // + 8
  m.rel(text, 8, arm::call, far);
  m.rel(text, 4, arm::call, tracer);
  m.rel(text, 16, arm::call, near);
  m.rel(text, 0, arm::call, far);
  auto const file = m.build();
  loaded<module_abi> l{file.view()};
  REQUIRE(l.module);
  auto word = [&](std::size_t at) { return l.word(memory_kind::core, at); };
  constexpr u32 plt = core_at + 64;
  for (std::size_t i = 0; i < 16; ++i)
    CHECK(word(64 + 4 * i) == 0xe59ff038);
  u32 const targets[] = {0x50000000, 0x50000010, 0x10000000, 0x30000008, 0x10000000, 0};
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(word(128 + 4 * i) == targets[i]);
  CHECK(word(0) == branch(0xeb, core_at, plt + 8));
  CHECK(word(4) == branch(0xeb, core_at + 4, plt));
  CHECK(word(8) == branch(0xeb, core_at + 8, plt + 8));
  CHECK(word(12) == branch(0xea, core_at + 12, plt + 16));
  CHECK(word(16) == branch(0xeb, core_at + 16, 0xbfa00000));
  CHECK(word(20) == branch(0xeb, core_at + 20, plt + 12));
  CHECK(word(24) == branch(0xeb, core_at + 24, core_at));
}

TEST_CASE("arm: what counts for the size of a PLT") {
  struct row {
    u32 calls;
    bool distinct, zero, own, ftrace;
    u64 size;
  };
  for (row const& r :
       {row{14, true, true, false, true, 128}, row{15, true, true, false, true, 256},
        row{16, true, true, false, false, 128}, row{17, true, true, false, false, 256},
        row{0, true, true, false, true, 128}, row{0, true, true, false, false, 0},
        row{99, false, true, false, true, 128}, row{15, false, false, false, true, 256},
        row{99, true, true, true, true, 128}})
    for (bool init : {false, true}) {
      CAPTURE(r.calls);
      CAPTURE(init);
      plt_module m;
      u32 const text = m.text(byte_vector(r.calls * 4 + 64), init ? ".init.text" : ".text");
      m.plts();
      u32 symbol = 0;
      for (u32 i = 0; i < r.calls; ++i) {
        if (i == 0 || r.distinct)
          symbol = r.own ? m.symbol("own", text, 0) : m.undefined("near");
        le32::store(m.data(text).data() + 4 * i, r.zero ? 0xebfffffe : 0xebffff00);
        m.rel(text, 4 * i, arm::call, symbol);
      }
      auto const file = m.build();
      loaded<unrounded_abi> l{file.view(), r.ftrace};
      REQUIRE(l.module);
      u64 const fixed = r.ftrace ? 128 : 0;
      auto const& core = l.module.value()->all_memories()[0];
      u64 const code = round_up<u64>(r.calls * 4 + 64, 64);
      CHECK(core.text_size == (init ? fixed : r.size == 0 ? code : code + r.size));
    }
}

TEST_CASE("arm: places out of range do not disturb the count") {
  plt_module m;
  u32 const text = m.text(words({0xebfffffe, 0xebfffffe}));
  m.plts();
  u32 const far = m.undefined("far");
  for (u32 offset : {0xffffffffu, 5u, 0u, 8u, 0x80000000u})
    m.rel(text, offset, arm::call, far);
  m.rel(text, 0, arm::call, 0xffff);
  auto const file = m.build();
  loaded<module_abi> l{file.view()};
  REQUIRE(!l.module);
  CHECK(errno_of(l.module.error().code) == e_noexec);
}

TEST_CASE("arm: a Thumb-2 kernel's PLT") {
  plt_module m;
  u32 const text = m.text(words({halves(0xf7fffffe), halves(0xf7ffbffe)}));
  m.plts();
  m.rel(text, 0, arm::thm_call, m.undefined("thumb"));
  auto const file = m.build();
  loaded<thumb_kernel_abi> l{file.view()};
  REQUIRE(l.module);
  CHECK(l.word(memory_kind::core, 64) == halves(0xf8dff03c));
  CHECK(l.word(memory_kind::core, 128 + 8) == 0x20000001);
  // bl to 0x48, from 4: offset 0x44
  CHECK(l.word(memory_kind::core, 0) == halves(0xf000f822 | 0xd000));
  // A kernel in ARM code has no entry that Thumb code could call.
  loaded<module_abi> refused{file.view()};
  REQUIRE(!refused.module);
  CHECK(refused.module.error().code == errc::reloc_no_slot);
}

TEST_CASE("arm: modules without PLT sections are refused, objects are not") {
  plt_module m;
  u32 const text = m.text(words({0xebfffffe}));
  m.rel(text, 0, arm::call, m.undefined("near"));
  auto const file = m.build();
  loaded<module_abi> l{file.view()};
  REQUIRE(!l.module);
  CHECK(l.module.error().code == errc::arch_section_missing);

  elf_builder<elf::elf32_le> o{40};
  u32 const code = o.section(".text", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr,
                             words({0xebfffffe}), 4);
  u32 const symbol = o.undefined("near");
  o.rel(code, 0, arm::call, symbol);
  auto const near = o.build();
  CHECK(loaded<abi::linux_of<arm, abi::plain>>{near.view()}.module);
  o.rel(code, 0, arm::call, o.undefined("far"));
  auto const far = o.build();
  loaded<abi::linux_of<arm, abi::plain>> none{far.view()};
  REQUIRE(!none.module);
  CHECK(none.module.error().code == errc::reloc_range_arm);
}

TEST_CASE("arm: objects mix ARM and Thumb code, near by BLX and far by a PLT each") {
  elf_builder<elf::elf32_le> o{40};
  constexpr u64 exec = elf::shf_alloc | elf::shf_execinstr;
  constexpr u8 function = elf::stb_global << 4 | elf::stt_func;
  u32 const a = o.section(".text.a", elf::sht_progbits, exec,
                          words({0xebfffffe, 0xebfffffe, 0xeafffffe, 0xebfffffe}), 4);
  u32 const t = o.section(
      ".text.t", elf::sht_progbits, exec,
      words({halves(0xf7fffffe), halves(0xf7fffffe), halves(0xf7ffbffe), halves(0xf7fffffe)}), 4);
  u32 const fa = o.symbol("fa", a, 0, function), ft = o.symbol("ft", t, 1, function),
            far = o.undefined("far"), thumb = o.undefined("thumb");
  o.rel(a, 0, arm::call, ft);
  o.rel(a, 4, arm::call, thumb);
  o.rel(a, 8, arm::jump24, ft);
  o.rel(a, 12, arm::call, far);
  o.rel(t, 0, arm::thm_call, fa);
  o.rel(t, 4, arm::thm_call, far);
  o.rel(t, 8, arm::thm_jump24, fa);
  o.rel(t, 12, arm::thm_call, thumb);
  auto const file = o.build();
  loaded<object_abi> l{file.view()};
  REQUIRE(l.module);
  auto word = [&](std::size_t at) { return l.word(memory_kind::text, at); };
  // .text.a at 0, .text.t at 16, .plt at 64, .plt.thumb at 192.
  CHECK(word(0) == (0xfa000000 | 2)); // blx 16
  CHECK(word(64) == 0xe59ff038);
  CHECK(word(192) == halves(0xf8dff03c));
  auto arm_entry = [&](std::size_t p) { return word(p + 8 + (word(p) & 0xffffff) * 4 + 64); };
  CHECK((word(4) >> 24) == 0xeb);
  CHECK(arm_entry(4) == 0x20000001);
  CHECK((word(8) >> 24) == 0xea);
  CHECK(arm_entry(8) == text_at + 17);
  CHECK(arm_entry(12) == 0x10000000);
  CHECK(word(16) == halves(0xf7ffeff6));  // blx -20
  auto thumb_entry = [&](std::size_t p) { // entries lie ahead, within 2 KiB
    u32 const insn = word(p) >> 16 | word(p) << 16;
    return word(p + 4 + (insn & 0x7ff) * 2 + 64);
  };
  CHECK(thumb_entry(20) == 0x10000000);
  CHECK((word(20) >> 16 & 0xd000u) == 0xd000u); // bl, for the entry is Thumb code
  CHECK(thumb_entry(24) == text_at);
  CHECK((word(24) >> 16 & 0xd000) == 0x9000); // b.w
  CHECK(thumb_entry(28) == 0x20000001);
}

TEST_CASE("arm: one list of relocations for two sections takes entries for both") {
  reloc_bench<arm> b;
  std::vector<std::byte> plt(256);
  b.symbol(0x80000000);
  b.add(0, arm::call, 1);
  b.state.plt_areas[0].section = 1;
  b.state.plt_areas[0].room = 32;
  b.state.plt_areas[0].host = plt.data();
  b.state.plt_areas[0].target = {0x10001000};
  auto const leads_to = [&](u32 insn, u64 place) {
    std::byte code[8] = {};
    arm::format::word::store(code, insn);
    byte_vector const original(std::begin(code), std::end(code));
    error e;
    REQUIRE(relocate<arm>({code, {place}, original, b.relocations}, {b.values}, b.state, e) ==
            errc::ok);
    u32 const word = arm::format::word::load(code);
    u32 const entry = static_cast<u32>(place) + 8 + (word & 0xffffff) * 4 - 0x10001000;
    return u32{arm::format::word::load(plt.data() + entry + 64)};
  };
  u32 const first = leads_to(0xebfffffe, 0x10000000), second = leads_to(0xeb00003e, 0x10000100);
  CHECK(first == 0x80000000);
  CHECK(second == 0x80000100);
}
