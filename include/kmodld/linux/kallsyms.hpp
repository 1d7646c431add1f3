// SPDX-License-Identifier: MIT
// Symbols of loaded modules: address -> name, name -> address, /proc/kallsyms.
//
// Mirrors find_kallsyms_symbol, find_kallsyms_symbol_value and s_show of Linux 6.1, and the limits
// of 6.12 for modules in seven memories. Everything here only reads: it may run in a trap between
// read_enter and read_leave of the reclaimer, and names stay valid until read_leave. No function
// takes time that depends on anything but the number of symbols and the length of the answer.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/error_text.hpp>
#include <kmodld/linux/module_list.hpp>

namespace kmodld {

/// What an address is, as `name+offset/size [module]`.
struct symbol_at {
  std::string_view name; ///< in the module's memory
  u64 offset = 0;
  u64 size = 0;            ///< up to the next symbol or the end of the text
  std::string_view module; ///< in the module's record
};

/// The letter of a symbol as nm prints it, always lower case but `U` (elf_type). The section's
/// properties are looked at only if `shndx` is the index of a section.
constexpr char symbol_type_letter(u8 info, u32 shndx, u64 section_flags, u32 section_type,
                                  std::string_view section_name, bool is_percpu) noexcept {
  if (elf::st_bind(info) == elf::stb_weak)
    return elf::st_type(info) == elf::stt_object ? 'v' : 'w';
  if (shndx == elf::shn_undef)
    return 'U';
  if (shndx == elf::shn_abs || is_percpu)
    return 'a';
  if (shndx >= elf::shn_loreserve)
    return '?';
  if ((section_flags & elf::shf_execinstr) != 0)
    return 't';
  if ((section_flags & elf::shf_alloc) != 0 && section_type != elf::sht_nobits)
    return (section_flags & elf::shf_write) != 0 ? 'd' : 'r';
  if (section_type == elf::sht_nobits)
    return 'b';
  return starts_with(section_name, ".debug"sv) ? 'n' : '?';
}

namespace detail {

/// One published symbol table.
template <class Format, bool Thumb2>
class kallsyms_view {
public:
  using sym = typename Format::sym;

  explicit kallsyms_view(module const& m) noexcept {
    if (kallsyms_table const* t = m.kallsyms.load(std::memory_order_acquire))
      table_ = *t;
  }

  u32 count() const noexcept { return table_.count; }
  sym const& symbol(u32 i) const noexcept { return reinterpret_cast<sym const*>(table_.symtab)[i]; }
  /// Functions of a Thumb-2 kernel carry the instruction set in bit 0.
  u64 value(sym const& s) const noexcept {
    bool marked =
        Thumb2 && s.st_shndx != elf::shn_undef && elf::st_type(s.st_info) == elf::stt_func;
    u64 v = s.st_value;
    return marked ? v & ~u64{1} : v;
  }
  char letter(u32 i) const noexcept { return table_.typetab != nullptr ? table_.typetab[i] : '?'; }
  std::string_view name(sym const& s) const noexcept { return string_at(table_.strtab, s.st_name); }
  /// Character `at` of the name of `s`; NUL at its end and behind the end of the table. May only be
  /// asked if the characters before it are not NUL.
  char name_char(sym const& s, u32 at) const noexcept {
    u64 offset = u64{s.st_name} + at;
    return offset < table_.strtab.size()
               ? static_cast<char>(table_.strtab[static_cast<std::size_t>(offset)])
               : '\0';
  }
  bool named(sym const& s, std::string_view name) const noexcept {
    for (u32 i = 0; i < name.size(); ++i)
      if (name[i] == '\0' || name_char(s, i) != name[i])
        return false;
    return name_char(s, static_cast<u32>(name.size())) == '\0';
  }
  /// Names that tools put into code for their own use: ARM's $a, $d ..., local labels.
  bool mapping(sym const& s, bool seven_memories) const noexcept {
    char first = name_char(s, 0);
    if (first == '.')
      return name_char(s, 1) == 'L';
    if (seven_memories)
      return first == '$' || (first == 'L' && name_char(s, 1) == '0');
    if (first != '$')
      return false;
    char kind = name_char(s, 1);
    if (kind != 'a' && kind != 'x' && kind != 't' && kind != 'd')
      return false;
    char end = name_char(s, 2);
    return end == '\0' || end == '.';
  }

private:
  kallsyms_table table_;
};

/// The number with leading zeros, `digits` long.
template <class Out>
constexpr void put_fixed_hex(Out& out, u64 n, int digits) noexcept {
  for (int shift = 4 * digits - 4; shift >= 0; shift -= 4)
    out.put("0123456789abcdef"[(n >> shift) & 15]);
}

/// A text_sink that hands on what it gets in pieces: text of any length needs no buffer.
template <class Sink>
class piecewise {
public:
  explicit piecewise(Sink& sink) noexcept : sink_{sink} {}
  void put(char c) noexcept { sink_(std::string_view{&c, 1}); }
  void put(std::string_view s) noexcept { sink_(s); }
  void put_decimal(u64 n) noexcept {
    char text[24];
    text_sink digits{text};
    digits.put_decimal(n);
    sink_(std::string_view{text, digits.finish()});
  }

private:
  Sink& sink_;
};

template <class Format, class Out>
void put_kallsyms_line(Out& out, module const& m, address value, char letter, std::string_view name,
                       bool exported) noexcept {
  bool lower = letter >= 'a' && letter <= 'z';
  bool upper = letter >= 'A' && letter <= 'Z';
  if (exported ? lower : upper)
    letter = static_cast<char>(letter ^ 0x20);
  put_fixed_hex(out, value.value, Format::bits / 4);
  out.put(' ');
  out.put(letter);
  out.put(' ');
  out.put(name);
  out.put("\t["sv);
  out.put(m.name());
  out.put("]\n"sv);
}

} // namespace detail

/// Finds the symbol of `m` that `a` belongs to, by the rules of Linux 6.1 for modules of core and
/// init, of 6.12 for modules in seven memories. `all` is CONFIG_KALLSYMS_ALL: whether data has
/// symbols (6.1 then gives a size that ends with the text: for data it means nothing). False if `a`
/// is not in the module or before its first symbol.
template <class Format, bool Thumb2 = false>
bool find_symbol_at(module const& m, address a, symbol_at& out, bool all = true) noexcept {
  module_memory const* home = nullptr;
  for (module_memory const& part : m.all_memories())
    if (part.memory.contains(a))
      home = &part;
  if (home == nullptr)
    return false;
  bool seven = home->kind != memory_kind::core && home->kind != memory_kind::init;
  if (seven && !all && home->kind != memory_kind::text && home->kind != memory_kind::init_text)
    return false;
  detail::kallsyms_view<Format, Thumb2> symbols{m};
  if (symbols.count() == 0)
    return false;
  u64 start = home->memory.target.value;
  u64 next = start + (seven ? home->memory.size : home->text_size);
  u64 best_value = seven ? start - 1 : symbols.value(symbols.symbol(0));
  u32 best = 0;
  for (u32 i = 1; i < symbols.count(); ++i) {
    auto const& s = symbols.symbol(i);
    if (s.st_shndx == elf::shn_undef)
      continue;
    u64 value = symbols.value(s);
    // A region may begin at 0 or end at 2^64, where start - 1 and next are no bounds by themselves.
    bool const above = best == 0 && seven ? value >= start : value > best_value;
    bool nearer = value <= a.value ? above : value <= next - 1;
    if (!nearer || symbols.name_char(s, 0) == '\0' || symbols.mapping(s, seven))
      continue;
    if (value <= a.value) {
      best_value = value;
      best = i;
    } else
      next = value;
  }
  if (best == 0)
    return false;
  out = {symbols.name(symbols.symbol(best)), a.value - best_value,
         static_cast<typename Format::word_type>(next - best_value), m.name()};
  return true;
}

/// Finds the symbol that `a` belongs to in any formed module.
template <class Format, bool Thumb2 = false>
bool find_symbol_at(module_list const& list, address a, symbol_at& out, bool all = true) noexcept {
  module const* m = list.find_containing(a);
  return m != nullptr && find_symbol_at<Format, Thumb2>(*m, a, out, all);
}

/// Writes `name+0x12/0x40 [module]`; returns the length of the whole text, which may exceed what
/// fitted. NUL-terminated if out is not empty.
constexpr std::size_t format_symbol(symbol_at const& s, std::span<char> out) noexcept {
  detail::text_sink sink{out};
  sink.put(s.name);
  sink.put("+0x"sv);
  sink.put_hex(s.offset);
  sink.put("/0x"sv);
  sink.put_hex(s.size);
  if (!s.module.empty()) {
    sink.put(" ["sv);
    sink.put(s.module);
    sink.put(']');
  }
  return sink.finish();
}

/// The value of the first defined symbol of this name; 0 if there is none.
template <class Format, bool Thumb2 = false>
address lookup_name(module const& m, std::string_view name) noexcept {
  if (name.empty())
    return {};
  detail::kallsyms_view<Format, Thumb2> symbols{m};
  for (u32 i = 0; i < symbols.count(); ++i) {
    auto const& s = symbols.symbol(i);
    if (s.st_shndx != elf::shn_undef && symbols.named(s, name))
      return {symbols.value(s)};
  }
  return {};
}

/// As module_kallsyms_lookup_name: `module:name` looks in that module alone, `name` in all of them,
/// newest first, until one has a value that is not 0.
template <class Format, bool Thumb2 = false>
address lookup_name(module_list const& list, std::string_view name) noexcept {
  std::size_t colon = index_of(name, ':');
  if (colon != name.size()) {
    module const* m = list.find(head(name, colon), false);
    return m == nullptr ? address{} : lookup_name<Format, Thumb2>(*m, tail(name, colon + 1));
  }
  for (module const& m : list) {
    if (m.state.load(std::memory_order_acquire) == module_state::unformed)
      continue;
    if (address found = lookup_name<Format, Thumb2>(m, name))
      return found;
  }
  return {};
}

/// Calls f(address value, char letter, std::string_view name) for each symbol that has a name, in
/// the order of the table.
template <class Format, bool Thumb2 = false, class F>
void for_each_symbol(module const& m, F&& f) {
  detail::kallsyms_view<Format, Thumb2> symbols{m};
  for (u32 i = 0; i < symbols.count(); ++i) {
    auto const& s = symbols.symbol(i);
    if (symbols.name_char(s, 0) != '\0')
      f(address{symbols.value(s)}, symbols.letter(i), symbols.name(s));
  }
}

/// Writes one line of /proc/kallsyms: value, letter, name, tab, [module], newline. `exported`:
/// whether the plain __ksymtab of `m` has the name with this value. Returns as format_symbol().
template <class Format>
std::size_t format_kallsyms_line(module const& m, address value, char letter, std::string_view name,
                                 bool exported, std::span<char> out) noexcept {
  detail::text_sink sink{out};
  detail::put_kallsyms_line<Format>(sink, m, value, letter, name, exported);
  return sink.finish();
}

/// The modules' part of /proc/kallsyms, as pieces of text for sink(std::string_view).
/// is_exported(module const&, std::string_view name, address value) asks the plain __ksymtab of the
/// module. Readers without the right to see addresses get zeros.
template <class Format, bool Thumb2 = false, class IsExported, class Sink>
void proc_kallsyms(module_list const& list, IsExported&& is_exported, Sink&& sink,
                   bool show_values = true) {
  detail::piecewise<std::remove_reference_t<Sink>> out{sink};
  for (module const& m : list) {
    if (m.state.load(std::memory_order_acquire) == module_state::unformed)
      continue;
    for_each_symbol<Format, Thumb2>(m, [&](address value, char letter, std::string_view name) {
      bool exported = is_exported(m, name, value);
      detail::put_kallsyms_line<Format>(out, m, show_values ? value : address{}, letter, name,
                                        exported);
    });
  }
}

} // namespace kmodld
