// SPDX-License-Identifier: MIT
// The host of the tests itself: what it calls sound loads, runs and goes without a trace.
#include "loader/hosts.hpp"

#include <doctest/doctest.h>

namespace kmodld::test {

std::unique_ptr<host> make_host(kernel k) { return make_host_now(k); }
builder full_builder(std::string_view name) { return full_builder_now(name); }

TEST_CASE("a module with something of everything loads and unloads on every kernel") {
  for (kernel k : {kernel::v6_1, kernel::v6_12, kernel::options, kernel::lenient, kernel::strict,
                   kernel::unversioned}) {
    CAPTURE(static_cast<int>(k));
    auto h = make_host(k);
    CHECK(h->clean());
    REQUIRE(h->load(base_module()));
    auto full = h->load(full_module(), "number=3 flag");
    REQUIRE_MESSAGE(full, text_of(full.error()));
    CHECK(h->symbols.exports_of(full->get()) == 2);
    CHECK(h->find("base")->source_list != nullptr);
    full->reset();
    CHECK(h->unload("full"));
    CHECK(h->unload("base"));
    CHECK(h->held() == "");
    CHECK(h->promised.broken == 0);
    CHECK(h->allocator.mistakes() == 0);
    CHECK(h->clean());
  }
}

} // namespace kmodld::test
