// SPDX-License-Identifier: MIT
// What the tests of single steps share: a load that must work or must fail, looked at from inside.
#pragma once

#include "loader/fixture.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {

inline byte_vector image_of(builder const& b) { return b.build().bytes; }

/// Loads; the module stays.
inline module& loaded(host& h, byte_vector const& image, std::string_view args = {},
                      load_flags flags = {}) {
  auto r = h.load(image, args, flags);
  REQUIRE_MESSAGE(r, text_of(r.error()));
  return **r;
}
inline module& loaded(host& h, builder const& b, std::string_view args = {},
                      load_flags flags = {}) {
  return loaded(h, image_of(b), args, flags);
}

/// Must fail with this code in this step, and leave nothing new.
inline error refused(host& h, byte_vector const& image, errc code, std::string_view step,
                     std::string_view args = {}, load_flags flags = {}) {
  std::string const before = h.held();
  h.tracer.entered.clear();
  auto r = h.load(image, args, flags);
  REQUIRE(!r);
  CHECK_MESSAGE(r.error().code == code, text_of(r.error()));
  CHECK(h.tracer.entered.back() == step);
  CHECK(r.error().step == h.tracer.entered.size());
  CHECK(h.held() == before);
  CHECK(h.sound());
  return r.error();
}
inline error refused(host& h, builder const& b, errc code, std::string_view step,
                     std::string_view args = {}, load_flags flags = {}) {
  return refused(h, image_of(b), code, step, args, flags);
}

/// Calls `look` with the module when `step` has run.
inline void after(host& h, std::string_view step, std::function<void(module&)> look) {
  h.tracer.on_leave = [&h, step, look = std::move(look)](std::string_view done) {
    if (done == step && !h.modules().empty())
      look(*h.modules().begin());
  };
}

template <class T>
T read(module const& m, address a) {
  std::byte const* p = m.host(a, sizeof(T));
  REQUIRE(p != nullptr);
  return elf::field<T, elf::byte_order::little>::load(p);
}

inline module_memory const* memory_of(module const& m, memory_kind kind) {
  for (module_memory const& part : m.all_memories())
    if (part.kind == kind)
      return &part;
  return nullptr;
}

} // namespace kmodld::test
