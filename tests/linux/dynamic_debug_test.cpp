// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <kmodld/linux/dynamic_debug.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

#define FORMATS elf::elf64_le, elf::elf64_be, elf::elf32_le, elf::elf32_be

namespace {

/// A module `fake` with three messages, the last one of class SECOND.
template <class Format>
struct messages {
  using word = typename Format::word_type;
  static constexpr u64 size = Format::bits == 64 ? 56 : 32;
  static constexpr u64 class_size = Format::bits == 64 ? 56 : 32;
  test::fake_module<Format> f;
  module_table sites, classes;
  std::string changes;

  messages() {
    sites = f.table(f.reserve(3 * size), 3, size);
    classes = f.table(f.reserve(class_size), 1, class_size);
    site(0, "init", "/src/drivers/a.c", "hello %s\n", 10, 63, 0);
    site(1, "exit", "/src/drivers/a.c", "\"bye\"\t", 200000, 63, debug_print | debug_stack);
    site(2, "draw", "b.c", "draw", 262143, 5, 0xff);
    address names = f.reserve(2 * sizeof(word));
    f.store(names, static_cast<word>(f.put("FIRST").value));
    f.store(names + sizeof(word), static_cast<word>(f.put("SECOND").value));
    debug_class_entry<Format> c{};
    c.class_names = static_cast<word>(names.value);
    c.length = 2;
    c.base = 4;
    std::memcpy(classes.host, &c, sizeof c);
  }

  void site(u32 i, std::string_view function, std::string_view file, std::string_view format,
            u32 line, u32 class_id, u32 flags) {
    debug_entry<Format> e;
    e.modname = static_cast<word>(f.put("compiled").value);
    e.function = static_cast<word>(f.put(function).value);
    e.filename = static_cast<word>(f.put(file).value);
    e.format = static_cast<word>(f.put(format).value);
    e.place = Format::order == elf::byte_order::little ? line | class_id << 18 | flags << 24
                                                       : line << 14 | class_id << 8 | flags;
    std::memcpy(sites.host + i * size, &e, sizeof e);
  }
  dynamic_debug<Format> view() { return {f.m, sites, classes, "/src/"}; }
  int run(std::string_view queries, std::string_view module = {}) {
    auto v = view();
    changes.clear();
    return run_debug_queries(v, queries, module, [&](u32 i, u8 before, u8 after) {
      changes +=
          std::to_string(i) + ":" + std::to_string(before) + ">" + std::to_string(after) + ";";
    });
  }
  std::string line(u32 i) {
    char out[256];
    std::size_t n = view().print(i, out);
    return {out, n};
  }
};

} // namespace

TEST_CASE_TEMPLATE("dynamic_debug: messages are decoded", Format, FORMATS) {
  messages<Format> m;
  auto v = m.view();
  CHECK(v.size() == 3);
  debug_site s;
  REQUIRE(v.get(1, s));
  CHECK(s.module == "compiled");
  CHECK(s.function == "exit");
  CHECK(s.file == "/src/drivers/a.c");
  CHECK(s.format == "\"bye\"\t");
  CHECK(s.line == 200000);
  CHECK(s.class_id == 63);
  CHECK(s.flags == (debug_print | debug_stack));
  REQUIRE(v.get(2, s));
  CHECK(s.line == 262143);
  CHECK(s.class_id == 5);
  CHECK(s.flags == 0xff);
  CHECK(v.class_id("FIRST") == 4);
  CHECK(v.class_id("SECOND") == 5);
  CHECK(v.class_id("THIRD") == debug_site::no_class);
  CHECK(v.class_name(4) == "FIRST");
  CHECK(v.class_name(6).data() == nullptr);
}

TEST_CASE("dynamic_debug: the words that a compiler wrote for 6.1") {
  // From __dyndbg of a Debian module: line 4429, no class, no flags.
  messages<elf::elf64_le> m;
  unsigned char const place[] = {0x4d, 0x11, 0xfc, 0x00};
  std::memcpy(m.sites.host + 32, place, 4);
  debug_site s;
  REQUIRE(m.view().get(0, s));
  CHECK(s.line == 4429);
  CHECK(s.class_id == 63);
  CHECK(s.flags == 0);
}

TEST_CASE_TEMPLATE("dynamic_debug: queries change the flags byte only", Format, FORMATS) {
  messages<Format> m;
  auto before = m.f.memory;
  CHECK(m.run("+p") == 2);
  CHECK(m.changes == "0:0>1;");
  std::size_t at =
      static_cast<std::size_t>(m.sites.host - m.f.memory.data()) + sizeof(debug_entry<Format>) - 1;
  CHECK(m.f.memory[at] == std::byte{1});
  m.f.memory[at] = std::byte{0};
  CHECK(m.f.memory == before);
}

TEST_CASE("dynamic_debug: which messages a query means") {
  struct row {
    char const* query;
    int found;
    char const* changes;
  };
  row const rows[] = {
      {"=_", 2, "1:65>0;"},
      {"func init +l", 1, "0:0>8;"},
      {"func *i* -p", 2, "1:65>64;"},
      {"func init func exit +p", -e_inval, ""},
      {"module fake +p", 2, "0:0>1;"},
      {"module compiled +p", 0, ""},
      {"module f?ke func exit =t", 1, "1:65>16;"},
      {"file a.c =m", 2, "0:0>2;1:65>2;"},
      {"file drivers/a.c =m", 2, "0:0>2;1:65>2;"},
      {"file /src/drivers/a.c =m", 2, "0:0>2;1:65>2;"},
      {"file /drivers/a.c =m", 0, ""},
      {"file *rivers* line 10 =m", 1, "0:0>2;"},
      {"file a.c:100- =m", 1, "1:65>2;"},
      {"file a.c:exit =m", 1, "1:65>2;"},
      {"format hello +f", 1, "0:0>4;"},
      {"format \"ello %s\\n\" +f", 1, "0:0>4;"},
      {"func draw =_", 0, ""},
      {"class SECOND =_", 1, "2:255>0;"},
      {"class FIRST =_", 0, ""},
      {"class JUNK =_", 0, ""},
      {"func init +p; bad; func exit -p", -e_inval, "0:0>1;1:65>64;"},
      {"func init +p; func init +l", 2, "0:0>1;0:1>9;"},
      {"", 0, ""},
  };
  for (row const& r : rows) {
    CAPTURE(r.query);
    messages<elf::elf64_le> m;
    CHECK(m.run(r.query) == r.found);
    CHECK(m.changes == r.changes);
  }
  messages<elf::elf64_le> m;
  CHECK(m.run("+p", "fake") == 2);
  CHECK(m.run("+p", "other") == 0);
  CHECK(m.run("module fake +p", "fake") == -e_inval);
}

TEST_CASE_TEMPLATE("dynamic_debug: lines of the control file", Format, FORMATS) {
  messages<Format> m;
  CHECK(m.line(0) == "drivers/a.c:10 [fake]init =_ \"hello %s\\n\"\n");
  CHECK(m.line(1) == "drivers/a.c:200000 [fake]exit =pd \"\"bye\"\\t\"\n");
  CHECK(m.line(2) == "b.c:262143 [fake]draw =pmfsltd \"draw\" class:SECOND\n");
  m.classes = {};
  CHECK(m.line(2) == "b.c:262143 [fake]draw =pmfsltd \"draw\" class unknown, _id:5\n");
  char small[12];
  CHECK(m.view().print(0, small) == 42);
  CHECK(std::string{small} == "drivers/a.c");
}

TEST_CASE_TEMPLATE("dynamic_debug: broken tables", Format, FORMATS) {
  using word = typename Format::word_type;
  debug_site s;
  for (u64 field = 0; field < 4; ++field) {
    messages<Format> m;
    m.f.store(m.sites.target + field * sizeof(word), static_cast<word>(m.f.end().value));
    CHECK_FALSE(m.view().get(0, s));
    CHECK(m.run("=_") == 1);
    CHECK(m.line(0) == "");
  }
  messages<Format> m;
  m.f.store(m.classes.target + 4 * sizeof(word), static_cast<word>(m.f.end().value - 2));
  CHECK(m.view().class_id("FIRST") == debug_site::no_class);
  messages<Format> endless;
  endless.f.store(endless.classes.target + 5 * sizeof(word), ~u32{0});
  endless.f.store(endless.classes.target + 5 * sizeof(word) + 4, ~u32{0});
  CHECK(endless.view().class_id("FIRST") == debug_site::no_class);
  CHECK(endless.view().class_id("SECOND") == 0);
  endless.sites.entry_size = sizeof(debug_entry<Format>) - 1;
  CHECK(endless.view().size() == 0);
  endless.classes.entry_size = 8;
  CHECK(endless.view().class_name(0).data() == nullptr);
}

namespace {

/// Counts the words that are read one by one: the names of classes that are looked at.
struct counting_format : elf::elf64_le {
  struct word : elf::elf64_le::word {
    static inline u32 loads = 0;
    static u64 load(std::byte const* at) noexcept {
      ++loads;
      return elf::elf64_le::word::load(at);
    }
  };
};

} // namespace

TEST_CASE("dynamic_debug: a table of classes cannot make every message walk all its names") {
  constexpr u32 groups = 100, length = 63;
  constexpr u64 class_size = 56;
  test::fake_module<elf::elf64_le> f{16384};
  module_table const classes = f.table(f.reserve(groups * class_size), groups, class_size);
  address const names = f.reserve(length * sizeof(u64));
  address const name = f.put("NAME");
  for (u32 k = 0; k < length; ++k)
    f.store(names + k * sizeof(u64), name.value);
  auto const put_group = [&](u32 i, u32 base) {
    debug_class_entry<elf::elf64_le> c{};
    c.class_names = names.value;
    c.length = length;
    c.base = base;
    std::memcpy(classes.host + i * class_size, &c, sizeof c);
  };
  for (u32 i = 0; i < groups; ++i)
    put_group(i, 64);
  dynamic_debug<counting_format> const view{f.m, {}, classes};
  u32& loads = counting_format::word::loads;

  // No group has this id: no name is read.
  loads = 0;
  CHECK(view.class_name(5).data() == nullptr);
  CHECK(loads == 0);
  // One by one at most for 64 groups, the most that ids have room for.
  CHECK(view.class_id("NAME") == debug_site::no_class);
  CHECK(loads == 64 * length);
  put_group(64, 0);
  CHECK(view.class_name(5).data() == nullptr);
  CHECK(view.class_id("NAME") == debug_site::no_class);

  // The first that is found ends it.
  put_group(1, 0);
  put_group(2, 0);
  loads = 0;
  CHECK(view.class_name(5) == "NAME");
  CHECK(loads == 1);
  loads = 0;
  CHECK(view.class_id("NAME") == 0);
  CHECK(loads == length + 1);
  CHECK(view.class_id("NAM") == debug_site::no_class);
  CHECK(view.class_id("NAMES") == debug_site::no_class);
}
