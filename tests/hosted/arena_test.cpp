// SPDX-License-Identifier: MIT
#include <kmodld/hosted/arena.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace kmodld;
using hosted::arena;
using hosted::arena_options;
using hosted::placement;

constexpr u64 mib = u64{1} << 20;
constexpr memory_kind page_kinds[] = {
    memory_kind::text,          memory_kind::data,      memory_kind::rodata,
    memory_kind::ro_after_init, memory_kind::init_text, memory_kind::init_data,
    memory_kind::init_rodata,   memory_kind::core,      memory_kind::init};

arena_options sized(u64 size) {
  arena_options o;
  o.size = size;
  return o;
}
memory_request wish(memory_kind kind, u64 size, u64 align = 1, reach_window reach = {}) {
  return {kind, size, align, reach};
}
bool zero(region r) {
  return std::all_of(r.host, r.host + r.size, [](std::byte b) { return b == std::byte{}; });
}

/// The permissions of the mapping at `a`, such as "rw-p", from /proc/self/maps.
std::string permissions(address a) {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  char line[512], text[8];
  std::string result = "none";
  u64 first, end;
  while (std::fgets(line, sizeof line, maps) != nullptr)
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &first, &end, text) == 3 &&
        a.value >= first && a.value < end)
      result = text;
  std::fclose(maps);
  return result;
}

TEST_CASE("an allocator that adds to it needs no constructor") {
  struct counted : arena {
    unsigned given = 0;
  };
  counted a{};
  CHECK(a.valid());
  CHECK(a.given == 0);
}

#if defined(__x86_64__)
TEST_CASE("by default the arena lies in the low 2 GiB") {
  arena a;
  REQUIRE(a.valid());
  CHECK(a.range().target.value > 0);
  CHECK(a.range().target.value + a.range().size <= u64{1} << 31);
  arena second; // does not take the first one's place
  REQUIRE(second.valid());
  CHECK_FALSE(second.range().contains(a.range().target));
}
#endif

TEST_CASE("an arena lies near a given address, or nowhere") {
  auto here = reinterpret_cast<std::uintptr_t>(&permissions);
  arena_options o = sized(16 * mib);
  o.where = placement::near({here}, 1024 * mib);
  arena a{o};
  REQUIRE(a.valid());
  CHECK(o.where.window.holds(a.range().target, a.range().size));

  o.where.window = {a.range().target, a.range().target + (a.range().size - 1)};
  arena no_place{o}; // taken by the first one
  CHECK_FALSE(no_place.valid());
  region r;
  CHECK(no_place.allocate(wish(memory_kind::text, 1), r) == memory_status::no_room);
}

TEST_CASE("memory is page-aligned, zero, writable, and of the size asked for") {
  arena a{sized(32 * mib)};
  REQUIRE(a.valid());
  for (memory_kind kind : page_kinds) {
    for (u64 size : {u64{1}, a.page_size(), a.page_size() + 1, 3 * mib}) {
      region r;
      REQUIRE(a.allocate(wish(kind, size), r) == memory_status::ok);
      CHECK(r.target.value % a.page_size() == 0);
      CHECK(r.size == round_up(size, a.page_size()));
      CHECK(r.target.value == reinterpret_cast<std::uintptr_t>(r.host));
      CHECK(a.range().contains(r.target));
      CHECK(zero(r));
      std::memset(r.host, 0xaa, r.size);
      CHECK(a.in_use(kind) == r.size);
      a.release(kind, r);
      CHECK(a.in_use(kind) == 0);
    }
  }
  CHECK(a.in_use() == 0);
}

TEST_CASE("memory used again is zero, also after trim and after other permissions") {
  for (bool second_mapping : {false, true}) {
    arena_options o = sized(4 * mib);
    o.second_mapping = second_mapping;
    arena a{o};
    REQUIRE(a.valid());
    region r;
    for (int round = 0; round < 6; ++round) {
      REQUIRE(a.allocate(wish(memory_kind::core, 3 * mib), r) == memory_status::ok);
      CHECK(zero(r));
      std::memset(r.host, 0x55, r.size);
      if (round % 2)
        REQUIRE(::mprotect(r.host, r.size, PROT_READ | PROT_EXEC) == 0);
      a.release(memory_kind::core, r);
      CHECK(permissions(r.target).substr(0, 3) == "rw-");
      if (round % 3 == 0)
        a.trim();
    }
  }
}

TEST_CASE("kinds lie in chunks of their own") {
  arena a{sized(64 * mib)};
  std::vector<region> text(8), data(8);
  for (std::size_t i = 0; i < 8; ++i) {
    REQUIRE(a.allocate(wish(memory_kind::text, 0x3000), text[i]) == memory_status::ok);
    REQUIRE(a.allocate(wish(memory_kind::data, 0x5000), data[i]) == memory_status::ok);
  }
  for (region const& t : text)
    for (region const& d : data)
      CHECK(t.target.value / (2 * mib) != d.target.value / (2 * mib));
}

TEST_CASE("no room and out of reach are told apart") {
  arena a{sized(1 * mib)};
  REQUIRE(a.valid());
  u64 base = a.range().target.value, size = a.range().size;
  region r, all;
  CHECK(a.allocate(wish(memory_kind::data, size + 1), r) == memory_status::no_room);
  CHECK(a.allocate(wish(memory_kind::data, ~u64{0}), r) == memory_status::no_room);
  CHECK(a.allocate(wish(memory_kind::data, 0), r) == memory_status::no_room);
  reach_window elsewhere{{base + size}, {base + 2 * size}}, below{{0}, {base - 1}};
  CHECK(a.allocate(wish(memory_kind::data, 1, 1, elsewhere), r) == memory_status::out_of_reach);
  CHECK(a.allocate(wish(memory_kind::data, 1, 1, below), r) == memory_status::out_of_reach);
  CHECK(a.allocate(wish(memory_kind::data, 1, 1, {{1}, {0}}), r) == memory_status::out_of_reach);
  // A window of two pages, its edges inside of pages.
  u64 page = a.page_size();
  reach_window narrow{{base + 3 * page - 1}, {base + 5 * page + 7}};
  CHECK(a.allocate(wish(memory_kind::data, 2 * page + 1, 1, narrow), r) ==
        memory_status::out_of_reach);
  REQUIRE(a.allocate(wish(memory_kind::data, 2 * page, 1, narrow), r) == memory_status::ok);
  CHECK(r.target == address{base + 3 * page});
  region second;
  CHECK(a.allocate(wish(memory_kind::text, page, 1, narrow), second) ==
        memory_status::out_of_reach);
  a.release(memory_kind::data, r);
  // All of it, by any kind; then nothing is left anywhere.
  REQUIRE(a.allocate(wish(memory_kind::text, size), all) == memory_status::ok);
  CHECK(a.allocate(wish(memory_kind::data, 1), r) == memory_status::no_room);
  CHECK(a.allocate(wish(memory_kind::data, 1, 1, narrow), r) == memory_status::no_room);
  a.release(memory_kind::text, all);
  REQUIRE(a.allocate(wish(memory_kind::init, size), all) == memory_status::ok);
  a.release(memory_kind::init, all);
}

TEST_CASE("the last chunk is shared when there is no other") {
  arena a{sized(1 * mib)};
  std::vector<region> regions;
  region r;
  std::size_t i = 0;
  while (a.allocate(wish(page_kinds[i++ % 9], 1), r) == memory_status::ok)
    regions.push_back(r);
  CHECK(regions.size() == a.range().size / a.page_size());
}

TEST_CASE("alignment beyond a page") {
  arena a{sized(32 * mib)};
  for (u64 align : {u64{0x10000}, 1 * mib, 4 * mib}) {
    region r;
    REQUIRE(a.allocate(wish(memory_kind::text, 0x2000, align), r) == memory_status::ok);
    CHECK(r.target.value % align == 0);
  }
  region r;
  CHECK(a.allocate(wish(memory_kind::text, 1, u64{1} << 62), r) == memory_status::no_room);
}

TEST_CASE("guard pages cannot be touched, and come back") {
  arena_options o = sized(1 * mib);
  o.guard_pages = true;
  arena a{o};
  for (int round = 0; round < 3; ++round) {
    std::vector<region> regions;
    region r;
    while (a.allocate(wish(memory_kind::data, 0x2000), r) == memory_status::ok) {
      CHECK(permissions(r.target).substr(0, 3) == "rw-");
      CHECK(permissions(r.target + (r.size - 1)).substr(0, 3) == "rw-");
      CHECK(permissions(r.target + r.size).substr(0, 3) == "---");
      CHECK(zero(r));
      std::memset(r.host, 1, r.size);
      regions.push_back(r);
    }
    CHECK(regions.size() == a.range().size / (3 * a.page_size()));
    for (region const& x : regions)
      a.release(memory_kind::data, x);
  }
  CHECK(a.in_use() == 0);
}

TEST_CASE("random allocations of every kind are zero, kept, and leave nothing behind") {
  arena a{sized(128 * mib)};
  struct piece {
    memory_kind kind;
    region memory;
  };
  std::vector<piece> live;
  std::mt19937 random{11};
  u64 refused = 0, wrong = 0, bytes = 0;
  for (int i = 0; i < 20000; ++i) {
    // About 1,000 live regions of 4 to 128 KiB, a few of 2 MiB, as modules have.
    if (live.size() < 800 || (live.size() < 1200 && random() % 2)) {
      u64 size = random() % 200 == 0 ? 2 * mib : u64{1} << (6 + random() % 12);
      memory_kind kind = page_kinds[random() % 9];
      region r;
      if (a.allocate(wish(kind, size + random() % 3000), r) != memory_status::ok) {
        ++refused;
        continue;
      }
      wrong += r.host[0] != std::byte{} || r.host[r.size - 1] != std::byte{};
      r.host[0] = r.host[r.size - 1] = std::byte{1};
      bytes += r.size;
      live.push_back({kind, r});
    } else {
      std::swap(live[random() % live.size()], live.back());
      wrong += live.back().memory.host[0] != std::byte{1};
      a.release(live.back().kind, live.back().memory);
      bytes -= live.back().memory.size;
      live.pop_back();
    }
  }
  CHECK(refused == 0);
  CHECK(wrong == 0);
  CHECK(a.in_use() == bytes);
  for (piece const& p : live)
    a.release(p.kind, p.memory);
  region all;
  CHECK(a.allocate(wish(memory_kind::text, a.range().size), all) == memory_status::ok);
}

TEST_CASE("an arena tells which memory is zero without having been asked for it") {
  arena a{sized(4 * mib)};
  auto const take = [&a](bool zeroed) {
    region r;
    memory_request w = wish(memory_kind::data, 3 * a.page_size());
    w.zeroed = zeroed;
    REQUIRE(a.allocate(w, r) == memory_status::ok);
    if (r.zero)
      CHECK(zero(r));
    return r;
  };
  region r = take(false);
  CHECK(r.zero);
  std::memset(r.host + 2 * a.page_size(), 0xff, 1);
  a.release(memory_kind::data, r);
  r = take(false); // the same pages
  CHECK_FALSE(r.zero);
  a.release(memory_kind::data, r);
  r = take(true);
  CHECK(r.zero);
  region behind = take(false); // pages that nobody had
  CHECK(behind.zero);
  a.release(memory_kind::data, behind);
  a.release(memory_kind::data, r);
  a.trim();
  r = take(false);
  CHECK(r.zero);
  a.release(memory_kind::data, r);
}

TEST_CASE("a populated arena has all its memory, zero") {
  for (bool huge : {false, true}) {
    arena_options o = sized(4 * mib);
    o.populate = true;
    o.huge_pages = huge;
    arena a{o};
    REQUIRE(a.valid());
    std::vector<unsigned char> there(a.range().size / a.page_size());
    REQUIRE(::mincore(a.range().host, a.range().size, there.data()) == 0);
    CHECK(std::all_of(there.begin(), there.end(), [](unsigned char c) { return (c & 1) != 0; }));
    region r;
    REQUIRE(a.allocate(wish(memory_kind::text, a.range().size), r) == memory_status::ok);
    CHECK(r.zero);
    CHECK(zero(r));
  }
}

TEST_CASE("what a populated arena gave to nobody goes back to the system, too") {
  arena_options o = sized(4 * mib);
  o.populate = true;
  arena a{o};
  REQUIRE(a.valid());
  a.trim();
  std::vector<unsigned char> there(a.range().size / a.page_size());
  REQUIRE(::mincore(a.range().host, a.range().size, there.data()) == 0);
  CHECK(std::none_of(there.begin(), there.end(), [](unsigned char c) { return (c & 1) != 0; }));
}

TEST_CASE("an arena that the system refuses to populate is not valid") {
  pid_t const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // What is writable and private counts as data; 8 MiB more than there is now.
    std::ifstream status{"/proc/self/status"};
    rlimit limit{};
    for (std::string line; std::getline(status, line);)
      if (std::sscanf(line.c_str(), "VmData: %lu kB", &limit.rlim_cur) == 1)
        limit.rlim_cur = limit.rlim_cur * 1024 + 8 * mib;
    limit.rlim_max = limit.rlim_cur;
    arena_options o = sized(64 * mib);
    if (limit.rlim_cur <= 8 * mib || ::setrlimit(RLIMIT_DATA, &limit) != 0)
      ::_exit(3);
    bool const reserved = arena{o}.valid();
    o.populate = true;
    bool const populated = arena{o}.valid();
    ::_exit(reserved ? populated : 2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("code that the system does not make writable again is nobody's until it does") {
  pid_t const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    arena a{sized(4 * mib)};
    region r;
    rlimit limit{};
    if (a.allocate(wish(memory_kind::text, mib), r) != memory_status::ok ||
        ::mprotect(r.host, r.size, PROT_READ | PROT_EXEC) != 0 ||
        ::getrlimit(RLIMIT_DATA, &limit) != 0)
      ::_exit(3);
    rlimit const tight{a.page_size(), limit.rlim_max}; // less than there is: nothing gets writable
    if (::setrlimit(RLIMIT_DATA, &tight) != 0)
      ::_exit(3);
    a.release(memory_kind::text, r);
    if (a.allocate(wish(memory_kind::text, mib), r) == memory_status::ok)
      std::memset(r.host, 1, r.size), a.release(memory_kind::text, r);
    if (::setrlimit(RLIMIT_DATA, &limit) != 0)
      ::_exit(3);
    region all;
    if (a.allocate(wish(memory_kind::data, a.range().size), all) != memory_status::ok)
      ::_exit(2);
    std::memset(all.host, 1, all.size);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an arena of more pages than have a number is not valid") {
  if constexpr (sizeof(void*) == 8) {
    arena_options o = sized((static_cast<u64>(::sysconf(_SC_PAGESIZE)) << 32) + 2 * mib);
    o.where = {};
    CHECK_FALSE(arena{o}.valid());
  }
}

TEST_CASE("records and scratch come from the heap, zeroed and aligned") {
  arena a{sized(1 * mib)};
  for (memory_kind kind : {memory_kind::record, memory_kind::scratch})
    for (u64 align : {1u, 16u, 64u, 4096u})
      for (u64 size : {1u, 24u, 4096u, 100000u}) {
        region r;
        REQUIRE(a.allocate(wish(kind, size, align), r) == memory_status::ok);
        CHECK(reinterpret_cast<std::uintptr_t>(r.host) % align == 0);
        CHECK(r.size >= size);
        CHECK(zero(r));
        std::memset(r.host, 0xff, r.size);
        CHECK(a.in_use(kind) == r.size);
        a.release(kind, r);
      }
  CHECK(a.in_use() == 0);
  region r;
  CHECK(a.allocate(wish(memory_kind::scratch, ~u64{0} - 3), r) == memory_status::no_room);
  CHECK(a.allocate(wish(memory_kind::record, ~u64{0} >> 1), r) == memory_status::no_room);
}

TEST_CASE("threads allocate at the same time") {
  arena a{sized(64 * mib)};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&a, &wrong, t] {
      std::mt19937 random{t};
      for (int i = 0; i < 2000; ++i) {
        memory_kind kind = page_kinds[random() % 9];
        region r;
        if (a.allocate(wish(kind, 1 + random() % 40000), r) != memory_status::ok || !zero(r))
          ++wrong;
        std::memset(r.host, static_cast<int>(t + 1), r.size);
        if (r.host[r.size / 2] != static_cast<std::byte>(t + 1))
          ++wrong;
        a.release(kind, r);
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(wrong == 0);
  CHECK(a.in_use() == 0);
}

} // namespace
