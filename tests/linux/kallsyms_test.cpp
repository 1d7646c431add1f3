// SPDX-License-Identifier: MIT
#include <kmodld/linux/kallsyms.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace kmodld;
using namespace kmodld::elf;

namespace {

/// A module with a symbol table made by hand. Entry 0 is the null symbol.
template <class Format>
struct symbolised : module {
  std::vector<typename Format::sym> symbols;
  std::string strings{'\0'};
  std::string letters;
  kallsyms_table table;

  explicit symbolised(std::string_view name, module_state s = module_state::live) {
    copy_text(name_text, name);
    state = s;
    symbol("", 0, '?', shn_undef);
  }

  symbolised& memory(memory_kind kind, u64 start, u64 size, u32 text) {
    memories[memory_count++] = {{{start}, nullptr, size}, kind, text, text, text};
    return *this;
  }
  symbolised& symbol(std::string_view name, u64 value, char letter = 't', u16 shndx = 1,
                     u8 info = stb_local << 4 | stt_func) {
    typename Format::sym s{};
    s.st_name = name.empty() ? 0 : static_cast<u32>(strings.size());
    s.st_value = static_cast<typename Format::word_type>(value);
    s.st_shndx = shndx;
    s.st_info = info;
    if (!name.empty())
      strings.append(name).push_back('\0');
    symbols.push_back(s);
    letters.push_back(letter);
    table.symtab = reinterpret_cast<std::byte const*>(symbols.data());
    table.count = static_cast<u32>(symbols.size());
    table.strtab = std::as_bytes(std::span{strings});
    table.typetab = letters.data();
    kallsyms = &table;
    return *this;
  }
};

template <class Format>
std::string at(module const& m, u64 a, bool all = true) {
  symbol_at found;
  if (!find_symbol_at<Format>(m, {a}, found, all))
    return "-";
  char text[80];
  std::size_t n = format_symbol(found, text);
  return {text, n};
}

std::string at(module const& m, u64 a, bool all = true) { return at<elf64_le>(m, a, all); }

constexpr char letter(u8 info, u32 shndx, u64 flags, u32 type, std::string_view name = ".x",
                      bool percpu = false) {
  return symbol_type_letter(info, shndx, flags, type, name, percpu);
}

} // namespace

TEST_CASE("kallsyms: letters, first match") {
  constexpr u8 func = stb_global << 4 | stt_func, object = stb_global << 4 | stt_object;
  constexpr u8 weak_func = stb_weak << 4 | stt_func, weak_object = stb_weak << 4 | stt_object;
  constexpr u64 ax = shf_alloc | shf_execinstr, wa = shf_write | shf_alloc;
  CHECK(letter(weak_object, shn_undef, 0, 0) == 'v');
  CHECK(letter(weak_func, 1, ax, sht_progbits) == 'w');
  CHECK(letter(func, shn_undef, 0, 0) == 'U');
  CHECK(letter(object, shn_abs, 0, 0) == 'a');
  CHECK(letter(object, 3, wa, sht_progbits, ".data..percpu", true) == 'a');
  CHECK(letter(object, shn_common, 0, 0) == '?');
  CHECK(letter(object, shn_loreserve, 0, 0) == '?');
  CHECK(letter(func, shn_loreserve - 1, ax, sht_progbits) == 't');
  CHECK(letter(func, 1, shf_execinstr, sht_nobits) == 't');
  CHECK(letter(object, 1, shf_alloc, sht_progbits) == 'r');
  CHECK(letter(object, 1, wa, sht_progbits) == 'd');
  CHECK(letter(object, 1, wa, sht_nobits) == 'b');
  CHECK(letter(object, 1, 0, sht_nobits) == 'b');
  CHECK(letter(object, 1, 0, sht_progbits, ".debug_info") == 'n');
  CHECK(letter(object, 1, 0, sht_progbits, ".debu") == '?');
  CHECK(letter(object, 1, 0, sht_progbits, ".modinfo") == '?');
}

TEST_CASE_TEMPLATE("kallsyms: an address is the nearest symbol below it", F, elf64_le, elf64_be,
                   elf32_le, elf32_be) {
  symbolised<F> m{"dummy"};
  m.memory(memory_kind::core, 0xc0201000, 0x3000, 0x1000);
  m.memory(memory_kind::init, 0xc0208000, 0x1000, 0x800);
  m.symbol("second", 0xc0201040).symbol("first", 0xc0201010).symbol("data", 0xc0202100, 'd');
  m.symbol("setup", 0xc0208000);
  CHECK(at<F>(m, 0xc0200fff) == "-");
  CHECK(at<F>(m, 0xc0201000) == "-");
  CHECK(at<F>(m, 0xc0201010) == "first+0x0/0x30 [dummy]");
  CHECK(at<F>(m, 0xc020103f) == "first+0x2f/0x30 [dummy]");
  CHECK(at<F>(m, 0xc0201040) == "second+0x0/0xfc0 [dummy]");
  CHECK(at<F>(m, 0xc0201fff) == "second+0xfbf/0xfc0 [dummy]");
  CHECK(at<F>(m, 0xc0208010) == "setup+0x10/0x800 [dummy]");
  CHECK(at<F>(m, 0xc0209000) == "-");
  // Data: Linux subtracts from the end of the text, at the width of the machine.
  CHECK(at<F>(m, 0xc0202104) ==
        (F::bits == 64 ? "data+0x4/0xffffffffffffff00 [dummy]" : "data+0x4/0xffffff00 [dummy]"));
  m.memories[1].memory.size = 0;
  CHECK(at<F>(m, 0xc0208010) == "-");
}

TEST_CASE("kallsyms: which symbols count") {
  symbolised<elf64_le> m{"m"};
  m.memory(memory_kind::core, 0x1000, 0x1000, 0x1000);
  m.symbol("one", 0x1010).symbol("alias", 0x1010);
  m.symbol("imported", 0x1020, 'U', shn_undef).symbol("", 0x1021);
  m.symbol(".L1", 0x1022).symbol("$a", 0x1023).symbol("$x", 0x1024).symbol("$t.7", 0x1025);
  m.symbol("$d", 0x1026);
  CHECK(at(m, 0x1030) == "one+0x20/0xff0 [m]");
  m.symbol("$b", 0x1100).symbol("$ax", 0x1110).symbol(".text", 0x1120).symbol("L0x", 0x1130);
  CHECK(at(m, 0x10ff) == "one+0xef/0xf0 [m]");
  CHECK(at(m, 0x1100) == "$b+0x0/0x10 [m]");
  CHECK(at(m, 0x1110) == "$ax+0x0/0x10 [m]");
  CHECK(at(m, 0x1120) == ".text+0x0/0x10 [m]");
  CHECK(at(m, 0x1130) == "L0x+0x0/0xed0 [m]");
}

TEST_CASE("kallsyms: seven memories have limits of their own") {
  symbolised<elf64_le> m{"m"};
  m.memory(memory_kind::text, 0x2000, 0x1000, 0).memory(memory_kind::data, 0x8000, 0x1000, 0);
  m.memory(memory_kind::init_text, 0x4000, 0x1000, 0);
  m.symbol("f", 0x2000).symbol("counter", 0x8010, 'd').symbol("low", 0x100, 'a', shn_abs);
  m.symbol("$b", 0x2100).symbol("L0", 0x2200);
  CHECK(at(m, 0x2000) == "f+0x0/0x1000 [m]");
  CHECK(at(m, 0x2fff) == "f+0xfff/0x1000 [m]");
  CHECK(at(m, 0x8020) == "counter+0x10/0xff0 [m]");
  CHECK(at(m, 0x8020, false) == "-");
  CHECK(at(m, 0x8000) == "-");
  CHECK(at(m, 0x4800) == "-");
  CHECK(at(m, 0x2000, false) == "f+0x0/0x1000 [m]");
}

TEST_CASE("kallsyms: Thumb-2 functions lose bit 0, data keeps it") {
  symbolised<elf32_le> m{"m"};
  m.memory(memory_kind::core, 0x1000, 0x1000, 0x1000);
  m.symbol("f", 0x1101).symbol("o", 0x1201, 'd', 2, stb_local << 4 | stt_object);
  symbol_at found;
  REQUIRE(find_symbol_at<elf32_le, true>(m, {0x1100}, found));
  CHECK(found.name == "f");
  CHECK(found.size == 0x101);
  CHECK(!find_symbol_at<elf32_le, false>(m, {0x1100}, found));
  CHECK(lookup_name<elf32_le, true>(m, "f") == address{0x1100});
  CHECK(lookup_name<elf32_le, true>(m, "o") == address{0x1201});
}

TEST_CASE("kallsyms: no table, empty table, names outside the string table") {
  symbolised<elf64_le> m{"m"};
  m.memory(memory_kind::core, 0x1000, 0x1000, 0x1000).symbol("f", 0x1000).symbol("last", 0x1100);
  m.symbols[1].st_name = 0xffffffff;
  m.table.strtab = m.table.strtab.first(m.table.strtab.size() - 1);
  CHECK(at(m, 0x1000) == "-");
  CHECK(at(m, 0x1100) == "last+0x0/0xf00 [m]");
  CHECK(lookup_name<elf64_le>(m, "last") == address{0x1100});
  CHECK(lookup_name<elf64_le>(m, "lastly") == address{});
  CHECK(lookup_name<elf64_le>(m, std::string_view{"last\0x", 6}) == address{});
  m.table.count = 0;
  CHECK(at(m, 0x1100) == "-");
  m.kallsyms = nullptr;
  CHECK(at(m, 0x1100) == "-");
  CHECK(lookup_name<elf64_le>(m, "last") == address{});
}

TEST_CASE("kallsyms: format_symbol says how long the text is and cuts it") {
  symbol_at s{"function", 0x12, 0x40, "mod"};
  char text[12];
  CHECK(format_symbol(s, text) == 24);
  CHECK(std::string_view{text} == "function+0x");
  s.module = {};
  char all[40];
  CHECK(std::string{all, format_symbol(s, all)} == "function+0x12/0x40");
  CHECK(format_symbol(s, {}) == 18);
}

TEST_CASE("kallsyms: names to values, in one module and in all") {
  symbolised<elf64_le> a{"a"}, b{"b"}, hidden{"hidden", module_state::unformed};
  a.symbol("shared", 0x1111).symbol("f", 0x1000, 'U', shn_undef).symbol("f", 0x1010);
  b.symbol("shared", 0x2222).symbol("zero", 0);
  a.symbol("zero", 0x30);
  hidden.symbol("secret", 0x5);
  module_list list;
  list.push_front(a);
  list.push_front(b);
  list.push_front(hidden);
  CHECK(lookup_name<elf64_le>(a, "f") == address{0x1010});
  CHECK(lookup_name<elf64_le>(a, "g") == address{});
  CHECK(lookup_name<elf64_le>(a, "") == address{});
  CHECK(lookup_name<elf64_le>(list, "shared") == address{0x2222});
  CHECK(lookup_name<elf64_le>(list, "a:shared") == address{0x1111});
  CHECK(lookup_name<elf64_le>(list, "b:f") == address{});
  CHECK(lookup_name<elf64_le>(list, "c:f") == address{});
  CHECK(lookup_name<elf64_le>(list, "zero") == address{0x30});
  CHECK(lookup_name<elf64_le>(list, "secret") == address{});
  CHECK(lookup_name<elf64_le>(list, "hidden:secret") == address{});
}

TEST_CASE("kallsyms: from any address to its symbol") {
  symbolised<elf64_le> a{"a"}, b{"b"};
  a.memory(memory_kind::core, 0x1000, 0x1000, 0x1000).symbol("f", 0x1000);
  b.memory(memory_kind::core, 0x3000, 0x1000, 0x1000).symbol("g", 0x3000);
  module_list list;
  list.push_front(a);
  list.push_front(b);
  symbol_at found;
  REQUIRE(find_symbol_at<elf64_le>(list, {0x3004}, found));
  CHECK(found.name == "g");
  CHECK(found.module == "b");
  CHECK(found.offset == 4);
  CHECK(!find_symbol_at<elf64_le>(list, {0x2004}, found));
  b.state = module_state::unformed;
  CHECK(!find_symbol_at<elf64_le>(list, {0x3004}, found));
}

TEST_CASE("kallsyms: the lines of /proc/kallsyms") {
  symbolised<elf64_le> a{"a"}, b{"b", module_state::coming}, hidden{"h", module_state::unformed};
  a.symbol("f", 0xffffffffc0201000).symbol("", 0x9).symbol("printk", 0, 'U', shn_undef);
  b.symbol("odd", 0x10, '?').symbol("weak", 0x20, 'w').symbol("f", 0x30);
  hidden.symbol("x", 1);
  module_list list;
  list.push_front(a);
  list.push_front(hidden);
  list.push_front(b);
  auto is_exported = [&](module const& m, std::string_view name, address value) {
    return (&m == &a && name == "f") || value == address{0x10} || value == address{0x20};
  };
  std::string text;
  auto sink = [&](std::string_view piece) { text += piece; };
  proc_kallsyms<elf64_le>(list, is_exported, sink);
  CHECK(text == "0000000000000010 ? odd\t[b]\n"
                "0000000000000020 W weak\t[b]\n"
                "0000000000000030 t f\t[b]\n"
                "ffffffffc0201000 T f\t[a]\n"
                "0000000000000000 u printk\t[a]\n");
  text.clear();
  proc_kallsyms<elf64_le>(list, is_exported, sink, false);
  CHECK(text.substr(0, 54) == "0000000000000000 ? odd\t[b]\n0000000000000000 W weak\t[b]");

  char line[64];
  CHECK(std::string{line, format_kallsyms_line<elf32_be>(a, {0xbf000010}, 't', "g", false, line)} ==
        "bf000010 t g\t[a]\n");
}
