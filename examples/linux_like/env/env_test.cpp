// SPDX-License-Identifier: MIT
// The environment without modules: exports called as kernel code calls them, published vectors for
// what the kernel has built in, oopses survived.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "environment.hpp"
#include "exports.hpp"
#include "format.hpp"
#include "log.hpp"
#include "memory.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>

using namespace linux_like;
using u64 = std::uint64_t;

// Calls with the stack as kernel code may leave it: 8 bytes off, garbage in %rax.
extern "C" u64 call_misaligned(void* function, u64 a, u64 b, u64 c, u64 d, u64 e);
asm(R"(
  .text
  .globl call_misaligned
call_misaligned:
  mov %rdi, %r10
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %rcx
  mov %r9, %r8
  mov $-1, %rax
  sub $16, %rsp
  call *%r10
  add $16, %rsp
  ret
)");

namespace {

template <class... Values>
u64 kernel_call(const char* name, Values... values) {
  u64 arguments[5] = {(u64)values...};
  void* address = find_export(name);
  REQUIRE(address != nullptr);
  return call_misaligned(address, arguments[0], arguments[1], arguments[2], arguments[3],
                         arguments[4]);
}

std::string formatted(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::string text = format_kernel(format, arguments);
  va_end(arguments);
  return text;
}

template <class T>
T gs_at(std::size_t offset) {
  T value;
  asm volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(offset));
  return value;
}

const environment the_environment;

} // namespace

TEST_CASE("every export is named once and lies in the low 2 GiB") {
  std::set<std::string> names;
  for (const host_export& entry : exports()) {
    CHECK_MESSAGE(names.insert(entry.name).second, entry.name);
    CHECK_MESSAGE(reinterpret_cast<u64>(entry.address) - 1 < (u64{1} << 31) - 1, entry.name);
  }
  CHECK(names.contains("__fentry__"));
  CHECK(find_export("no_such_symbol") == nullptr);
}

TEST_CASE("%gs shows the canary, this CPU's offset and the current task") {
  const auto offset = [](const char* name) { return reinterpret_cast<u64>(find_export(name)); };
  CHECK(gs_at<u64>(40) != 0);
  CHECK(gs_at<u64>(offset("this_cpu_off")) == reinterpret_cast<u64>(percpu_base()));
  CHECK(gs_at<u64>(offset("current_task")) != 0);
  CHECK(gs_at<std::uint32_t>(offset("__preempt_count")) == 0x80000000);
  CHECK(percpu_for_modules().begin < percpu_for_modules().end);
}

TEST_CASE("jiffies advance") {
  const auto* jiffies = static_cast<const volatile u64*>(find_export("jiffies"));
  CHECK(find_export("jiffies_64") == find_export("jiffies"));
  const u64 before = *jiffies;
  kernel_call("msleep", 50);
  CHECK(*jiffies > before + 5);
  CHECK(*jiffies < before + 250);
}

TEST_CASE("variadic exports get arguments from the stack of a misaligned caller") {
  char text[64];
  const u64 length = kernel_call("snprintf", text, sizeof text, "%s-%d", "abc", -5);
  CHECK(length == 6);
  CHECK(std::string(text) == "abc--5");
  // Eight arguments, the last two on the stack.
  const auto print = reinterpret_cast<int (*)(char*, u64, const char*, int, int, int, int, int)>(
      find_export("snprintf"));
  print(text, sizeof text, "%d %d %d %d %d", 1, 2, 3, 4, 5);
  CHECK(std::string(text) == "1 2 3 4 5");
  CHECK(kernel_call("snprintf", text, 4, "%s", "longer") == 6);
  CHECK(std::string(text) == "lon");
  CHECK(kernel_call("scnprintf", text, 4, "%s", "longer") == 3);
}

TEST_CASE("formats") {
  CHECK(formatted("%5d|%-5d|%05d|%+d", 42, 42, 42, 42) == "   42|42   |00042|+42");
  CHECK(formatted("%x %#x %X %o %#o", 255, 255, 255, 8, 8) == "ff 0xff FF 10 010");
  CHECK(formatted("%hhd %hu %ld %llu %zu", 257, 65537, -1L, ~0ULL, std::size_t{7}) ==
        "1 1 -1 18446744073709551615 7");
  CHECK(formatted("%u %d", -1, -1) == "4294967295 -1");
  CHECK(formatted("%.3s|%6.2s|%*d|%-*d|", "abcdef", "xyz", 4, 7, 3, 1) == "abc|    xy|   7|1  |");
  CHECK(formatted("%s %c%%", static_cast<const char*>(nullptr), 'z') == "(null) z%");
  const std::uint8_t bytes[] = {0xde, 0xad, 0xbe, 0xef, 1, 2};
  CHECK(formatted("%3ph %3phC %pM %pI4", bytes, bytes, bytes, bytes) ==
        "de ad be de:ad:be de:ad:be:ef:01:02 222.173.190.239");
  CHECK(formatted("%px", reinterpret_cast<void*>(0x1234)) == "0000000000001234");
  CHECK(formatted("%pe.", reinterpret_cast<void*>(-22L)) == "-22.");
  CHECK(formatted("%pS", static_cast<void*>(nullptr)) == "0000000000000000");
}

TEST_CASE("printk splits lines, takes levels and continues lines") {
  const std::size_t before = log_records().size();
  kernel_call("_printk", "\0016first %d\n\0013second\n", 1);
  kernel_call("_printk", "\0014half ");
  kernel_call("_printk", "\001cwhole\n");
  const auto records = log_records().subspan(before);
  REQUIRE(records.size() == 3);
  CHECK(records[0].level == 6);
  CHECK(records[0].text == "first 1");
  CHECK(records[2].level == 4);
  CHECK(records[2].text == "half whole");
}

TEST_CASE("allocations are counted, aligned and zeroed on demand") {
  const allocation_count before = live_allocations();
  const u64 block = kernel_call("__kmalloc", 256, 0x100);
  CHECK(block % 256 == 0);
  CHECK(*reinterpret_cast<const u64*>(block) == 0);
  const u64 page = kernel_call("__get_free_pages", 0, 1);
  CHECK(page % 4096 == 0);
  CHECK(live_allocations().blocks == before.blocks + 2);
  CHECK(live_allocations().bytes == before.bytes + 256 + 8192);
  kernel_call("kfree", block);
  kernel_call("free_pages", page, 1);
  kernel_call("kfree", 0);
  CHECK(live_allocations().blocks == before.blocks);
}

TEST_CASE("oopses are survived and explained") {
  std::string why;
  CHECK(run_guarded([] {}, why));
  int* volatile nowhere = reinterpret_cast<int*>(16); // null is found by sanitizers first
  CHECK(!run_guarded([&] { *nowhere = 1; }, why));
  CHECK(why.find("SEGV") == 0);
  CHECK(!run_guarded([] { asm volatile("ud2"); }, why));
  CHECK(why.find("ILL") == 0);
  set_warning_test([](u64) { return true; });
  CHECK(run_guarded([] { asm volatile("ud2"); }, why));
  set_warning_test(nullptr);
  CHECK(!run_guarded([] { asm volatile("ud2"); }, why));
  CHECK(!run_guarded([] { kernel_call("panic", "no %s", "way"); }, why));
  CHECK(why == "Kernel panic - not syncing: no way");
  int on_stack = 0;
  CHECK(!run_guarded([&] { kernel_call("kfree", &on_stack); }, why));
  CHECK(run_guarded([] {}, why));
}

TEST_CASE("xxh64, CRC-32, chacha: what modules take from the kernel") {
  CHECK(kernel_call("xxh64", "", 0, 0) == 0xef46db3751d8e999);
  CHECK(kernel_call("xxh64", "abc", 3, 0) == 0x44bc2cf5ad770999);
  const char* sentence = "Nobody inspects the spammish repetition";
  CHECK(kernel_call("xxh64", sentence, 39, 0) == 0xfbcea83c8a378bf1);
  CHECK(~static_cast<std::uint32_t>(kernel_call("crc32_le", ~0u, "123456789", 9)) == 0xcbf43926);
  CHECK(static_cast<std::uint32_t>(kernel_call("crc32_be", ~0u, "123456789", 9)) ==
        static_cast<std::uint32_t>(0x0376e6e7));
  // RFC 8439 section 2.3.2
  std::uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (std::uint32_t i = 0; i < 8; ++i)
    state[4 + i] = (4 * i + 3) << 24 | (4 * i + 2) << 16 | (4 * i + 1) << 8 | 4 * i;
  state[12] = 1;
  state[13] = 0x09000000;
  state[14] = 0x4a000000;
  std::uint32_t stream[16];
  kernel_call("chacha_block_generic", state, stream, 20);
  CHECK(stream[0] == 0xe4e7f110);
  CHECK(stream[15] == 0x4e3c50a2);
  CHECK(state[12] == 2);
}

TEST_CASE("numbers and strings") {
  int number = 0;
  CHECK(static_cast<int>(kernel_call("kstrtoint", "-2147483648\n", 10, &number)) == 0);
  CHECK(number == -2147483647 - 1);
  CHECK(static_cast<int>(kernel_call("kstrtoint", "2147483648", 10, &number)) == -ERANGE);
  CHECK(static_cast<int>(kernel_call("kstrtoint", "12x", 10, &number)) == -EINVAL);
  CHECK(static_cast<int>(kernel_call("kstrtoint", "0x1f", 0, &number)) == 0);
  CHECK(number == 31);
  char text[8] = "";
  CHECK(static_cast<std::int64_t>(kernel_call("strscpy", text, "too long for it", 8)) == -E2BIG);
  CHECK(std::string(text) == "too lon");
  CHECK(kernel_call("int_sqrt", 99) == 9);
  CHECK(kernel_call("__sw_hweight64", 0xff00ff) == 16);
  int numbers[] = {5, 3, 9, 1, 7, 3};
  const auto ascending = [](const void* a, const void* b) {
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  };
  kernel_call("sort", numbers, 6, sizeof(int), +ascending, 0);
  CHECK(std::memcmp(numbers, (const int[]){1, 3, 3, 5, 7, 9}, sizeof numbers) == 0);
  const int wanted = 7;
  CHECK(kernel_call("bsearch", &wanted, numbers, 6, sizeof(int), +ascending) ==
        reinterpret_cast<u64>(numbers + 4));
}
