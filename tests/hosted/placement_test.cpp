// SPDX-License-Identifier: MIT
// Where a process finds room: inside the window, as near as there is room, below where the
// process's part of the addresses ends.
#include <kmodld/hosted/placement.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace {

using namespace kmodld;
using hosted::map_near;
using hosted::placement;

constexpr u64 page = 0x10000; // a multiple of every machine's

struct mapping {
  explicit mapping(placement const& where, u64 size = page)
      : size{size}, at{map_near(where, size, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1)} {}
  mapping(mapping const&) = delete;
  mapping& operator=(mapping const&) = delete;
  ~mapping() {
    if (at != nullptr)
      ::munmap(at, static_cast<std::size_t>(size));
  }
  u64 address() const { return reinterpret_cast<std::uintptr_t>(at); }
  u64 size;
  void* at;
};

TEST_CASE("map_near takes the place itself if it is free, else one beside it") {
  u64 free_place = 0;
  {
    mapping const here{placement::native(), 64 * page};
    REQUIRE(here.at != nullptr);
    free_place = here.address() + 32 * page;
  }
  placement const wish{{{free_place - 16 * page}, {free_place + 16 * page - 1}}, {free_place}};
  mapping const first{wish}, second{wish}, third{wish};
  CHECK(first.address() == free_place);
  CHECK((second.address() == free_place - page || second.address() == free_place + page));
  CHECK((third.address() == free_place - page || third.address() == free_place + page));
  CHECK(second.address() != third.address());
  CHECK(mapping{wish, 32 * page}.at == nullptr); // what is in use is in its way
}

TEST_CASE("a window that holds no such place has no room") {
  CHECK(mapping{placement{{{page}, {2 * page - 2}}, {page}}}.at == nullptr);
}

#if UINTPTR_MAX > 0xffffffff
TEST_CASE("where the system refuses a free place, a lower one is taken") {
  // The last page below 2^47 is never a process's, on machines where it could be.
  mapping const top{{{{0}, {(u64{1} << 47) - 1}}, {(u64{1} << 47) - 1}}};
  REQUIRE(top.at != nullptr);
  CHECK(top.address() < u64{1} << 47);
}
#endif

} // namespace
