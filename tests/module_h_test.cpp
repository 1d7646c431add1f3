// SPDX-License-Identifier: MIT
// The tables that module.h writes, read back from the bytes of the sample modules as GCC and Clang
// build them. The reader here is the test's own, so that kmodld's reader cannot hide a mistake.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;

std::string environment(char const* name) {
  char const* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

fs::path source_root() {
  std::string const given = environment("KMODLD_SOURCE");
  return given.empty() ? fs::absolute(__FILE__).parent_path().parent_path() : fs::path{given};
}

std::string read_text(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

bool have(std::string const& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

struct scratch_folder {
  scratch_folder() {
    std::string pattern = (fs::temp_directory_path() / "module_h.XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr)
      path = pattern;
  }
  ~scratch_folder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
  fs::path path;
};

fs::path const& scratch() {
  static scratch_folder const folder;
  return folder.path;
}

strings compilers() {
  strings found;
  for (char const* name : {"gcc", "clang-14", "clang-19"})
    if (have(name))
      found.emplace_back(name);
  return found;
}

/// Folder of the sample modules: built once for each compiler and flags, or ready made.
fs::path samples(std::string const& compiler, std::string const& flags = {}) {
  static std::map<std::string, fs::path> built;
  auto const [place, fresh] = built.try_emplace(compiler + flags);
  if (!fresh)
    return place->second;
  place->second = scratch() / ("samples" + std::to_string(built.size()));
  std::string const command = "CC='" + compiler + "' KMODLD_CFLAGS='-Werror " + flags + "' sh '" +
                              (source_root() / "examples/modules/build.sh").string() + "' '" +
                              place->second.string() + "' 2>'" + (scratch() / "log").string() + "'";
  if (std::system(command.c_str()) != 0) {
    FAIL_CHECK(read_text(scratch() / "log"));
    place->second.clear();
  }
  return place->second;
}

struct section {
  std::string name;
  std::uint32_t type;
  std::uint64_t flags, size, align, entry_size;
  std::uint32_t link, info;
  std::string bytes;
};
struct symbol {
  std::string name;
  std::uint8_t info;
  std::uint16_t index;
  std::uint64_t value, size;
};
struct relocation {
  std::uint32_t type;
  symbol target;
  std::int64_t addend;
};

constexpr std::uint64_t write_flag = 1, alloc_flag = 2, exec_flag = 4, merge_flag = 16,
                        strings_flag = 32;

/// A little-endian ELF64 object; the test fails and reads nothing where the file is no such object.
struct object {
  explicit object(fs::path const& path) {
    std::string const file = read_text(path);
    REQUIRE_MESSAGE(file.size() > 64, path.string());
    REQUIRE(file.substr(0, 6) == std::string("\x7f"
                                             "ELF\x02\x01"));
    machine = number<std::uint16_t>(file, 18);
    auto const table = number<std::uint64_t>(file, 40);
    auto const count = number<std::uint16_t>(file, 60);
    for (std::uint64_t i = 0; i < count; i++) {
      std::uint64_t const at = table + 64 * i;
      section one{.name = {},
                  .type = number<std::uint32_t>(file, at + 4),
                  .flags = number<std::uint64_t>(file, at + 8),
                  .size = number<std::uint64_t>(file, at + 32),
                  .align = number<std::uint64_t>(file, at + 48),
                  .entry_size = number<std::uint64_t>(file, at + 56),
                  .link = number<std::uint32_t>(file, at + 40),
                  .info = number<std::uint32_t>(file, at + 44),
                  .bytes = {}};
      if (one.type != 8)
        one.bytes = file.substr(number<std::uint64_t>(file, at + 24), one.size);
      sections.push_back(one);
      names.push_back(number<std::uint32_t>(file, at));
    }
    std::string const& text = sections.at(number<std::uint16_t>(file, 62)).bytes;
    for (std::size_t i = 0; i < sections.size(); i++)
      sections[i].name = text_at(text, names[i]);
    for (section const& one : sections) {
      if (one.type != 2)
        continue;
      for (std::uint64_t at = 0; at < one.size; at += 24)
        symbols.push_back(
            {text_at(sections.at(one.link).bytes, number<std::uint32_t>(one.bytes, at)),
             number<std::uint8_t>(one.bytes, at + 4), number<std::uint16_t>(one.bytes, at + 6),
             number<std::uint64_t>(one.bytes, at + 8), number<std::uint64_t>(one.bytes, at + 16)});
    }
  }

  template <class Number>
  static Number number(std::string const& bytes, std::uint64_t at) {
    Number value{};
    REQUIRE(at + sizeof value <= bytes.size());
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  static std::string text_at(std::string const& bytes, std::uint64_t at) {
    REQUIRE(at < bytes.size());
    return bytes.c_str() + at;
  }

  section const* find(std::string const& name) const {
    for (section const& one : sections)
      if (one.name == name)
        return &one;
    return nullptr;
  }
  section const& get(std::string const& name) const {
    section const* one = find(name);
    REQUIRE_MESSAGE(one != nullptr, name);
    return *one;
  }
  std::map<std::uint64_t, relocation> relocations(std::string const& name) const {
    std::map<std::uint64_t, relocation> all;
    for (section const& one : sections)
      if (one.type == 4 && sections.at(one.info).name == name)
        for (std::uint64_t at = 0; at < one.size; at += 24) {
          auto const info = number<std::uint64_t>(one.bytes, at + 8);
          all[number<std::uint64_t>(one.bytes, at)] = {static_cast<std::uint32_t>(info),
                                                       symbols.at(info >> 32),
                                                       number<std::int64_t>(one.bytes, at + 16)};
        }
    return all;
  }
  /// Bytes of the section that a relocation points into, from there on.
  std::string pointee(relocation const& from) const {
    std::string const& bytes = sections.at(from.target.index).bytes;
    auto const at = from.target.value + static_cast<std::uint64_t>(from.addend);
    REQUIRE(at <= bytes.size());
    return bytes.substr(at);
  }
  std::string text(relocation const& from) const { return pointee(from).c_str(); }
  symbol const& named(std::string const& name) const {
    auto const found = std::find_if(symbols.begin(), symbols.end(),
                                    [&](symbol const& s) { return s.name == name; });
    REQUIRE_MESSAGE(found != symbols.end(), name);
    return *found;
  }
  strings undefined() const {
    strings all;
    for (std::size_t i = 1; i < symbols.size(); i++)
      if (symbols[i].index == 0)
        all.push_back(symbols[i].name);
    std::sort(all.begin(), all.end());
    return all;
  }
  strings modinfo() const {
    strings all;
    std::string const& bytes = get(".modinfo").bytes;
    for (std::size_t at = 0; at < bytes.size(); at += all.back().size() + 1)
      all.emplace_back(bytes.c_str() + at);
    return all;
  }

  std::uint32_t absolute() const { return machine == 183 ? 257 : 1; }
  std::uint32_t relative() const { return machine == 183 ? 261 : 2; }

  std::uint16_t machine = 0;
  std::vector<section> sections;
  std::vector<std::uint32_t> names;
  std::vector<symbol> symbols;
};

void check_section(object const& file, std::string const& name, std::uint32_t type,
                   std::uint64_t flags, std::uint64_t align) {
  CAPTURE(name);
  section const& one = file.get(name);
  CHECK(one.type == type);
  CHECK(one.flags == flags);
  CHECK(one.align == align);
}

/// Exports of a table as SYMBOL or SYMBOL@NAMESPACE.
strings exports(object const& file, std::string const& table) {
  strings all;
  section const* one = file.find(table);
  if (one == nullptr)
    return all;
  check_section(file, table, 1, alloc_flag, 4);
  auto const relocations = file.relocations(table);
  CHECK(one->size % 12 == 0);
  CHECK(relocations.size() == one->size / 4);
  CHECK(one->bytes.find_first_not_of('\0') == std::string::npos);
  for (std::uint64_t at = 0; at < one->size; at += 12) {
    relocation const &value = relocations.at(at), &name = relocations.at(at + 4),
                     &space = relocations.at(at + 8);
    for (relocation const* part : {&value, &name, &space})
      CHECK(part->type == file.relative());
    CHECK(file.sections.at(name.target.index).name == "__ksymtab_strings");
    CHECK(file.text(name) == value.target.name);
    CHECK(value.addend == 0);
    all.push_back(value.target.name + (file.text(space).empty() ? "" : "@" + file.text(space)));
  }
  return all;
}

std::vector<std::uint32_t> words(object const& file, std::string const& name) {
  std::vector<std::uint32_t> all;
  check_section(file, name, 1, alloc_flag, 4);
  std::string const& bytes = file.get(name).bytes;
  for (std::size_t at = 0; at < bytes.size(); at += 4)
    all.push_back(object::number<std::uint32_t>(bytes, at));
  return all;
}

/// Entries of __versions.
std::map<std::string, std::uint64_t> versions(object const& file) {
  std::map<std::string, std::uint64_t> all;
  section const* one = file.find("__versions");
  if (one == nullptr)
    return all;
  check_section(file, "__versions", 1, alloc_flag, 32);
  CHECK(one->size % 64 == 0);
  for (std::size_t at = 0; at < one->size; at += 64) {
    std::string const entry = one->bytes.substr(at, 64), name = entry.c_str() + 8;
    CHECK(entry.find_first_not_of('\0', 8 + name.size()) == std::string::npos);
    all[name] = object::number<std::uint64_t>(entry, 0);
  }
  return all;
}

std::uint32_t fnv1a(std::string const& text) {
  std::uint32_t hash = 0x811c9dc5;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

struct compiled {
  bool good;
  std::string messages;
  fs::path file;
};

/// One compiler call on a source of the test's own.
compiled compile(std::string const& compiler, std::string const& name, std::string const& source,
                 std::string const& flags = {}) {
  std::ofstream{scratch() / name} << source;
  compiled result{false, {}, scratch() / (name + ".ko")};
  std::string const command = "cd '" + scratch().string() + "' && LC_ALL=C " + compiler +
                              " -O2 -c -ffreestanding -fno-pic " + flags + " -I '" +
                              (source_root() / "include").string() + "' " + name + " -o " + name +
                              ".ko 2>log";
  result.good = std::system(command.c_str()) == 0;
  result.messages = read_text(scratch() / "log");
  return result;
}

template <class Function>
void each_compiler(Function function) {
  strings const all = compilers();
  REQUIRE_FALSE(all.empty());
  for (std::string const& compiler : all) {
    CAPTURE(compiler);
    fs::path const folder = samples(compiler);
    if (!folder.empty())
      function(folder);
  }
  if (std::string const ready = environment("KMODLD_SAMPLE_MODULES"); !ready.empty())
    function(fs::path{ready});
}

} // namespace

TEST_CASE("module.h: types, flags and alignment of sections are those of a Linux module") {
  each_compiler([](fs::path const& folder) {
    object const hello{folder / "hello.ko"};
    check_section(hello, ".modinfo", 1, alloc_flag, 1);
    check_section(hello, ".gnu.linkonce.this_module", 1, alloc_flag | write_flag, 64);
    check_section(hello, "__param", 1, alloc_flag, 8);
    check_section(hello, "__ksymtab_strings", 1, alloc_flag | merge_flag | strings_flag, 1);
    CHECK(hello.get("__ksymtab_strings").entry_size == 1);
    CHECK(hello.get(".init.text").flags == (alloc_flag | exec_flag));
    CHECK(hello.get(".exit.text").flags == (alloc_flag | exec_flag));
    CHECK(hello.find("__kcrctab") == nullptr);
    CHECK(hello.find("__versions") == nullptr);
    CHECK(hello.find(".eh_frame") == nullptr);

    object const sealed{folder / "ro_after_init.ko"};
    CHECK(sealed.get(".data..ro_after_init").flags == (alloc_flag | write_flag));
    CHECK(sealed.get(".data..read_mostly").flags == (alloc_flag | write_flag));
    CHECK(sealed.get(".init.data").flags == (alloc_flag | write_flag));

    object const notes{folder / "notes.ko"};
    check_section(notes, ".note.kmodld", 7, alloc_flag, 4);
    for (char const* name : {"ctors.ko", "cxx_sample.ko"}) {
      object const ctors{folder / name};
      CHECK(ctors.get(".init_array").flags == (alloc_flag | write_flag));
      CHECK(ctors.relocations(".init_array").size() * 8 == ctors.get(".init_array").size);
    }
  });
}

TEST_CASE("module.h: .modinfo holds the strings in source order") {
  each_compiler([](fs::path const& folder) {
    CHECK(object{folder / "importer.ko"}.modinfo() ==
          strings{"name=importer", "vermagic=kmodld ", "depends=exporter", "license=GPL v2",
                  "description=Uses the exports of exporter", "softdep=post: hello",
                  "import_ns=KMODLD_SAMPLE"});
    strings const hello = object{folder / "hello.ko"}.modinfo();
    CHECK(strings(hello.begin(), hello.begin() + 5) == strings{"name=hello", "vermagic=kmodld ",
                                                               "depends=", "parmtype=byte:byte",
                                                               "parmtype=short:short"});
    CHECK(std::count(hello.begin(), hello.end(), "parmtype=bool:bool") == 1);
    CHECK(std::count(hello.begin(), hello.end(), "parm=whom:whom to greet") == 1);
    CHECK(strings(hello.end() - 5, hello.end()) ==
          strings{"license=Dual MIT/GPL", "author=The kmodld project",
                  "description=Greets, and has a parameter of every type", "version=1.0",
                  "alias=greeting"});
    for (auto const& entry : fs::directory_iterator{folder}) {
      if (entry.path().extension() != ".ko")
        continue;
      CHECK(object{entry.path()}.modinfo().front() == "name=" + entry.path().stem().string());
    }
  });
}

TEST_CASE("module.h: the module structure has a name and only the functions there are") {
  each_compiler([](fs::path const& folder) {
    std::map<std::string, strings> const pointers = {
        {"hello", {"init_module", "cleanup_module"}},
        {"cxx_sample", {"init_module", "cleanup_module"}},
        {"pic_sample", {"init_module", "cleanup_module"}},
        {"permanent", {"init_module"}},
        {"notes", {}}};
    for (auto const& one : pointers) {
      std::string const& name = one.first;
      strings const& functions = one.second;
      CAPTURE(name);
      object const file{folder / (name + ".ko")};
      section const& structure = file.get(".gnu.linkonce.this_module");
      CHECK(structure.size == 896);
      std::string expected(896, '\0');
      expected.replace(24, name.size(), name);
      CHECK(structure.bytes == expected);
      CHECK(file.named("__this_module").size == 896);
      CHECK(file.named("__this_module").value == 0);
      auto const relocations = file.relocations(structure.name);
      REQUIRE(relocations.size() == functions.size());
      std::size_t i = 0;
      for (auto const& [offset, pointer] : relocations) {
        CHECK(offset == (i == 0 ? 312u : file.machine == 183 ? 832u : 848u));
        CHECK(pointer.type == file.absolute());
        CHECK(pointer.target.name == functions[i]);
        CHECK(pointer.target.info == 0x12);
        CHECK(file.sections.at(pointer.target.index).name ==
              (i == 0 ? ".init.text" : ".exit.text"));
        CHECK(pointer.addend == 0);
        i++;
      }
    }
  });
}

TEST_CASE("module.h: __param entries are struct kernel_param") {
  struct expected {
    std::string name, ops;
    unsigned mode, flags;
  };
  std::vector<expected> const all = {
      {"byte", "param_ops_byte", 0644, 0},       {"short", "param_ops_short", 0644, 0},
      {"ushort", "param_ops_ushort", 0644, 0},   {"int", "param_ops_int", 0644, 0},
      {"uint", "param_ops_uint", 0644, 0},       {"long", "param_ops_long", 0644, 0},
      {"ulong", "param_ops_ulong", 0644, 0},     {"ullong", "param_ops_ullong", 0644, 0},
      {"hexint", "param_ops_hexint", 0644, 0},   {"bool", "param_ops_bool", 0644, 0},
      {"invbool", "param_ops_invbool", 0644, 0}, {"bint", "param_ops_bint", 0644, 0},
      {"whom", "param_ops_charp", 0644, 0},      {"numbers", "param_array_ops", 0644, 0},
      {"label", "param_ops_string", 0444, 0},    {"risk", "param_ops_int", 0600, 1}};
  each_compiler([&](fs::path const& folder) {
    object const file{folder / "hello.ko"};
    section const& table = file.get("__param");
    auto const relocations = file.relocations("__param");
    REQUIRE(table.size == 40 * all.size());
    CHECK(relocations.size() == 4 * all.size());
    for (std::size_t i = 0; i < all.size(); i++) {
      CAPTURE(all[i].name);
      std::uint64_t const at = 40 * i;
      CHECK(file.text(relocations.at(at)) == all[i].name);
      CHECK(relocations.at(at + 8).target.name == "__this_module");
      CHECK(relocations.at(at + 16).target.name == all[i].ops);
      CHECK(relocations.at(at + 16).target.index == 0);
      for (std::uint64_t part : {0u, 8u, 16u, 32u})
        CHECK(relocations.at(at + part).type == file.absolute());
      CHECK(object::number<std::uint16_t>(table.bytes, at + 24) == all[i].mode);
      CHECK(object::number<std::uint8_t>(table.bytes, at + 26) == 0xff);
      CHECK(object::number<std::uint8_t>(table.bytes, at + 27) == all[i].flags);
    }

    // The values that the entries point at: 1 for byte, -4 for int, and the two descriptors.
    CHECK(file.pointee(relocations.at(32)).front() == 1);
    CHECK(object::number<std::int32_t>(file.pointee(relocations.at(3 * 40 + 32)), 0) == -4);
    relocation const array = relocations.at(13 * 40 + 32);
    std::string const descriptor = file.pointee(array);
    CHECK(object::number<std::uint32_t>(descriptor, 0) == 4);
    CHECK(object::number<std::uint32_t>(descriptor, 4) == 4);
    auto const inside = file.relocations(file.sections.at(array.target.index).name);
    std::uint64_t const base = array.target.value + static_cast<std::uint64_t>(array.addend);
    CHECK(file.sections.at(inside.at(base + 8).target.index).type == 8);
    CHECK(inside.at(base + 16).target.name == "param_ops_int");
    CHECK(object::number<std::int32_t>(file.pointee(inside.at(base + 24)), 12) == 40);
    relocation const text = relocations.at(14 * 40 + 32);
    CHECK(object::number<std::uint32_t>(file.pointee(text), 0) == 16);
    auto const buffer = file.relocations(file.sections.at(text.target.index).name)
                            .at(text.target.value + static_cast<std::uint64_t>(text.addend) + 8);
    CHECK(file.text(buffer) == "none");

    object const cxx{folder / "cxx_sample.ko"};
    check_section(cxx, "__param", 1, alloc_flag, 8);
    CHECK(cxx.get("__param").size == 5 * 40);
    CHECK(cxx.text(cxx.relocations("__param").at(3 * 40)) == "weights");
  });
}

TEST_CASE("module.h: export tables name symbol, string and namespace") {
  each_compiler([](fs::path const& folder) {
    object const exporter{folder / "exporter.ko"};
    CHECK(exports(exporter, "__ksymtab") ==
          strings{"exporter_add", "exporter_calls", "exporter_secret@KMODLD_SAMPLE"});
    CHECK(exports(exporter, "__ksymtab_gpl") == strings{"exporter_mul"});
    CHECK(exporter.get("__ksymtab_strings").bytes ==
          std::string("exporter_add\0\0exporter_calls\0\0exporter_secret\0KMODLD_SAMPLE\0"
                      "exporter_mul\0\0",
                      74));
    object const cxx{folder / "cxx_sample.ko"};
    CHECK(exports(cxx, "__ksymtab") == strings{"cxx_sample_area", "cxx_sample_constructed"});
    CHECK(exports(cxx, "__ksymtab_gpl") == strings{"cxx_sample_push"});
    CHECK(exports(object{folder / "pic_sample.ko"}, "__ksymtab") ==
          strings{"pic_sample_counter", "pic_sample_has_absent", "pic_sample_step",
                  "pic_sample_sum"});
    CHECK(exports(object{folder / "refused_gpl.ko"}, "__ksymtab").empty());
  });
}

TEST_CASE("module.h: CRC tables are parallel to the export tables") {
  each_compiler([](fs::path const& folder) {
    object const file{folder / "checksums.ko"};
    CHECK(exports(file, "__ksymtab") == strings{"checksums_adler32", "checksums_check_adler32",
                                                "checksums_check_crc32c", "checksums_check_fnv1a32",
                                                "checksums_check_fnv1a64", "checksums_crc32c"});
    CHECK(words(file, "__kcrctab") == std::vector<std::uint32_t>{0x0a0d1e32, 0x0a0d1e33, 0xc3c3c3c3,
                                                                 0xf0f0f032, 0xf0f0f064,
                                                                 0x82f63b78});
    CHECK(words(file, "__kcrctab_gpl") == std::vector<std::uint32_t>{0x01000193, 0x000001b3});
    CHECK(versions(object{folder / "checksums_user.ko"}) ==
          std::map<std::string, std::uint64_t>{{"checksums_crc32c", 0x82f63b78},
                                               {"checksums_fnv1a32", 0x01000193}});
  });
}

TEST_CASE("module.h: with KMODLD_MODVERSIONS the CRC is the hash of the name, on both sides") {
  for (std::string const& compiler : compilers()) {
    CAPTURE(compiler);
    fs::path const folder = samples(compiler, "-DKMODLD_MODVERSIONS");
    REQUIRE_FALSE(folder.empty());
    object const exporter{folder / "exporter.ko"};
    CHECK(words(exporter, "__kcrctab") == std::vector<std::uint32_t>{fnv1a("exporter_add"),
                                                                     fnv1a("exporter_calls"),
                                                                     fnv1a("exporter_secret")});
    CHECK(words(exporter, "__kcrctab_gpl") == std::vector<std::uint32_t>{fnv1a("exporter_mul")});
    CHECK(versions(object{folder / "importer.ko"}) ==
          std::map<std::string, std::uint64_t>{{"exporter_add", fnv1a("exporter_add")},
                                               {"exporter_calls", fnv1a("exporter_calls")},
                                               {"exporter_mul", fnv1a("exporter_mul")},
                                               {"exporter_secret", fnv1a("exporter_secret")}});
    compiled const letters =
        compile(compiler, "letters.c",
                "#include <kmodld/module.h>\n"
                "int Az_09_QZqz; EXPORT_SYMBOL(Az_09_QZqz); MODULE_LICENSE(\"GPL\");\n",
                "-DKMODLD_MODVERSIONS");
    REQUIRE_MESSAGE(letters.good, letters.messages);
    object const file{letters.file};
    CHECK(words(file, "__kcrctab") == std::vector<std::uint32_t>{fnv1a("Az_09_QZqz")});
    for (symbol const& one : file.symbols)
      CHECK(one.name.find("kmodld_code") == std::string::npos);
  }
}

TEST_CASE("module.h: a module asks for the symbols it uses and no others") {
  each_compiler([](fs::path const& folder) {
    CHECK(object{folder / "importer.ko"}.undefined() ==
          strings{"exporter_add", "exporter_calls", "exporter_mul", "exporter_secret"});
    CHECK(object{folder / "cxx_sample.ko"}.undefined() ==
          strings{"_printk", "param_array_ops", "param_ops_bool", "param_ops_charp",
                  "param_ops_int", "param_ops_long", "param_ops_string"});
    CHECK(object{folder / "sorting.ko"}.undefined().empty());
    CHECK(object{folder / "notes.ko"}.undefined() == strings{"nobody_has_this"});
  });
}

TEST_CASE("module.h: pic_sample reaches its variables through a GOT") {
  each_compiler([](fs::path const& folder) {
    object const file{folder / "pic_sample.ko"};
    if (file.machine != 62)
      return;
    auto const relocations = file.relocations(".text");
    CHECK(std::count_if(relocations.begin(), relocations.end(), [](auto const& one) {
            return one.second.type == 9 || one.second.type == 41 || one.second.type == 42;
          }) >= 3);
  });
}

TEST_CASE("module.h: name and vermagic come from the file's name or from macros") {
  std::string const source = "#include <kmodld/module.h>\nMODULE_LICENSE(\"GPL\");\n";
  for (std::string const& compiler : compilers()) {
    CAPTURE(compiler);
    fs::create_directories(scratch() / "a.folder");
    for (char const* name : {"crc-itu-t.v2.c", "a.folder/crc-itu-t.c"}) {
      compiled const plain = compile(compiler, name, source);
      REQUIRE_MESSAGE(plain.good, plain.messages);
      CHECK(object{plain.file}.modinfo().front() == "name=crc_itu_t");
      CHECK(object{plain.file}.get(".gnu.linkonce.this_module").bytes.substr(24, 10) ==
            std::string("crc_itu_t\0", 10));
    }
    compiled const given = compile(compiler, "given.c", source,
                                   "-DKMODLD_MODNAME=chosen -DKMODLD_VERMAGIC='\"6.1.0 SMP \"'");
    REQUIRE_MESSAGE(given.good, given.messages);
    CHECK(object{given.file}.modinfo() ==
          strings{"name=chosen", "vermagic=6.1.0 SMP ", "depends=", "license=GPL"});

    compiled const longest = compile(compiler, std::string(55, 'n') + ".c", source);
    REQUIRE_MESSAGE(longest.good, longest.messages);
    CHECK(object{longest.file}.modinfo().front() == "name=" + std::string(55, 'n'));
    CHECK_FALSE(compile(compiler, std::string(56, 'n') + ".c", source).good);

    compiled const part = compile(compiler, "part.c", source, "-DKMODLD_MODULE_PART");
    REQUIRE_MESSAGE(part.good, part.messages);
    CHECK(object{part.file}.modinfo() == strings{"license=GPL"});
    CHECK(object{part.file}.find(".gnu.linkonce.this_module") == nullptr);
  }
}

TEST_CASE("module.h: misuse does not compile, and says why") {
  struct misuse {
    std::string name, source, message;
  };
  std::vector<misuse> const all = {
      {"mixed.c", "int a, b; EXPORT_SYMBOL(a); EXPORT_SYMBOL_CRC(b, 1);",
       "kmodld_all_exports_of_a_file_need_a_crc_or_none"},
      {"type.c", "long a; module_param(a, int, 0);", "type of parameter a"},
      {"type.cpp", "static long a; module_param(a, int, 0);", "type of parameter a"},
      {"array.c", "long a[2]; module_param_array(a, int, NULL, 0);", "type of parameter a"},
      {"array.cpp", "static int a; module_param_array(a, int, nullptr, 0);", "error"},
      {"mode.c", "int a; module_param(a, int, 0666);", "mode of parameter a"},
      {"init.c", "static void start(void) {} module_init(start);", "module_init needs int start"},
      {"linkage.cpp", "int mangled(int); EXPORT_SYMBOL(mangled);", "linkage"},
      {"undeclared.c", "EXPORT_SYMBOL(nowhere);", "nowhere"}};
  for (std::string const& compiler : compilers())
    for (misuse const& one : all) {
      CAPTURE(compiler);
      CAPTURE(one.name);
      compiled const result =
          compile(compiler, one.name, "#include <kmodld/module.h>\n" + one.source + "\n");
      CHECK_FALSE(result.good);
      CHECK_MESSAGE(result.messages.find(one.message) != std::string::npos, result.messages);
    }
}

TEST_CASE("module.h: C11 and C++20 without a warning, more than once in a file") {
  std::string const source = "#include <kmodld/module.h>\n#include <kmodld/module.h>\n"
                             "static bool flag; module_param(flag, bool, 0444);\n"
                             "static int run(void) { pr_info(\"on\\n\"); return flag ? 1 : 0; }\n"
                             "module_init(run);\nMODULE_LICENSE(\"GPL\");\n";
  for (std::string const& compiler : compilers()) {
    CAPTURE(compiler);
    compiled const c =
        compile(compiler, "twice.c", source, "-std=c11 -Wall -Wextra -Wconversion -Werror");
    CHECK_MESSAGE(c.good, c.messages);
    compiled const cxx = compile(compiler, "twice.cpp", source,
                                 "-std=c++20 -Wall -Wextra -Wconversion -Werror -fno-rtti");
    CHECK_MESSAGE(cxx.good, cxx.messages);
  }
}

TEST_CASE("module.h: aarch64 objects, where a cross compiler is at hand") {
  if (!have("aarch64-linux-gnu-gcc"))
    return;
  fs::path const folder = samples("aarch64-linux-gnu-gcc");
  REQUIRE_FALSE(folder.empty());
  object const file{folder / "exporter.ko"};
  CHECK(file.machine == 183);
  CHECK(exports(file, "__ksymtab_gpl") == strings{"exporter_mul"});
  CHECK(file.relocations(".gnu.linkonce.this_module").count(832) == 1);
}
