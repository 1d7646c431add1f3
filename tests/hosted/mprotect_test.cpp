// SPDX-License-Identifier: MIT
#include <kmodld/hosted/mprotect.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

namespace {

using namespace kmodld;
using hosted::arena;
using hosted::arena_options;
using hosted::mprotect_protector;

/// The mappings that overlap `r`, as permission letters in order, such as "r-x r-- rw-".
std::string permissions(region r) {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  char line[512], text[8];
  std::string result;
  u64 first, end;
  while (std::fgets(line, sizeof line, maps) != nullptr)
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &first, &end, text) == 3 &&
        first < r.target.value + r.size && end > r.target.value)
      result += (result.empty() ? "" : " ") + std::string(text, 3);
  std::fclose(maps);
  return result;
}

region part(region r, u64 from, u64 size) { return {r.target + from, r.host + from, size}; }

struct fixture {
  explicit fixture(bool second = false) : memory{options(second)}, protector{memory} {
    REQUIRE(memory.valid());
    REQUIRE(memory.allocate({memory_kind::core, 8 * page, 1, {}}, code) == memory_status::ok);
  }
  static arena_options options(bool second) {
    arena_options o;
    o.size = u64{1} << 20;
    o.second_mapping = second;
    return o;
  }
  u64 page = static_cast<u64>(::sysconf(_SC_PAGESIZE));
  arena memory;
  mprotect_protector protector;
  region code;
};
struct fixture_two : fixture {
  fixture_two() : fixture{true} {}
};

TEST_CASE_FIXTURE(fixture, "a module's memory is never writable and executable") {
  std::array<protection, 4> batch{{{part(code, 0, 2 * page), permission::read},
                                   {part(code, 2 * page, 2 * page), permission::read},
                                   {part(code, 5 * page, 3 * page), permission::read_write},
                                   {part(code, 0, 2 * page), permission::read_execute}}};
  CHECK(protector.protect(std::span{batch}.first(2)) == 0);
  CHECK(permissions(part(code, 0, 4 * page)) == "r--");
  CHECK(protector.protect(batch) == 0);
  CHECK(permissions(code).starts_with("r-x r-- rw-"));
  CHECK(permissions(memory.range()).find("wx") == std::string::npos);
  memory.release(memory_kind::core, code);
  CHECK(permissions(code).find('x') == std::string::npos);
  // Used again it is writable, whatever it was.
  REQUIRE(memory.allocate({memory_kind::core, 8 * page, 1, {}}, code) == memory_status::ok);
  CHECK(permissions(code) == "rw-");
}

TEST_CASE("changes that are put off are made together, and go with the module") {
  arena memory{fixture::options(false)};
  mprotect_protector protector{memory, hosted::settles::later};
  u64 const page = memory.page_size();
  region texts[4], constants;
  for (region& text : texts)
    REQUIRE(memory.allocate({memory_kind::text, page, 1, {}}, text) == memory_status::ok);
  REQUIRE(memory.allocate({memory_kind::rodata, page, 1, {}}, constants) == memory_status::ok);
  for (region const& text : texts) {
    protection const one[] = {{text, permission::read_execute}};
    CHECK(protector.protect(one) == 0);
  }
  protection const two[] = {{constants, permission::read}};
  CHECK(protector.protect(two) == 0);
  for (region const& text : texts)
    CHECK(permissions(text) == "rw-");
  memory.release(memory_kind::text, texts[3]); // never executed
  CHECK(protector.settle() == 0);
  for (int i : {0, 1, 2})
    CHECK(permissions(texts[i]) == "r-x");
  CHECK(permissions(texts[3]) == "rw-");
  CHECK(permissions(constants) == "r--");
  CHECK(permissions({texts[0].target, texts[0].host, 3 * page}) == "r-x"); // one mapping
  memory.release(memory_kind::text, texts[1]);
  CHECK(permissions(texts[1]) == "rw-"); // at once
  memory.release(memory_kind::rodata, constants);
  CHECK(protector.settle() == 0);
  CHECK(permissions(texts[0]) == "r-x");
  region again;
  REQUIRE(memory.allocate({memory_kind::rodata, page, 1, {}}, again) == memory_status::ok);
  CHECK(permissions(again) == "rw-");
  CHECK(std::all_of(again.host, again.host + page, [](std::byte b) { return b == std::byte{}; }));
}

TEST_CASE_FIXTURE(fixture, "what is not page-aligned is refused as a whole") {
  std::array<protection, 2> batch{
      {{part(code, 0, page), permission::read}, {part(code, 16, page), permission::read}}};
  CHECK(protector.protect(batch) == EINVAL);
  batch[1].memory = part(code, page, page + 1);
  CHECK(protector.protect(batch) == EINVAL);
  CHECK(permissions(code) == "rw-");
  batch[1].memory = part(code, page, 0); // nothing to do
  CHECK(protector.protect(batch) == 0);
}

TEST_CASE_FIXTURE(fixture, "what a refused change left executable does not stay so") {
  for (auto when : {hosted::settles::at_once, hosted::settles::later}) {
    protector = mprotect_protector{memory, when};
    // A hole, at which the system ends after it has changed what lies before it.
    REQUIRE(::munmap(code.host + 4 * page, page) == 0);
    std::array<protection, 1> batch{{{code, permission::read_execute}}};
    CHECK((protector.protect(batch) != 0 || protector.settle() != 0));
    CHECK(permissions(part(code, 0, page)) == "r-x");
    REQUIRE(::mmap(code.host + 4 * page, page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    memory.release(memory_kind::core, code);
    CHECK(permissions(code).find('x') == std::string::npos);
    CHECK(protector.settle() == 0);
    REQUIRE(memory.allocate({memory_kind::core, 8 * page, 1, {}}, code) == memory_status::ok);
    CHECK(permissions(code).find_first_not_of("rw- ") == std::string::npos);
    std::memset(code.host, 1, code.size);
  }
}

TEST_CASE_FIXTURE(fixture, "the system's errno comes through") {
  std::array<protection, 1> batch{{{{{page}, nullptr, page}, permission::read}}};
  CHECK(protector.protect(batch) == ENOMEM); // nothing is mapped there
  CHECK(protector.protect({}) == 0);
}

void check_patch(fixture& f) {
  std::memset(f.code.host, 0x11, f.code.size);
  for (permission p : {permission::read, permission::read_execute}) {
    std::array<protection, 1> batch{{{f.code, p}}};
    REQUIRE(f.protector.protect(batch) == 0);
    std::string before = permissions(f.code);
    std::array<std::byte, 8> bytes;
    for (u64 size = 0; size <= 8; ++size)
      for (u64 at : {f.page - 3, 2 * f.page + 8}) { // across pages, and aligned
        bytes.fill(static_cast<std::byte>(0x80 + size));
        REQUIRE(f.protector.patch(f.code.target + at, byte_view{bytes}.first(size)) == 0);
        CHECK(std::memcmp(f.code.host + at, bytes.data(), size) == 0);
        CHECK(f.code.host[at - 1] == std::byte{0x11});
        CHECK(f.code.host[at + 8] == std::byte{0x11});
      }
    CHECK(permissions(f.code) == before);
  }
}
TEST_CASE_FIXTURE(fixture, "sealed memory is patched without a second mapping") {
  check_patch(*this);
}
TEST_CASE_FIXTURE(fixture_two, "sealed memory is patched through a second mapping") {
  check_patch(*this);
  CHECK(memory.writable(code.target, code.size) != nullptr);
  CHECK(memory.writable(code.target, memory.range().size + 1) == nullptr);
  CHECK(memory.writable(memory.range().target + memory.range().size, 1) == nullptr);
  region alias{{}, memory.writable(code.target, code.size), code.size};
  alias.target = {reinterpret_cast<std::uintptr_t>(alias.host)};
  CHECK(permissions(alias) == "rw-");
}

TEST_CASE_FIXTURE(fixture, "patching what is not mapped fails") {
  std::array<std::byte, 4> bytes{};
  CHECK(protector.patch({page}, bytes) != 0);
  CHECK(memory.writable(code.target, 1) == nullptr);
}

#if defined(__x86_64__)
TEST_CASE_FIXTURE(fixture_two, "patched code runs") {
  auto const code_bytes = std::to_array<u8>({0xb8, 1, 0, 0, 0, 0xc3}); // mov $1, %eax; ret
  std::memcpy(code.host, code_bytes.data(), code_bytes.size());
  std::array<protection, 1> batch{{{code, permission::read_execute}}};
  REQUIRE(protector.protect(batch) == 0);
  protector.flush_icache(code);
  auto function = reinterpret_cast<int (*)()>(static_cast<std::uintptr_t>(code.target.value));
  CHECK(function() == 1);
  std::array<std::byte, 1> two{std::byte{2}};
  REQUIRE(protector.patch(code.target + 1, two) == 0);
  CHECK(function() == 2);
}
#endif

} // namespace
