// SPDX-License-Identifier: MIT
// A suite as an object file, and what a linker makes of it: first all cells, to see which ones it
// refuses, then the others, to have their bytes.
#pragma once

#include "linkers/suite.hpp"
#include "support/elf_builder.hpp"
#include "support/files.hpp"

#include <cstdlib>
#include <map>

namespace kmodld::test::linkers {

/// GNU ld or ld.lld: `command` with its options.
struct linker {
  std::string command;
  bool lld = false;
};

template <class Arch>
struct linked {
  using format = typename Arch::format;
  std::map<std::size_t, std::string> refused; ///< by cell: the linker's words
  elf_file<format> image;
  std::string failure; ///< not empty: the linker said something else
};

class scratch_folder {
  std::filesystem::path dir_;

public:
  scratch_folder() {
    if (char const* kept = std::getenv("KMODLD_KEEP")) {
      dir_ = kept;
      return;
    }
    std::string pattern = std::filesystem::temp_directory_path() / "kmodld-linkers-XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~scratch_folder() {
    if (std::getenv("KMODLD_KEEP") == nullptr)
      std::filesystem::remove_all(dir_);
  }
  scratch_folder(scratch_folder const&) = delete;
  scratch_folder& operator=(scratch_folder const&) = delete;
  std::filesystem::path operator/(char const* name) const { return dir_ / name; }
  std::string name() const { return dir_.string(); }
};

/// What an object has beside the cells.
template <class Arch>
struct extras {
  u32 flags = 0;
  std::vector<char const*> asked; ///< symbols that linkers define
  byte_vector attributes;         ///< .ARM.attributes
  std::string script;             ///< before .got
  std::string options;            ///< for both linkers, and a space
};

/// The object: .text with all cells, the relocations of the kept ones, all symbols global.
template <class Arch>
elf_file<typename Arch::format> object_of(suite<Arch> const& s, std::vector<bool> const& keep,
                                          extras<Arch> const& more) {
  using format = typename Arch::format;
  elf_builder<format> b{Arch::machine};
  u32 const text =
      b.section(".text", elf::sht_progbits, elf::shf_alloc | elf::shf_execinstr, s.bytes, 64);
  for (std::size_t i = 1; i < s.symbols.size(); ++i) {
    auto const& x = s.symbols[i];
    b.symbol("s" + std::to_string(i), x.label ? text : u32{elf::shn_abs},
             x.label ? x.value - s.base : x.value, static_cast<u8>(elf::stb_global << 4 | x.type),
             x.size, x.other);
  }
  for (char const* name : more.asked)
    b.undefined(name);
  if (!more.attributes.empty())
    b.section(".ARM.attributes", 0x70000003, 0, more.attributes);
  byte_vector raw;
  for (std::size_t c = 0; c < s.cells.size(); ++c)
    for (std::size_t i = 0; keep[c] && i < s.cells[c].count; ++i) {
      auto const* p = reinterpret_cast<std::byte const*>(&s.relocations[s.cells[c].first + i]);
      raw.insert(raw.end(), p, p + sizeof(typename Arch::relocation));
    }
  constexpr bool rela = suite<Arch>::with_addend;
  b.section(rela ? ".rela.text" : ".rel.text", rela ? u32{elf::sht_rela} : u32{elf::sht_rel}, 0x40,
            raw, format::bits / 8, elf_builder<format>::link_to_symtab, text,
            sizeof(typename Arch::relocation));
  auto out = b.build();
  out.header().e_flags = more.flags;
  out.section(".symtab").sh_info = 1; // all but the null symbol are global
  return out;
}

template <class Arch>
linked<Arch> link(suite<Arch> const& s, linker const& by, extras<Arch> const& more) {
  linked<Arch> out;
  scratch_folder const dir;
  auto put = [&dir](char const* name, void const* p, std::size_t n) {
    std::ofstream{dir / name, std::ios::binary}.write(static_cast<char const*>(p),
                                                      static_cast<std::streamsize>(n));
  };
  std::string const script =
      "SECTIONS {\n  . = " + std::to_string(s.base) +
      ";\n  .text : { *(.text) }\n  .stubs : { *(.stub*) *(.plt) *(.iplt) }\n"
      "  . = ALIGN(0x10000);\n"
      "" +
      more.script +
      "  .got : { *(.got.plt) *(.got) *(.igot) *(.igot.plt) *(.toc) }\n  .rel : { *(.rela.*) "
      "*(.rel.*) }\n}\n";
  put("script", script.data(), script.size());
  std::vector<bool> keep(s.cells.size(), true);

  auto run = [&] {
    auto const object = object_of(s, keep, more);
    put("a.o", object.bytes.data(), object.bytes.size());
    std::string const options =
        by.lld ? " --error-limit=0 --no-check-sections --no-relax"
               : " --verbose --no-relax --no-warn-mismatch --no-warn-rwx-segments";
    std::string const command = "cd " + dir.name() + " && LC_ALL=C " + by.command + options +
                                " -static --build-id=none -z noexecstack -e 0 -T script a.o " +
                                more.options + "-o a.out >out 2>&1";
    return std::system(command.c_str()) == 0;
  };
  auto said = [&] {
    auto const text = read_file(dir / "out");
    return std::string{as_text(text)};
  };

  // A linker stops after the stage that finds fault, so it takes some runs to hear all.
  static constexpr std::string_view mark = "(.text+0x";
  for (int turn = 0; !run(); ++turn) {
    std::string const words = said();
    std::size_t const before = out.refused.size();
    for (std::size_t at = words.find(mark); at != std::string::npos;
         at = words.find(mark, at + 1)) {
      u64 const offset = std::stoull(words.substr(at + mark.size(), 16), nullptr, 16);
      std::size_t c = 0;
      while (c + 1 < s.cells.size() && s.cells[c + 1].offset <= offset)
        ++c;
      std::size_t const start = words.rfind('\n', at), end = words.find('\n', at);
      std::string const line = words.substr(start + 1, end - start - 1);
      if (line.find("warning: ") != std::string::npos)
        continue;
      out.refused.emplace(c, line);
      keep[c] = false;
    }
    if (out.refused.size() == before || turn == 60) {
      out.failure = words.substr(words.size() < 3000 ? 0 : words.size() - 3000);
      return out;
    }
  }
  out.image = elf_file<typename Arch::format>{read_file(dir / "a.out")};
  if (out.image.section(".text").sh_addr != s.base)
    out.failure = ".text is not where it was put";
  return out;
}

} // namespace kmodld::test::linkers
