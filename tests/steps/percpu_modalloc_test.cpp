// SPDX-License-Identifier: MIT
// Room for per-CPU variables.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
builder with_percpu(u64 align, byte_vector data = byte_vector(12)) {
  builder b = simple_builder();
  b.section(".data..percpu", elf::sht_progbits, elf::shf_alloc | elf::shf_write, std::move(data),
            align);
  return b;
}
} // namespace

TEST_CASE("percpu_modalloc: size and alignment of the section") {
  auto h = make_host();
  module& m = loaded(*h, with_percpu(64));
  CHECK(m.percpu_size == 12);
  CHECK(m.percpu.value % 64 == 0);
  CHECK(h->percpu.live.at(m.percpu.value) == 12);
  CHECK(h->unload("demo"));
  CHECK(h->percpu.live.empty());
}

TEST_CASE("percpu_modalloc: more than a page is cut, with a note") {
  auto h = make_host();
  loaded(*h, with_percpu(8192));
  CHECK(h->percpu.last_align == 4096);
  CHECK(h->diagnostics.said("demo: per-cpu alignment 8192 > 4096"));
}

TEST_CASE("percpu_modalloc: no alignment, an odd one, no bytes") {
  auto h = make_host();
  loaded(*h, with_percpu(0));
  CHECK(h->percpu.last_align == 1);
  CHECK(h->unload("demo"));
  error e = refused(*h, with_percpu(24), errc::percpu_no_memory, "percpu_modalloc");
  CHECK(e.os_errno() == e_nomem);
  CHECK(text_of(e) == "demo: Could not allocate 12 bytes percpu data");
  CHECK(loaded(*h, with_percpu(4, {})).percpu_size == 0);
}

} // namespace kmodld::test
