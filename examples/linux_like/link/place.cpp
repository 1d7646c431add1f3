// SPDX-License-Identifier: MIT
// The order of sections, the ways around those that are fixed, the groups.
#include "place.hpp"

#include "../refusal.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace linux_like {
namespace {

using kmodld::section_entry;
using kmodld::section_table;
using kmodld::u32;
using kmodld::u64;
using kmodld::u8;
namespace elf = kmodld::elf;

constexpr u64 largest = u64{1} << 31; ///< section, as in the library's own layout

u64 align_of(const section_entry& s) { return std::max<u64>(s.align, 1); }
bool is_code(const section_entry& s) {
  return s.allocated() && (s.flags & elf::shf_execinstr) != 0;
}

/// The part of the image that a section belongs to.
int part_of(const section_entry& s) {
  if (is_code(s))
    return 0;
  constexpr std::string_view tables[] = {".toc", ".got", ".lit", ".sdata", ".sbss"};
  for (int i = 0; const std::string_view prefix : tables) {
    if (s.name.starts_with(prefix))
      return 2 + i;
    ++i;
  }
  if ((s.flags & elf::shf_write) == 0)
    return 1;
  return s.type == elf::sht_nobits ? 11 : 10;
}

/// Sections of one part and name stand together, in the order in which names come first.
void order(std::vector<u32>& sections, const section_table& table) {
  std::map<std::string_view, std::size_t> rank;
  for (const u32 i : sections)
    rank.emplace(table[i].name, rank.size());
  std::ranges::stable_sort(
      sections, {}, [&](u32 i) { return std::pair(part_of(table[i]), rank.at(table[i].name)); });
}

std::string shown(std::string_view name) {
  std::string out(name.substr(0, 100));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
      c = '?';
  return out;
}

[[noreturn]] void too_large(const section_entry& s) {
  throw refusal(ENOEXEC, fmt::format("section {} does not fit: size {:#x}, alignment {:#x}",
                                     shown(s.name), s.size, s.align));
}

} // namespace

void section_placer::make_groups(const link_request& request, const merged_object& merged,
                                 section_table& table) {
  std::map<std::pair<std::size_t, std::string_view>, u64> wanted;
  for (const link_request::placement& p : request.placements)
    wanted[{p.input, p.section}] = p.address;
  std::map<std::pair<std::size_t, std::string_view>, u64> next = wanted;
  std::size_t found = 0;
  for (u32 i = 1; i < table.used; ++i) {
    if (!table[i].allocated() || i >= merged.sections.size())
      continue;
    const auto at = next.find({merged.sections[i].input, table[i].name});
    if (at == next.end())
      continue;
    // Several of one name follow each other.
    const bool first = at->second == wanted.at(at->first);
    found += first ? 1 : 0;
    fixed_[i] = first ? at->second : kmodld::round_up(at->second, align_of(table[i]));
    at->second = fixed_[i] + std::max<u64>(table[i].size, 1);
  }
  if (found != wanted.size())
    for (const auto& [key, address] : wanted)
      if (next.at(key) == address)
        throw refusal(ENOENT, fmt::format("{} has no section {} in memory",
                                          request.inputs[key.first].name, shown(key.second)));
  group_fixed(table);
  group_code(table);
}

u8 section_placer::next_group() {
  if (groups_ == section_entry::nowhere - 1)
    throw refusal(E2BIG, "the sections with code lie in too many places");
  return groups_++;
}

void section_placer::group_fixed(section_table& table) {
  constexpr u64 span = u64{1} << 19; // half of what the shortest far branch (riscv's JAL) reaches
  std::vector<std::pair<u64, u32>> code;
  for (const auto& [i, address] : fixed_)
    if (is_code(table[i]))
      code.emplace_back(address, i);
  std::ranges::sort(code);
  u8 group = 0;
  u64 start = 0;
  for (std::size_t n = 0; n < code.size(); ++n) {
    const auto [address, i] = code[n];
    const u64 end = address + table[i].size;
    if (n == 0 || end - start > span) {
      group = next_group();
      start = address;
    }
    table[i].memory = group;
    behind_[group] = end;
  }
}

void section_placer::group_code(section_table& table) {
  constexpr u64 span = u64{1} << 23; // half of what Thumb's BL reaches
  for (u32 i = 1; i < table.used; ++i)
    if (is_code(table[i]) && !fixed_.contains(i))
      code_.push_back(i);
  order(code_, table);
  u64 size = 0;
  u8 group = section_entry::nowhere; // the first
  for (const u32 i : code_) {
    if (size != 0 && table[i].size > span - std::min(size, span)) {
      group = next_group();
      size = 0;
    }
    size += std::min(table[i].size, span);
    table[i].memory = group;
  }
}

void section_placer::reserve(u64 first, u64 size) {
  if (size != 0)
    taken_.emplace(first, first + (size - 1));
}

void section_placer::check_fixed(section_table& table, u64 last) {
  for (const auto& [i, address] : fixed_) {
    section_entry& s = table[i];
    if (address % align_of(s) != 0)
      throw refusal(EINVAL,
                    fmt::format("{:#x} for section {} is no multiple of its alignment {:#x}",
                                address, shown(s.name), s.align));
    if (address > last || (s.size != 0 && s.size - 1 > last - address))
      too_large(s);
    s.target = {address};
    if (s.size != 0 && !taken_.emplace(address, address + (s.size - 1)).second)
      throw refusal(EINVAL, fmt::format("two sections placed at {:#x} overlap", address));
  }
  for (auto at = taken_.begin(), before = at; at != taken_.end(); before = at++)
    if (at != before && at->first <= before->second)
      throw refusal(EINVAL, fmt::format("two sections placed at {:#x} overlap", at->first));
}

/// The stubs of fixed sections: in the first gap behind them.
void section_placer::place_islands_of_fixed(section_table& table, u64 last) {
  for (u32 i = 1; i < table.used; ++i) {
    section_entry& s = table[i];
    const auto group = behind_.find(s.memory);
    if (!is_code(s) || fixed_.contains(i) || group == behind_.end())
      continue;
    u64 at = kmodld::round_up(group->second, align_of(s));
    for (auto other = taken_.begin(); other != taken_.end(); ++other)
      if (other->second >= at && (other->first <= at || other->first - at < s.size)) {
        if (other->second >= last)
          too_large(s);
        at = kmodld::round_up(other->second + 1, align_of(s));
      }
    if (at < group->second || at > last || s.size - 1 > last - at)
      too_large(s);
    s.target = {at};
    reserve(at, s.size);
  }
}

/// All that is not fixed, in its order.
std::vector<u32> section_placer::others(const section_table& table) const {
  std::vector<u32> known = code_, islands, out, rest;
  std::ranges::sort(known);
  for (u32 i = 0; i < table.used; ++i) {
    const section_entry& s = table[i];
    if (!s.allocated() || fixed_.contains(i) || behind_.contains(s.memory) ||
        std::ranges::binary_search(known, i))
      continue;
    (is_code(s) ? islands : rest).push_back(i);
  }
  order(rest, table);
  const auto add_islands = [&](u8 group) {
    for (const u32 i : islands)
      if (table[i].memory == group)
        out.push_back(i);
  };
  for (std::size_t n = 0; n < code_.size(); ++n) {
    out.push_back(code_[n]);
    if (n + 1 == code_.size() || table[code_[n + 1]].memory != table[code_[n]].memory)
      add_islands(table[code_[n]].memory);
  }
  if (code_.empty())
    add_islands(section_entry::nowhere);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

void section_placer::place(section_table& table, u64 base, u64 last) {
  u64 total = 0;
  for (const section_entry& s : table.sections()) {
    if (!s.allocated())
      continue;
    if (s.size > largest || align_of(s) > largest || (total += s.size) > largest * 4)
      too_large(s);
  }
  check_fixed(table, last);
  place_islands_of_fixed(table, last);
  u64 next = base;
  bool full = base > last;
  auto obstacle = taken_.begin();
  while (obstacle != taken_.end() && obstacle->second < next)
    ++obstacle;
  for (const u32 i : others(table)) {
    section_entry& s = table[i];
    for (;;) {
      const u64 at = kmodld::round_up(next, align_of(s));
      if (full || at < next || at > last || (s.size != 0 && s.size - 1 > last - at))
        too_large(s);
      while (obstacle != taken_.end() && obstacle->second < at)
        ++obstacle;
      if (s.size == 0 || obstacle == taken_.end() || at + (s.size - 1) < obstacle->first) {
        s.target = {at};
        full = s.size != 0 && at + (s.size - 1) == last;
        next = full ? next : at + s.size;
        break;
      }
      full = obstacle->second == last;
      next = full ? next : obstacle->second + 1;
    }
  }
}

} // namespace linux_like
