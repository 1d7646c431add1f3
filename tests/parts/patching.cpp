// SPDX-License-Identifier: MIT
// Runs the example of docs/patching.md (PATCHING is its file) on a module of four alternatives.
#include PATCHING

#include <kmodld/config.hpp>

#include <cstdio>
#include <cstring>

bool cpu_has(unsigned feature) noexcept { return feature == 7; }

int main() {
  using namespace kmodld;
  constexpr u64 base = 0xffffffffc0000000;
  std::byte memory[256];
  std::memset(memory, 0xaa, sizeof memory);
  module m;
  m.memories[0].memory = {{base}, memory, sizeof memory};
  m.memory_count = 1;
  section_entry all[2];
  all[1] = {.size = 48,
            .key = name_key(".altinstructions"),
            .target = {base + 128},
            .host = memory + 128,
            .name = ".altinstructions"};
  section_table const table{all, 2, 2};
  arch::x86_64::state state;
  kernel_settings const settings;
  finalize_context<arch::x86_64> const context{m, table, state, settings};
  auto const entry = [&](unsigned n, u32 site, u32 replacement, u16 feature, u8 size, u8 with) {
    std::byte* const p = memory + 128 + 12 * n;
    elf::elf64_le::word32::store(p, site - (128 + 12 * n));
    elf::elf64_le::word32::store(p + 4, replacement - (132 + 12 * n));
    elf::elf64_le::half::store(p + 8, feature);
    p[10] = std::byte{size};
    p[11] = std::byte{with};
  };
  unsigned char const replacements[] = {0x31, 0xc0, 0xe8, 0x10, 0, 0, 0};
  std::memcpy(memory + 64, replacements, sizeof replacements);
  entry(0, 0, 64, 7, 4, 2);           // the CPU has it: two bytes and two nops
  entry(1, 8, 64, 8, 4, 2);           // it has not
  entry(2, 16, 64, 0x8000 | 8, 2, 2); // wanted if it has not
  entry(3, 24, 66, 7, 5, 5);          // a call to 64 + 2 + 5 + 0x10
  unsigned char expected[32];
  std::memset(expected, 0xaa, sizeof expected);
  unsigned char const first[] = {0x31, 0xc0, 0x90, 0x90}, call[] = {0xe8, 0x3a, 0, 0, 0};
  std::memcpy(expected, first, 4);
  std::memcpy(expected + 16, first, 2);
  std::memcpy(expected + 24, call, 5);
  alternatives hook;
  if (hook.finalize(context) != 0 || std::memcmp(memory, expected, sizeof expected) != 0) {
    std::puts("wrong bytes");
    return 1;
  }
  entry(1, 254, 64, 7, 4, 2); // ends behind the module
  if (hook.finalize(context) != e_noexec) {
    std::puts("not refused");
    return 1;
  }
  return 0;
}
