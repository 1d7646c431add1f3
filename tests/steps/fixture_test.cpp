// SPDX-License-Identifier: MIT
// Makes the loaders of the fixture for this program; loader/fixture_test.cpp tests them.
#include "loader/hosts.hpp"

namespace kmodld::test {

std::unique_ptr<host> make_host(kernel k) { return make_host_now(k); }
builder full_builder(std::string_view name) { return full_builder_now(name); }

} // namespace kmodld::test
