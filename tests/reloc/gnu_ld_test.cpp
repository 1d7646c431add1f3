// SPDX-License-Identifier: MIT
// The relocation core against GNU ld: an object compiled here, linked by ld at given addresses, and
// relocated by kmodld at the same ones: the same bytes. ld is told not to relax, that is, not to
// rewrite instructions.
#include "reloc/workbench.hpp"
#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

using namespace kmodld;
using namespace kmodld::test;

namespace {

using arch = arch::x86_64;
using file = elf_file<elf::elf64_le>;

constexpr char const* source = R"(
extern int outside(int); extern int outside_data; extern int outside_table[8];
extern int nobody(int) __attribute__((weak));
static int counter = 3; int shared = 4; int zeroed[100]; static int zeroed_too[100];
static const int numbers[] = {1, 2, 3};
int* pointers[] = {&shared, &counter, zeroed + 5, &outside_data, outside_table + 3};
const char* texts[] = {"first", "second"};
static __attribute__((noinline)) int local(int x) { return x * counter + zeroed_too[x]; }
int exported(int x) { return local(x) + outside(x) + outside_data + shared + numbers[x & 1]; }
int (*functions[])(int) = {exported, local, outside};
int through(int i) { return functions[i](zeroed[i]) + outside_table[i] + *pointers[i]; }
int maybe(int x) { return &nobody != 0 ? x : -x; }
int many(int x) {
  switch (x) {
  case 0: return outside(1); case 1: return exported(2); case 2: return local(3);
  case 3: return counter++; case 4: return shared++; case 5: return through(6);
  default: return texts[x & 1][0];
  }
}
)";

constexpr char const* assembly = R"(
.data
.byte narrow + 5
.byte 0
.word wide + 7
.word nearby - .
.byte nearest - .
.long 0
.quad unsigned_word@GOTOFF
.long shared@SIZE
.quad shared@SIZE
.quad shared@GOT
.long _GLOBAL_OFFSET_TABLE_ - .
.quad through@PLTOFF
.globl narrow, wide, unsigned_word, nearby, nearest
.text
)";

constexpr char const* script = R"(
SECTIONS {
  . = TEXT;
  .text : { *(.text) }
  .rodata : { *(.rodata) }
  . = DATA;
  .data : { *(.data) }
  .bss : { *(.bss) }
  .got : { *(.got.plt) *(.got) *(.igot) *(.igot.plt) }
}
)";

struct linked {
  file object, image;
};

bool run(std::string const& command) { return std::system(command.c_str()) == 0; }

/// False if there is no compiler or linker for it.
bool build(std::filesystem::path const& dir, std::string const& flags, std::string const& extra,
           u64 text, u64 data, linked& out) {
  auto put = [&](char const* name, std::string const& content) {
    std::ofstream{dir / name} << content;
  };
  std::string where = script;
  auto replace = [&](std::string_view what, u64 by) {
    where.replace(where.find(what), what.size(), std::to_string(by));
  };
  replace("TEXT", text);
  replace("DATA", data);
  put("a.c", source + extra);
  put("a.ld", where);
  std::string const at = "cd " + dir.string() + " && ";
  if (!run(at +
           "cc -O2 -c -fcf-protection=none -fno-merge-constants "
           "-fno-asynchronous-unwind-tables " +
           flags + " a.c -o a.o"))
    return false;
  if (!run(at + "ld -static --no-relax --build-id=none -e 0 -T a.ld --defsym outside=" +
           std::to_string(text + 0x123450) +
           " --defsym outside_data=" + std::to_string(data + 0x54320) + " --defsym outside_table=" +
           std::to_string(data + 0x65430) + " --defsym nearby=" + std::to_string(data + 0x1000) +
           " --defsym nearest=" + std::to_string(data + 0x40) +
           " --defsym narrow=200 --defsym wide=40000 --defsym unsigned_word=0x12345 a.o -o a.out"))
    return false;
  out.object = file{read_file(dir / "a.o")};
  out.image = file{read_file(dir / "a.out")};
  return true;
}

/// Where ld put things: every symbol's value and, by value, its slot in the GOT.
struct places {
  std::map<std::string, u64, std::less<>> symbols;
  std::map<u64, u32> slot_of;
  u64 got = 0;
};

places read_places(file& f) {
  places p;
  auto strings = byte_view{f.data(".strtab")};
  auto table = f.data(".symtab");
  for (std::size_t i = 0; i < table.size() / 24; ++i) {
    auto& s = reinterpret_cast<elf::elf64_le::sym*>(table.data())[i];
    p.symbols.emplace(string_at(strings, s.st_name), s.st_value);
  }
  if (!f.has(".got"))
    return p;
  p.got = p.symbols.contains("_GLOBAL_OFFSET_TABLE_") ? p.symbols["_GLOBAL_OFFSET_TABLE_"]
                                                      : u64{f.section(".got").sh_addr};
  auto slots = f.data(".got");
  u64 const skipped = p.got - f.section(".got").sh_addr;
  for (u64 at = skipped; at + 8 <= slots.size(); at += 8) {
    u64 const v = elf::elf64_le::word::load(slots.data() + at);
    // The last one: the first three are reserved and may hold the same value.
    p.slot_of.insert_or_assign(v, static_cast<u32>((at - skipped) / 8 + 1));
  }
  return p;
}

/// Relocates every section of the object where ld put it and compares. Returns the types met.
std::set<u32> compare(linked& l) {
  std::set<u32> met;
  places where = read_places(l.image);
  auto const symbols = l.object.data(".symtab");
  auto const strings = byte_view{l.object.data(".strtab")};
  u32 const count = static_cast<u32>(symbols.size() / 24);
  auto const* entries = reinterpret_cast<elf::elf64_le::sym const*>(symbols.data());

  std::vector<u64> values(count);
  std::vector<u32> got_slot(count), plt_slot(count);
  for (u32 i = 1; i < count; ++i) {
    auto const& s = entries[i];
    u32 const shndx = s.st_shndx;
    if (shndx == elf::shn_undef) {
      std::string const name{string_at(strings, s.st_name)};
      values[i] = where.symbols.contains(name) ? where.symbols[name] : 0;
    } else if (shndx < elf::shn_loreserve && (l.object.section(shndx).sh_flags & elf::shf_alloc)) {
      values[i] = l.image.section(l.object.name(shndx)).sh_addr + s.st_value;
    } else {
      values[i] = s.st_value;
    }
    if (auto slot = where.slot_of.find(values[i]); slot != where.slot_of.end())
      got_slot[i] = slot->second;
  }
  arch::state state;
  state.got = {where.got};
  state.symbols = {entries, count};
  if (where.got != 0) {
    state.got_slot = got_slot;
    state.plt_slot = plt_slot;
  }

  for (u32 i = 1; i < l.object.section_count(); ++i) {
    if (l.object.section(i).sh_type != elf::sht_rela)
      continue;
    u32 const target = l.object.section(i).sh_info;
    std::string const name{l.object.name(target)};
    if ((l.object.section(target).sh_flags & elf::shf_alloc) == 0)
      continue;
    CAPTURE(name);
    auto const from = l.object.data(target);
    auto const rela = l.object.data(i);
    std::vector<std::byte> bytes{from.begin(), from.end()};
    section_relocations<arch::relocation> const in{
        bytes,
        {l.image.section(name).sh_addr},
        from,
        {reinterpret_cast<arch::relocation const*>(rela.data()), rela.size() / 24}};
    for (auto const& r : in.relocations)
      met.insert(arch::type_of(r));
    error e;
    REQUIRE(relocate<arch>(in, {values, {}, false}, state, e) == errc::ok);
    auto const linked = l.image.data(name);
    REQUIRE(linked.size() >= bytes.size());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      CAPTURE(at);
      REQUIRE(bytes[at] == linked[at]);
    }
  }
  return met;
}

} // namespace

TEST_CASE("the same bytes as GNU ld") {
  char pattern[] = "/tmp/kmodld-ld-XXXXXX";
  std::filesystem::path const dir = mkdtemp(pattern);
  struct cleaner {
    std::filesystem::path dir;
    ~cleaner() { std::filesystem::remove_all(dir); }
  } clean{dir};
#if !defined(__x86_64__)
  std::cout << "SKIPPED: no compiler for x86-64\n";
  return;
#endif
  struct way {
    char const* flags;
    u64 text, data;
    std::set<u32> types; ///< that the way is about
    bool with_assembly = false;
  };
  way const ways[] = {
      {"-fno-pic -mcmodel=small", 0x400000, 0x10000000, {2, 4, 11}},
      {"-fno-pic -mcmodel=kernel", 0xffffffffc0000000, 0xffffffffc1000000, {2, 4, 11}},
      {"-fpic -mcmodel=small", 0x400000, 0x10000000, {2, 4, 42}},
      {"-fpic -mcmodel=small -Wa,-mrelax-relocations=no", 0x400000, 0x40000000, {2, 4, 9}},
      {"-fno-pic -mcmodel=large", 0x400000, 0x7f0000000000, {1}},
      {"-fpic -mcmodel=large", 0x400000, 0x7f0000000000, {1, 25, 27, 29, 31}},
      {"-fno-pic -mcmodel=small",
       0x400000,
       0x500000,
       {12, 13, 14, 15, 25, 26, 27, 31, 32, 33},
       true},
  };
  for (way const& w : ways) {
    CAPTURE(std::string_view{w.flags});
    linked l;
    std::string const extra =
        w.with_assembly ? "__asm__(R\"(" + std::string{assembly} + ")\");" : std::string{};
    REQUIRE_MESSAGE(build(dir, "-std=gnu11 " + std::string{w.flags}, extra, w.text, w.data, l),
                    "cc or ld failed");
    std::set<u32> const met = compare(l);
    for (u32 type : w.types)
      CHECK_MESSAGE(met.contains(type), "no relocation of type ", type);
  }
}
