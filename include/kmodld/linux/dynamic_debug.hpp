// SPDX-License-Identifier: MIT
// The debug messages of a module: `__dyndbg` and `__dyndbg_classes` (struct _ddebug, struct
// ddebug_class_map; layout of 6.1 and later), switched on and off by queries.
#pragma once

#include <kmodld/error_text.hpp>
#include <kmodld/linux/debug_query.hpp>
#include <kmodld/module.hpp>

namespace kmodld {

/// As it stands in memory; what follows (the static key) has the configuration's size.
/// `place` packs, from the first bit-field on: line 18 bits, class_id 6, flags 8.
template <class Format>
struct debug_entry {
  typename Format::word modname, function, filename, format;
  typename Format::word32 place;
};

/// A group of classes: `length` names, whose ids count from `base`.
template <class Format>
struct debug_class_entry {
  typename Format::word link[2], mod, mod_name, class_names;
  typename Format::word32 length, base, map_type;
};

static_assert(sizeof(debug_class_entry<elf::elf64_le>) == 52);

/// One message, decoded; the strings lie in the module's memory.
struct debug_site {
  std::string_view module; ///< as compiled in; queries match the module's own name
  std::string_view function;
  std::string_view file;
  std::string_view format;
  u32 line = 0;
  u8 class_id = no_class;
  u8 flags = 0;

  static constexpr u8 no_class = 63;
};

/// A module's messages. Nothing is copied; the module must outlive the view.
template <class Format>
class dynamic_debug {
public:
  using entry = debug_entry<Format>;
  using class_entry = debug_class_entry<Format>;

  /// `source_root`: the host's build directory, which file names are shown and matched without.
  dynamic_debug(module const& owner, module_table const& sites, module_table const& classes = {},
                std::string_view source_root = {}) noexcept
      : owner_{&owner}, sites_{sites}, classes_{classes}, source_root_{source_root} {}

  /// 0 if the table was cut into entries that are too small.
  u32 size() const noexcept { return sites_.entry_size < sizeof(entry) ? 0 : sites_.count; }

  /// Message `i` < size(). False, and `out` unspecified, if one of its strings is not a terminated
  /// string inside the module.
  bool get(u32 i, debug_site& out) const noexcept {
    entry e;
    __builtin_memcpy(&e, sites_.host + u64{i} * sites_.entry_size, sizeof e);
    out.module = owner_->string({e.modname});
    out.function = owner_->string({e.function});
    out.file = owner_->string({e.filename});
    out.format = owner_->string({e.format});
    u32 place = e.place;
    constexpr bool little = Format::order == elf::byte_order::little;
    out.line = little ? place & 0x3ffff : place >> 14;
    out.class_id = static_cast<u8>((little ? place >> 18 : place >> 8) & 0x3f);
    out.flags = static_cast<u8>(little ? place >> 24 : place);
    return out.module.data() != nullptr && out.function.data() != nullptr &&
           out.file.data() != nullptr && out.format.data() != nullptr;
  }

  /// The id of a class of this module, or no_class.
  u8 class_id(std::string_view name) const noexcept {
    for (u32 i = 0; i < class_count(); ++i) {
      class_entry const e = class_at(i);
      address at;
      for (u32 k = 0; k < length_of(e) && name_of(e, k, at); ++k) {
        u32 const id = e.base + k;
        if (id < debug_site::no_class && is_string(at, name))
          return static_cast<u8>(id);
      }
    }
    return debug_site::no_class;
  }

  /// The name of a class; null data if it has none.
  std::string_view class_name(u8 class_id) const noexcept {
    for (u32 i = 0; i < class_count(); ++i) {
      class_entry const e = class_at(i);
      u32 const k = class_id - e.base;
      address at;
      if (k >= length_of(e) || !name_of(e, k, at))
        continue;
      if (std::string_view const name = owner_->string(at); name.data() != nullptr)
        return name;
    }
    return {};
  }

  /// Whether a query means this message. Without `class` it means none that has a class.
  bool matches(debug_query const& q, debug_site const& s) const noexcept {
    u8 wanted = debug_site::no_class;
    return means_module(q) && wanted_class(q, wanted) && matches(q, wanted, s);
  }

  /// Changes the flags of all messages that the query means, and returns how many they are.
  /// changed(u32 index, u8 before, u8 after) is called after each change: a host with jump labels
  /// switches the message's static key there. Broken entries are left out.
  template <class Changed>
  u32 apply(debug_query const& q, Changed&& changed) noexcept {
    u32 found = 0;
    debug_site s;
    u8 wanted = debug_site::no_class;
    if (!means_module(q) || !wanted_class(q, wanted))
      return 0;
    for (u32 i = 0; i < size(); ++i) {
      if (!get(i, s) || !matches(q, wanted, s))
        continue;
      ++found;
      u8 now = q.apply(s.flags);
      if (now == s.flags)
        continue;
      // The last of the four bytes in either byte order. A table that lies in sealed memory stays
      // as it is: the loader's view must not write where the module may not.
      u64 const last = u64{i} * sites_.entry_size + sizeof(entry) - 1;
      std::byte* const place = owner_->writable_host(sites_.target + last, 1);
      if (place == nullptr)
        continue;
      *place = std::byte{now};
      changed(i, s.flags, now);
    }
    return found;
  }

  /// Writes message `i` as a line of /proc/dynamic_debug/control; the length of the whole line,
  /// which may exceed what fitted, or 0 for a broken entry.
  std::size_t print(u32 i, std::span<char> out) const noexcept {
    debug_site s;
    if (!get(i, s))
      return 0;
    detail::text_sink sink{out};
    sink.put(without_root(s.file));
    sink.put(':');
    sink.put_decimal(s.line);
    sink.put(" ["sv);
    sink.put(owner_->name());
    sink.put(']');
    sink.put(s.function);
    sink.put(" ="sv);
    for (debug_flag flag : debug_flags)
      if ((s.flags & flag.bit) != 0)
        sink.put(flag.letter);
    if (s.flags == 0)
      sink.put('_');
    sink.put(" \""sv);
    for (char c : s.format)
      put_escaped(sink, c);
    sink.put('"');
    if (s.class_id != debug_site::no_class) {
      std::string_view name = class_name(s.class_id);
      sink.put(name.data() != nullptr ? " class:"sv : " class unknown, _id:"sv);
      if (name.data() != nullptr)
        sink.put(name);
      else
        sink.put_decimal(s.class_id);
    }
    sink.put('\n');
    return sink.finish();
  }

private:
  bool means_module(debug_query const& q) const noexcept {
    return q.module.data() == nullptr || match_wildcard(q.module, owner_->name());
  }
  /// False if the query names a class that the module does not have.
  bool wanted_class(debug_query const& q, u8& wanted) const noexcept {
    if (q.class_name.data() == nullptr)
      return true;
    wanted = class_id(q.class_name);
    return wanted != debug_site::no_class;
  }
  bool matches(debug_query const& q, u8 wanted, debug_site const& s) const noexcept {
    return s.class_id == wanted && (q.file.data() == nullptr || matches_file(q.file, s.file)) &&
           (q.function.data() == nullptr || match_wildcard(q.function, s.function)) &&
           (q.format.data() == nullptr || match_debug_format(q.format, s.format)) &&
           q.holds_line(s.line);
  }

  static void put_escaped(detail::text_sink& sink, char c) noexcept {
    std::size_t which = index_of("\t\r\n"sv, c);
    if (which < 3) {
      sink.put('\\');
      c = "trn"[which];
    }
    sink.put(c);
  }

  std::string_view without_root(std::string_view file) const noexcept {
    return starts_with(file, source_root_) ? tail(file, source_root_.size()) : file;
  }

  bool matches_file(std::string_view pattern, std::string_view file) const noexcept {
    std::size_t base = file.size();
    while (base != 0 && file[base - 1] != '/')
      --base;
    return match_wildcard(pattern, file) || match_wildcard(pattern, tail(file, base)) ||
           match_wildcard(pattern, without_root(file));
  }

  /// What is looked at is bounded by what can be meant, not by the file: ids have six bits, so that
  /// neither more groups nor longer ones have classes of their own.
  u32 class_count() const noexcept {
    constexpr u32 most = 64;
    if (classes_.entry_size < sizeof(class_entry))
      return 0;
    return classes_.count < most ? classes_.count : most;
  }
  class_entry class_at(u32 i) const noexcept {
    class_entry e;
    __builtin_memcpy(&e, classes_.host + u64{i} * classes_.entry_size, sizeof e);
    return e;
  }
  static u32 length_of(class_entry const& e) noexcept {
    u32 const length = e.length;
    return length < debug_site::no_class ? length : debug_site::no_class;
  }
  /// Where the name of the group's class `k` is said to be. False if the group has no such word.
  bool name_of(class_entry const& e, u32 k, address& out) const noexcept {
    using word = typename Format::word;
    std::byte const* at = owner_->host(address{e.class_names} + k * sizeof(word), sizeof(word));
    if (at == nullptr)
      return false;
    out = {word::load(at)};
    return true;
  }
  /// Without looking for the string's end, which may be far.
  bool is_string(address at, std::string_view wanted) const noexcept {
    std::byte const* s = owner_->host(at, u64{wanted.size()} + 1);
    return s != nullptr && is_string_at({s, wanted.size() + 1}, 0, wanted);
  }

  module const* owner_;
  module_table sites_;
  module_table classes_;
  std::string_view source_root_;
};

/// Applies all queries of a text (dyndbg=, or a write to the control file) to one module's
/// messages; `module` as for parse_debug_query. The number of messages meant, or -EINVAL if one
/// query is malformed, which does not keep the others from being applied.
template <class Format, class Changed>
int run_debug_queries(dynamic_debug<Format>& messages, std::string_view text,
                      std::string_view module, Changed&& changed) noexcept {
  u32 found = 0;
  int status = 0;
  for_each_debug_query(text, [&](std::string_view one) {
    debug_query q;
    if (parse_debug_query(one, module, q) != 0)
      status = -e_inval;
    else
      found += messages.apply(q, changed);
  });
  return status != 0 ? status : static_cast<int>(found & 0x7fffffff);
}

} // namespace kmodld
