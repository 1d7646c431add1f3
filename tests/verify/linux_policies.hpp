// SPDX-License-Identifier: MIT
// The policies of a host that answers from a record of the ground truth.
#pragma once

#include "verify/outcome.hpp"

#include <kmodld/elf/image.hpp>
#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/symbol_resolver.hpp>

#include <cstdlib>

namespace kmodld::verify {

inline std::string kind_name(memory_kind kind) {
  constexpr char const* names[] = {"text",      "data",      "rodata",      "ro_after_init",
                                   "init_text", "init_data", "init_rodata", "core",
                                   "init",      "record",    "scratch"};
  return names[static_cast<std::size_t>(kind)];
}

/// Gives the region of a kind the base that it had in the kernel, filled with zeros as promised.
struct record_allocator {
  static constexpr u64 largest = u64{64} << 20; ///< no module comes near
  record const* source = nullptr;
  outcome* out = nullptr;
  std::map<std::byte*, std::pair<memory_kind, u64>> given;

  memory_status allocate(memory_request const& q, region& r) noexcept {
    if (q.size > largest)
      return memory_status::no_room;
    auto* host = static_cast<std::byte*>(std::calloc(1, static_cast<std::size_t>(q.size)));
    if (host == nullptr)
      return memory_status::no_room;
    r = {{0}, host, q.size};
    given[host] = {q.kind, q.size};
    if (q.kind == memory_kind::record || q.kind == memory_kind::scratch)
      return memory_status::ok;
    for (region_record const& base : source->regions)
      if (base.name == kind_name(q.kind))
        r.target = {base.base};
    if (!q.reach.holds(r.target, q.size))
      out->complaints.push_back("region " + kind_name(q.kind) + " is out of reach at its address");
    return memory_status::ok;
  }

  void release(memory_kind kind, region r) noexcept {
    auto found = given.find(r.host);
    if (found == given.end() || found->second != std::pair{kind, r.size}) {
      out->complaints.push_back("released what was not given: " + kind_name(kind));
      return;
    }
    given.erase(found);
    std::free(r.host);
  }

  void check_all_released() {
    for (auto const& [host, what] : given) {
      out->complaints.push_back("not released: " + kind_name(what.first));
      std::free(host);
    }
    given.clear();
  }
};

struct record_resolver {
  std::map<std::string, u64, std::less<>> symbols;
  std::set<std::string> asked;

  /// A weak symbol with value 0 is one that nobody defines; another one with value 0 is a per-CPU
  /// symbol at the start of its area.
  void read(record const& r, std::set<std::string> const& weak) {
    for (auto const& [name, value] : r.undefined)
      if (value != 0 || !weak.contains(name))
        symbols.emplace(name, value);
  }

  bool find(std::string_view name, bool, exported_symbol& symbol) noexcept {
    asked.emplace(name);
    auto found = symbols.find(name);
    if (found == symbols.end())
      return false;
    symbol = {};
    symbol.value = {found->second};
    return true;
  }
};

struct record_percpu {
  address answer;
  test::byte_vector initial;
  u64 allocated = 0;

  address allocate(u64 size, u64) noexcept {
    allocated = size;
    return answer;
  }
  void release(address base, u64 size) noexcept {
    if (base == answer && size == allocated)
      allocated = 0;
  }
  void initialise(address base, byte_view bytes) noexcept {
    if (base == answer)
      initial.assign(bytes.begin(), bytes.end());
  }
  void check_released(outcome& out) const {
    if (allocated != 0)
      out.complaints.push_back("not released: per-CPU memory");
  }
};

/// Reached by the last step as the Config's hooks.
struct observer {
  outcome* out = nullptr;
  bool looked = false;
};

/// Names of undefined weak symbols; none if the image is not sound.
template <class Format>
std::set<std::string> weak_names(byte_view bytes) {
  std::set<std::string> names;
  elf::image<Format> image;
  error ignored;
  if (elf::image<Format>::check(
          bytes, [](auto const&) { return true; }, image, ignored) != errc::ok)
    return names;
  for (u32 i = 1; i < image.section_count(); ++i)
    if (image.section(i).sh_type == elf::sht_symtab)
      for (auto const& s : image.template entries<typename Format::sym>(i))
        if (s.st_shndx == elf::shn_undef && elf::st_bind(s.st_info) == elf::stb_weak)
          names.emplace(string_at(image.data(image.section(i).sh_link), s.st_name));
  return names;
}

} // namespace kmodld::verify
