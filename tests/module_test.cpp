// SPDX-License-Identifier: MIT
// What the record of a module says of an address.
#include <kmodld/module.hpp>

#include <doctest/doctest.h>

namespace kmodld::test {
namespace {

constexpr u64 base = 0xffffffffc0200000;

void add(module& m, memory_kind kind, u64 target, u64 size, u32 text_size = 0) {
  u8 const n = m.memory_count;
  m.memories[n].memory = {.target = {target}, .size = size};
  m.memories[n].kind = kind;
  m.memories[n].text_size = text_size;
  m.memory_count = static_cast<u8>(n + 1);
}

} // namespace

TEST_CASE("in_text: of core the part that is executed, of init nothing") {
  module m;
  CHECK(!m.in_text({0}, 0));
  add(m, memory_kind::core, base, 0x4000, 0x2000);
  add(m, memory_kind::init, base + 0x4000, 0x2000, 0x1000);
  CHECK(m.in_text({base}, 0x2000));
  CHECK(m.in_text({base + 0x1fff}, 1));
  CHECK(m.in_text({base + 0x1fff}, 0));
  CHECK(!m.in_text({base + 0x1fff}, 2));
  CHECK(!m.in_text({base}, 0x2001));
  CHECK(!m.in_text({base}, ~u64{0}));
  CHECK(!m.in_text({base + 0x1000}, 0 - u64{0x1000})); // the sum wraps to 0
  CHECK(!m.in_text({base - 1}, 1));
  CHECK(!m.in_text({base + 0x2000}, 0));
  CHECK(!m.in_text({base + 0x4000}, 1));
}

TEST_CASE("in_text: of seven regions the one that is code and stays") {
  module m;
  for (u8 kind = 0; kind < 7; ++kind)
    add(m, static_cast<memory_kind>(kind), base + kind * u64{0x2000}, 0x1000);
  for (u8 kind = 0; kind < 7; ++kind) {
    CAPTURE(kind);
    bool const text = static_cast<memory_kind>(kind) == memory_kind::text;
    address const first{base + kind * u64{0x2000}};
    CHECK(m.in_text(first, 0x1000) == text);
    CHECK(m.in_text(first + 0xfff, 1) == text);
    CHECK(!m.in_text(first + 0xfff, 2));
    CHECK(!m.in_text(first + 0x1000, 0));
    CHECK(!m.in_text(first + (0 - u64{1}), 1));
  }
}

TEST_CASE("in_text: a region may be empty, or end with the address space") {
  module m;
  add(m, memory_kind::text, 0, 0);
  CHECK(!m.in_text({0}, 0));
  add(m, memory_kind::text, 0 - u64{0x1000}, 0x1000);
  CHECK(m.in_text({0 - u64{0x1000}}, 0x1000));
  CHECK(m.in_text({~u64{0}}, 1));
  CHECK(!m.in_text({~u64{0}}, 2));
  CHECK(!m.in_text({0}, 1));
}

} // namespace kmodld::test
