// SPDX-License-Identifier: MIT
// Links and calls a function of an object file by the relocation core alone: no loader, no
// policies. The object (sum.c) has sum_of_squares() in .text, which calls square(), defined here.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/elf/image.hpp>
#include <kmodld/reloc.hpp>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/mman.h>
#include <vector>

using namespace kmodld;
using kmodld::arch::x86_64;
using elf_image = elf::image<x86_64::format>;

static int square(int x) { return x * x; }

static u32 section(elf_image const& object, std::string_view name) {
  u32 i = object.section_count() - 1;
  while (i != 0 && !object.is_named(i, name))
    --i;
  return i;
}

int main(int, char** argv) {
  std::ifstream in{argv[1], std::ios::binary};
  std::vector<char> const file{std::istreambuf_iterator<char>{in}, {}};
  elf_image object;
  error e;
  if (elf_image::check(std::as_bytes(std::span{file}), x86_64::accepts, object, e) != errc::ok)
    return 1;
  u32 const text = section(object, ".text");
  byte_view const code = object.data(text);

  // Memory for the code, and behind it a stub: square() may lie too far away for a call.
  u64 const stub = round_up(code.size(), std::size_t{16}), size = stub + x86_64::plt_entry_size;
  auto* room = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED)
    return 1;
  address const base{reinterpret_cast<u64>(room)};
  std::span<std::byte> const bytes{static_cast<std::byte*>(room), code.size()};
  std::memcpy(bytes.data(), code.data(), code.size());
  x86_64::write_plt_entry(bytes.data() + stub, reinterpret_cast<u64>(&square));

  // Of the symbols, by number. Only code and square() have a place here: a real linker would place
  // every section with SHF_ALLOC, and apply the relocations of each.
  std::vector<u64> values;
  std::vector<bool> placed;
  u64 entry = 0;
  for (auto const& s : object.entries<x86_64::format::sym>(section(object, ".symtab"))) {
    auto const is_named = [&](std::string_view name) {
      return is_string_at(object.data(section(object, ".strtab")), s.st_name, name);
    };
    values.push_back(base.value + (s.st_shndx == text ? u64{s.st_value} : stub));
    placed.push_back(s.st_shndx == text || (s.st_shndx == elf::shn_undef && is_named("square")));
    if (is_named("sum_of_squares"))
      entry = values.back();
  }

  // All that the core is asked for.
  auto const relocations = object.entries<x86_64::relocation>(section(object, ".rela.text"));
  for (auto const& r : relocations)
    if (u32 const symbol = x86_64::symbol_of(r); symbol < placed.size() && !placed[symbol])
      return 1; // data, or a function that is not there
  result<void> const done = relocate<x86_64>({bytes, base, code, relocations}, {values, {}});
  if (!done)
    return done.error().os_errno();
  if (entry == 0 || mprotect(room, size, PROT_READ | PROT_EXEC) != 0)
    return 1;
  int const sum = reinterpret_cast<int (*)(int)>(entry)(10);
  std::printf("sum_of_squares(10) = %d\n", sum);
  return sum == 385 ? 0 : 1; // 1 + 4 + 9 + ... + 100
}
