// SPDX-License-Identifier: MIT
// Compares what the views say of a real module's tables with another reading of the same: each
// relocation of a table's section says which address the field at its offset means.
#pragma once

#include "support/files.hpp"

#include <kmodld/linux/patch_tables.hpp>
#include <kmodld/linux/unwind_tables.hpp>
#include <kmodld/loader.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace kmodld::patch_tables {

/// By section: entries that were read, and fields that a relocation confirmed.
struct tally {
  u64 entries = 0, fields = 0;
};
inline std::map<std::string, tally> totals;
inline unsigned wrong = 0;
inline std::string current; ///< the module's file

inline void complain(std::string_view section, u64 offset, std::string const& what) {
  ++wrong;
  std::printf("%s: %s+%llu: %s\n", current.c_str(), std::string{section}.c_str(),
              static_cast<unsigned long long>(offset), what.c_str());
}

/// Regions at made-up addresses in the low half, host memory of the heap.
struct heap {
  u64 next = 0x10000;

  memory_status allocate(memory_request const& q, region& out) noexcept {
    bool const of_module = q.kind <= memory_kind::init;
    u64 const align = std::max<u64>(q.align, of_module ? 65536 : 16);
    u64 const size = round_up(q.size, align);
    void* const host =
        std::aligned_alloc(static_cast<std::size_t>(align), static_cast<std::size_t>(size));
    if (host == nullptr)
      return memory_status::no_room;
    std::memset(host, 0, static_cast<std::size_t>(size));
    out = {{of_module ? next : 0}, static_cast<std::byte*>(host), q.size};
    next += of_module ? size : 0;
    return memory_status::ok;
  }
  void release(memory_kind, region r) noexcept { std::free(r.host); }
};

/// Every name is known; its value depends on nothing but the name.
struct all_names {
  static u64 value(std::string_view name) noexcept {
    u64 h = 0;
    for (char c : name)
      h = h * 31 + static_cast<unsigned char>(c);
    return 0x1000000 + ((h & 0xffff) << 4);
  }
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    out = {.value = {value(name)}};
    return true;
  }
};

/// A field of an entry that holds an address: where it stands, and what the view says of it.
template <class Value>
struct address_field {
  u32 offset;
  u64 (*get)(Value const&);
  enum kind : u8 {
    own,   ///< leads to the module itself
    any,   ///< or elsewhere
    entry, ///< own, stored as a distance from the entry
  } leads;
};

/// What the file says, read by nothing but its structures.
template <class Arch>
class reading {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  using word = typename format::word_type;

public:
  byte_view file;
  section_table const* placed = nullptr;

  typename format::ehdr const& header() const { return at<typename format::ehdr>(0); }
  typename format::shdr const& section(u32 i) const {
    return at<typename format::shdr>(header().e_shoff + i * sizeof(typename format::shdr));
  }
  /// f(offset, S + A) for each relocation of section t.
  template <class F>
  void for_each_target(u32 t, F f) const {
    for (u32 i = 1; i < header().e_shnum; ++i) {
      auto const& s = section(i);
      if ((s.sh_type != elf::sht_rela && s.sh_type != elf::sht_rel) || s.sh_info != t)
        continue;
      for (u64 k = 0; k < s.sh_size / sizeof(relocation); ++k) {
        auto const& r = at<relocation>(s.sh_offset + k * sizeof(relocation));
        u64 const offset = r.r_offset;
        if (Arch::type_of(r) == 0) // R_ARM_NONE names a function of the unwinder
          continue;
        u64 addend = 0;
        if constexpr (requires { r.r_addend; }) {
          addend = static_cast<u64>(i64{r.r_addend});
        } else {
          u32 const stored = at<typename format::word32>(section(t).sh_offset + offset);
          bool const prel31 = Arch::machine == 40 && Arch::type_of(r) == 42;
          addend = prel31 ? (stored & 0x7fffffff) | (stored << 1 & 0x80000000) : stored;
        }
        f(offset, u64{static_cast<word>(value(Arch::symbol_of(r), s.sh_link) + addend)});
      }
    }
  }

private:
  template <class T>
  T const& at(u64 offset) const {
    if (offset > file.size() || sizeof(T) > file.size() - offset)
      std::abort();
    return *reinterpret_cast<T const*>(file.data() + offset);
  }
  u64 value(u32 symbol, u32 symtab) const {
    auto const& s =
        at<typename format::sym>(section(symtab).sh_offset + symbol * sizeof(typename format::sym));
    if (s.st_shndx == elf::shn_undef) {
      char const* name = reinterpret_cast<char const*>(file.data()) +
                         section(section(symtab).sh_link).sh_offset + s.st_name;
      return all_names::value(name);
    }
    return s.st_shndx >= 0xff00 ? u64{s.st_value} : (*placed)[s.st_shndx].target.value + s.st_value;
  }
};

template <class Arch>
class inspection {
  using format = typename Arch::format;
  finalize_context<Arch> const& c_;
  reading<Arch> const& file_;

public:
  inspection(finalize_context<Arch> const& c, reading<Arch> const& file) : c_{c}, file_{file} {}

  /// Every section of this name: its number of entries is the size over `size`, and each field that
  /// has a relocation means what that says.
  template <class Entry, class... Field>
  void table(std::string_view name, u32 size, Field... fields) {
    for (u32 i = 1; i < c_.sections.file_count; ++i)
      if (c_.sections[i].name == name && c_.sections[i].host != nullptr)
        one<Entry>(i, size, fields...);
  }

  template <class Entry, class... Field>
  void one(u32 section, u32 size, Field... fields) {
    section_entry const& s = c_.sections[section];
    table_view<format, Entry> const view{region{s.target, s.host, s.size}};
    using value = typename table_view<format, Entry>::value_type;
    address_field<value> const all[] = {fields...};
    if (view.size() != file_.section(section).sh_size / size)
      complain(s.name, 0, "has " + std::to_string(view.size()) + " entries");
    tally& t = totals[std::string{s.name}];
    t.entries += view.size();
    file_.for_each_target(section, [&](u64 offset, u64 target) {
      u64 const n = offset / size;
      for (auto const& f : all)
        if (f.offset == offset % size && n < view.size()) {
          u64 const means = f.get(view[static_cast<u32>(n)]);
          u64 const wanted = f.leads == address_field<value>::entry ? target - f.offset : target;
          ++t.fields;
          if (means != wanted)
            complain(s.name, offset, std::to_string(means) + ", not " + std::to_string(wanted));
          if (f.leads != address_field<value>::any && c_.bytes({means}, 1).empty() &&
              c_.bytes({means + (0 - u64{1})}, 1).empty()) // an end is the module's, too
            complain(s.name, offset, "leads out of the module");
          return;
        }
      complain(s.name, offset, "no field there");
    });
  }

  /// What find_module_sections has is cut into the same entries.
  template <class Entry>
  void found(std::string_view name, module_table const& table) {
    auto const view = c_.template entries<Entry>(name);
    if (table_view<format, Entry>{table}.size() != view.size() || table.count != view.size())
      complain(name, 0, "is cut otherwise by the loader");
  }

  /// Sorting keeps the entries, which `text` makes comparable, and brings them into order.
  template <class Entry, class Text>
  void sorted(std::string_view name, Text text) {
    auto view = c_.template entries<Entry>(name);
    auto const all = [&] {
      std::vector<decltype(text(view[0]))> out;
      for (auto const& v : view)
        out.push_back(text(v));
      return out;
    };
    auto before = all();
    view.sort();
    for (u32 i = 1; i < view.size(); ++i)
      if (view.less(i, i - 1))
        complain(name, i, "is not sorted");
    auto after = all();
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    if (before != after)
      complain(name, 0, "has other entries when it is sorted");
  }
};

/// Looks at a module when it is relocated, and refuses it.
template <class Arch>
struct inspector {
  byte_view file;
  bool looked = false;

  int finalize(finalize_context<Arch> const& c) noexcept {
    looked = true;
    inspect(c, reading<Arch>{file, &c.sections});
    return e_intr;
  }
  void cleanup(module&) noexcept {}

  /// One file an architecture has it.
  static void inspect(finalize_context<Arch> const& c, reading<Arch> const& r);
};

template <class Arch>
struct config {
  using arch = Arch;
  using allocator = heap;
  using symbol_resolver = all_names;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
  using hooks = inspector<Arch>;
  struct abi : kmodld::abi::linux_of<Arch, kmodld::abi::linux_6_1> {
    static constexpr bool modversions = false;
  };
};

/// True if it was looked at.
template <class Arch>
bool load(byte_view file) {
  loader<config<Arch>> l;
  l.policies().hooks.file = file;
  auto const refused = l.load(file);
  if (!l.policies().hooks.looked)
    complain("load", static_cast<u64>(refused.error().os_errno()), "refused too early");
  return l.policies().hooks.looked;
}

// Compiled in the file of each.
bool load_x86_64(byte_view file);
bool load_i386(byte_view file);
bool load_aarch64(byte_view file);
bool load_powerpc64(byte_view file);
bool load_arm(byte_view file);
bool load_s390x(byte_view file);
bool load_mips64(byte_view file);

// Fields that several architectures share.
using jump_field = address_field<jump_label>;
inline constexpr jump_field jump_code{0, [](jump_label const& j) { return j.code.value; },
                                      jump_field::own};
inline u64 jump_target(jump_label const& j) { return j.target.value; }
inline u64 jump_key(jump_label const& j) { return j.key.value | u64{j.branch} | u64{j.init} << 1; }
inline auto jump_text(jump_label const& j) {
  return std::tuple{j.key, j.code, j.target, j.branch, j.init};
}
inline u64 site_value(address const& a) { return a.value; }
using site_field = address_field<address>;
inline constexpr site_field site{0, site_value, site_field::own};
using alternative_field = address_field<alternative>;
inline constexpr alternative_field alternative_site{
    0, [](alternative const& a) { return a.site.value; }, alternative_field::own},
    alternative_replacement{4, [](alternative const& a) { return a.replacement.value; },
                            alternative_field::any};
using bug_field = address_field<bug>;
inline constexpr bug_field bug_where{0, [](bug const& b) { return b.where.value; }, bug_field::own},
    bug_file{4, [](bug const& b) { return b.file.value; }, bug_field::own};

} // namespace kmodld::patch_tables
