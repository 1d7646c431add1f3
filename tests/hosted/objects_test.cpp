// SPDX-License-Identifier: MIT
// Objects that use each other (export_globals of the abi) and the program's C library (a
// symbol_chain): what is seen, who holds whom, and what they compute.
#include "support/module_builder.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/hosted/dlsym_resolver.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/policy/symbol_chain.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <doctest/doctest.h>

namespace {

using namespace kmodld;
using test::bytes_of;
using table = symbol_table<hosted::arena>;

struct host {
  using arch = kmodld::arch::x86_64;
  struct abi : kmodld::abi::plain {
    static constexpr bool export_globals = true, far_calls = true;
  };
  using allocator = hosted::arena&;
  using symbol_resolver = symbol_chain<table&, hosted::dlsym_resolver>&;
  using protector = hosted::mprotect_protector;
  using notifier = no_notifier;
  using verifier = no_signatures;
};

struct fixture {
  hosted::arena memory{{.size = u64{4} << 20}};
  table exports{memory};
  symbol_chain<table&, hosted::dlsym_resolver> symbols{exports};
  loader<host> loads{{.allocator = memory, .symbol_resolver = symbols}};

  result<module_ref> load(test::elf_builder<elf::elf64_le>& object, std::string_view name) {
    return loads.load(object.build().bytes, {}, {.name = name});
  }
  bool exported(std::string_view name) {
    exported_symbol out;
    return exports.find(name, true, out);
  }
};

constexpr u64 alloc = elf::shf_alloc, code = elf::shf_alloc | elf::shf_execinstr;
constexpr u32 plt32 = 4;
constexpr u8 global(u8 type) { return static_cast<u8>(elf::stb_global << 4 | type); }

/// int answer() { return 41; }, and symbols of every other kind.
test::elf_builder<elf::elf64_le> provider() {
  test::elf_builder<elf::elf64_le> b;
  u32 const text = b.section(".text", elf::sht_progbits, code,
                             bytes_of({0xb8, 41, 0, 0, 0, 0xc3, 0x31, 0xc0, 0xc3}), 16);
  u32 const init = b.section(".init.text", elf::sht_progbits, code, bytes_of({0xc3}), 16);
  u32 const data =
      b.section(".data", elf::sht_progbits, alloc | elf::shf_write, bytes_of({7, 0, 0, 0}), 4);
  b.symbol("private", text, 0, static_cast<u8>(elf::stb_local << 4 | elf::stt_func));
  b.symbol("answer", text, 0, global(elf::stt_func));
  b.symbol("shared", text, 0, global(elf::stt_func), 0, elf::stv_protected);
  b.symbol("seven", data, 0, global(elf::stt_object));
  b.symbol("untyped", text, 0, global(elf::stt_notype));
  b.symbol("weak", text, 0, static_cast<u8>(elf::stb_weak << 4 | elf::stt_func));
  b.symbol("hidden", text, 0, global(elf::stt_func), 0, elf::stv_hidden);
  b.symbol("internal", text, 0, global(elf::stt_func), 0, elf::stv_internal);
  b.symbol("thread_local", data, 0, global(6));
  b.symbol("indirect", text, 0, global(10));
  b.symbol("absolute", elf::shn_abs, 5, global(elf::stt_notype));
  b.symbol("of_init", init, 0, global(elf::stt_func));
  b.symbol("init_module", text, 6, global(elf::stt_func));
  b.symbol("cleanup_module", text, 6, global(elf::stt_func));
  b.undefined("getenv");
  return b;
}

/// int next() { return answer() + 1; } and, with libc, long of_libc() { return labs(-5); }
test::elf_builder<elf::elf64_le> user() {
  test::elf_builder<elf::elf64_le> b;
  u32 const text =
      b.section(".text", elf::sht_progbits, code,
                bytes_of({0x50, 0xe8, 0,    0,    0,    0,    0x5a, 0xff, 0xc0, 0xc3, // next
                          0x50, 0x48, 0xc7, 0xc7, 0xfb, 0xff, 0xff, 0xff,             // of_libc
                          0xe8, 0,    0,    0,    0,    0x5a, 0xc3}),
                16);
  b.symbol("next", text, 0, global(elf::stt_func));
  b.symbol("of_libc", text, 10, global(elf::stt_func));
  b.rela(text, 2, plt32, b.undefined("answer"), -4);
  b.rela(text, 19, plt32, b.undefined("labs"), -4);
  return b;
}

TEST_CASE_FIXTURE(fixture, "an object's visible global symbols are exported, and no others") {
  auto object = provider();
  REQUIRE(load(object, "provider"));
  for (auto name : {"answer", "shared", "seven", "untyped"})
    CHECK_MESSAGE(exported(name), name);
  for (auto name : {"private", "weak", "hidden", "internal", "thread_local", "indirect", "absolute",
                    "of_init", "init_module", "cleanup_module", "getenv", ""})
    CHECK_MESSAGE(!exported(name), name);
  CHECK(exports.names() == 4);
  REQUIRE(loads.unload("provider"));
  CHECK(exports.names() == 0);
  CHECK(memory.in_use(memory_kind::text) == 0);
}

TEST_CASE_FIXTURE(fixture, "an object calls another and the C library, and holds the one") {
  auto object = provider(), of_user = user();
  REQUIRE(load(object, "provider"));
  auto next = load(of_user, "user");
  REQUIRE(next);
  auto* const run = loads.symbol<int()>(**next, "next");
  auto* const of_libc = loads.symbol<long()>(**next, "of_libc");
  REQUIRE((run != nullptr));
  REQUIRE((of_libc != nullptr));
  CHECK((loads.symbol<int()>(**next, "nobody") == nullptr));
#if defined(__x86_64__)
  CHECK(run() == 42);
  CHECK(of_libc() == 5);
#endif
  result<void> const held = loads.unload("provider");
  REQUIRE_FALSE(held);
  CHECK(held.error().code == errc::unload_in_use);
  REQUIRE(loads.unload(*next));
  CHECK(loads.unload("provider"));
  CHECK(memory.in_use(memory_kind::text) == 0);
  CHECK(exports.names() == 0);
}

struct kernel : host {
  struct abi : kmodld::abi::linux_6_1 {
    static constexpr bool export_globals = true, livepatch = true;
  };
  using symbol_resolver = table&;
  using invoker = no_invoker;
};

test::byte_vector kernel_module(std::string_view name, std::string_view function) {
  test::module_builder<test::x86_64_numbers> b{name};
  u32 const text = b.text(bytes_of({0xc3, 0xc3, 0xc3, 0xc3}));
  b.init(text, 0).exit(text, 1);
  b.export_symbol(function, b.function(function, text, 2), true, "space");
  b.function(std::string{function} + "_too", text, 3);
  b.symbol("__this_module", b.this_module(), 0, global(elf::stt_object));
  return b.build().bytes;
}

TEST_CASE("what the tables of a kernel module export stays as they say") {
  hosted::arena memory{{.size = u64{4} << 20}};
  table exports{memory};
  loader<kernel> loads{{.allocator = memory, .symbol_resolver = exports}};
  REQUIRE(loads.load(kernel_module("first", "one")));
  exported_symbol out;
  CHECK_FALSE(exports.find("one", false, out)); // for GPL alone
  REQUIRE(exports.find("one", true, out));
  CHECK(out.name_space == "space");
  REQUIRE(exports.find("one_too", false, out));
  CHECK_FALSE(exports.find("__this_module", true, out));
  CHECK(loads.load(kernel_module("second", "two"))); // it has a __this_module, too
  REQUIRE(loads.unload("first"));
  CHECK(exports.names() == 2);
}

TEST_CASE("a live patch, which keeps the symbols of its init, exports none of them") {
  hosted::arena memory{{.size = u64{4} << 20}};
  table exports{memory};
  loader<kernel> loads{{.allocator = memory, .symbol_resolver = exports}};
  test::module_builder<test::x86_64_numbers> b{"patch"};
  b.modinfo("livepatch", "Y");
  u32 const text = b.text(bytes_of({0xc3, 0xc3}));
  u32 const init = b.text(bytes_of({0xc3}), ".init.text");
  b.init(init, 0).exit(text, 0);
  b.function("of_init", init, 0);
  b.symbol("absolute", elf::shn_abs, 5, global(elf::stt_notype));
  REQUIRE(loads.load(b.build().bytes));
  CHECK(exports.names() == 0);
}

TEST_CASE_FIXTURE(fixture, "a symbol that a module or the program has already is refused") {
  auto first = provider(), second = provider();
  REQUIRE(load(first, "first"));
  auto const again = load(second, "second");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::symbol_duplicate);
  CHECK(again.error().name(error::second) == "first");
  test::elf_builder<elf::elf64_le> b;
  u32 const text = b.section(".text", elf::sht_progbits, code, bytes_of({0xc3}), 16);
  b.symbol("getenv", text, 0, global(elf::stt_func));
  auto const of_libc = load(b, "third");
  REQUIRE_FALSE(of_libc);
  CHECK(of_libc.error().code == errc::symbol_duplicate);
  CHECK(exports.names() == 4);
}

} // namespace
