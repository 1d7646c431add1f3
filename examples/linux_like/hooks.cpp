// SPDX-License-Identifier: MIT
// Call sites of the tracer (ftrace_make_nop of arch/x86/kernel/ftrace.c) and jump labels of debug
// messages (arch/x86/kernel/jump_label.c).
#include "hooks.hpp"

#include <kmodld/linux/patch_tables.hpp>

#include <cerrno>
#include <cstring>

namespace linux_like {
namespace {

using kmodld::address;
using kmodld::i32;
using kmodld::i64;
using kmodld::u32;
using kmodld::u64;

constexpr unsigned char nop2[] = {0x66, 0x90};
constexpr unsigned char nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
constexpr unsigned char nop6[] = {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00};

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

bool same(const std::byte* code, std::span<const unsigned char> bytes) {
  return std::memcmp(code, bytes.data(), bytes.size()) == 0;
}

/// The nop that replaces a call site, empty if it is none.
std::span<const unsigned char> nop_for(kmodld::module& m, address site, address fentry) {
  const std::byte* code = m.host(site, sizeof nop6);
  if (code == nullptr)
    return {};
  const auto opcode = std::to_integer<unsigned>(code[0]);
  if (same(code, nop5) || opcode == 0xe8) { // call rel32
    const address target = site + 5 + static_cast<u64>(i64{load<i32>(code + 1)});
    return same(code, nop5) || target == fentry ? std::span(nop5)
                                                : std::span<const unsigned char>{};
  }
  if (opcode != 0xff || std::to_integer<unsigned>(code[1]) != 0x15) // call *slot(%rip), -fpic
    return {};
  const address slot = site + 6 + static_cast<u64>(i64{load<i32>(code + 2)});
  const std::byte* target = m.host(slot, sizeof(u64));
  if (target == nullptr || load<u64>(target) != fentry.value)
    return {};
  return nop6;
}

} // namespace

int module_hooks::ftrace_init(kmodld::module& m) noexcept {
  const kmodld::module_table& sites = m.sections.ftrace_callsites;
  const auto site = [&](u32 i) {
    return address{load<u64>(sites.host + std::size_t{i} * sizeof(u64))};
  };
  for (u32 i = 0; i < sites.count; ++i)
    if (nop_for(m, site(i), fentry_).empty())
      return EINVAL;
  std::size_t made = 0;
  for (u32 i = 0; i < sites.count; ++i) {
    const auto nop = nop_for(m, site(i), fentry_);
    if (nop.empty()) // the nop of a site that overlaps it has changed it
      continue;
    std::memcpy(m.host(site(i), nop.size()), nop.data(), nop.size());
    ++made;
  }
  call_sites_[&m] = made;
  return 0;
}

std::size_t module_hooks::call_sites(const kmodld::module& m) const {
  const auto found = call_sites_.find(&m);
  return found == call_sites_.end() ? 0 : found->second;
}

int module_hooks::ddebug_add(kmodld::module& m) noexcept {
  debugged_.push_back(&m);
  return 0;
}

int module_hooks::ddebug_query(kmodld::module& m, std::string_view query) noexcept {
  return run_queries(m, query, m.name());
}

std::string module_hooks::debug_control() const {
  std::string text = "# filename:lineno [module]function flags format\n";
  for (const kmodld::module* m : debugged_) {
    const auto all = messages(*m);
    for (u32 i = 0; i < all.size(); ++i) {
      std::string line(all.print(i, {}) + 1, '\0');
      line.resize(all.print(i, line));
      text += line;
    }
  }
  return text;
}

int module_hooks::debug_write(std::string_view queries) {
  int meant = 0;
  for (kmodld::module* m : debugged_) {
    const int found = run_queries(*m, queries, {});
    if (found < 0)
      return found;
    meant += found;
  }
  if (debugged_.empty()) { // a malformed query is one also where nobody listens
    kmodld::debug_query ignored;
    kmodld::for_each_debug_query(queries, [&](std::string_view one) {
      if (kmodld::parse_debug_query(one, {}, ignored) != 0)
        meant = -EINVAL;
    });
  }
  return meant;
}

int module_hooks::run_queries(kmodld::module& m, std::string_view queries,
                              std::string_view module) {
  auto all = messages(m);
  return kmodld::run_debug_queries(all, queries, module, [&](u32 index, auto before, auto after) {
    if ((before & kmodld::debug_print) != (after & kmodld::debug_print))
      switch_key(m, index, (after & kmodld::debug_print) != 0);
  });
}

/// Flips the branches of one message: a branch that is likely jumps while the key is off.
void module_hooks::switch_key(kmodld::module& m, u32 index, bool enabled) {
  constexpr u64 key_in_descriptor = 40; // behind four pointers, line and flags
  const address key =
      m.sections.ddebug.target + (u64{index} * m.sections.ddebug.entry_size + key_in_descriptor);
  const kmodld::table_view<kmodld::elf::elf64_le, kmodld::jump_entry> labels{
      m.sections.jump_entries};
  for (const auto& [code, target, label_key, branch, init] : labels) {
    if (label_key != key)
      continue;
    const std::byte* now = m.host(code, 5);
    if (now == nullptr)
      continue;
    const auto opcode = std::to_integer<unsigned>(*now);
    const bool is_short = opcode == 0xeb || same(now, nop2);
    if (!is_short && opcode != 0xe9 && !same(now, nop5))
      continue;
    unsigned char bytes[5];
    if (enabled == branch) {
      std::memcpy(bytes, is_short ? nop2 : nop5, is_short ? 2 : 5);
    } else {
      const auto distance = static_cast<i32>(target - (code + (is_short ? 2 : 5)));
      bytes[0] = is_short ? 0xeb : 0xe9;
      std::memcpy(bytes + 1, &distance, is_short ? 1 : 4);
    }
    protector_.patch(code, std::as_bytes(std::span(bytes, is_short ? 2 : 5)));
  }
}

} // namespace linux_like
