// SPDX-License-Identifier: MIT
// A parameters policy with Linux's standard types, strings and arrays included (param_ops_charp,
// param_ops_string, param_array_ops of kernel/params.c; param_types.hpp has the plain ones).
#pragma once

#include <kmodld/linux/param_strings.hpp>
#include <kmodld/linux/param_types.hpp>
#include <kmodld/policy/diagnostics.hpp>
#include <kmodld/policy/parameters.hpp>

#include <concepts>

namespace kmodld {

/// Which type the host's export at `ops` stands for. A type may have several.
struct param_ops {
  param_type type;
  address ops;
};

/// For hosts whose modules have only standard types: others are EOPNOTSUPP.
struct standard_parameters_only {
  int set(module&, kernel_param const&, std::string_view) noexcept { return e_opnotsupp; }
  int get(module&, kernel_param const&, std::span<char>) noexcept { return -e_opnotsupp; }
  bool no_argument(module&, kernel_param const&) noexcept { return false; }
  void free(module&, kernel_param const&) noexcept {}
};
static_assert(parameters_policy<standard_parameters_only>);

/// Sets and reads variables in the module's memory; one that does not lie there is EFAULT.
///
/// `Allocator` gives the memory of charp values, see param_strings. `Others` is a parameters policy
/// for operations that the table does not name. `Diagnostics` is told the notes of Linux's log:
/// param_string_long, param_string_fit, param_array_count. `Lock` guards the list of charp values,
/// which all modules share, for hosts that set parameters of two modules at once. Each may be a
/// reference type.
///
/// A failing set() leaves the variable alone, but for arrays: as in Linux, elements before the
/// failing one keep their new values and the count tells how many they are.
template <class Format, class Allocator, class Others = standard_parameters_only,
          class Diagnostics = no_diagnostics, class Lock = no_lock>
class linux_parameters {
public:
  /// Whether two loads may set parameters at once.
  static constexpr bool has_lock = !std::is_same_v<std::remove_cvref_t<Lock>, no_lock>;

  /// `types` must outlive this object.
  linux_parameters(std::span<param_ops const> types, Allocator allocator, Others others = {},
                   Diagnostics diagnostics = {}, Lock lock = {}) noexcept
      : types_{types}, strings_{std::forward<Allocator>(allocator), std::forward<Lock>(lock)},
        others_{std::forward<Others>(others)},
        diagnostics_{std::forward<Diagnostics>(diagnostics)} {}

  param_type type_of(address ops) const noexcept {
    for (param_ops const& row : types_)
      if (row.ops == ops)
        return row.type;
    return param_type::none;
  }

  bool no_argument(module& m, kernel_param const& p) noexcept {
    param_type type = type_of(p.ops);
    return type == param_type::none ? others_.no_argument(m, p) : allows_no_argument(type);
  }

  int set(module& m, kernel_param const& p, std::string_view value) noexcept {
    return type_of(p.ops) == param_type::array ? set_array(m, p, value) : set_one(m, p, value);
  }

  /// Like scnprintf: writes what fits with its NUL and returns the length of that. -EFAULT if the
  /// variable or what it points to cannot be read.
  int get(module& m, kernel_param const& p, std::span<char> out) noexcept {
    if (out.empty())
      return 0;
    out[0] = '\0';
    return type_of(p.ops) == param_type::array ? get_array(m, p, out) : get_one(m, p, out);
  }

  /// Gives back every copy made for the module, whatever its tables say now.
  void forget(module& m) noexcept {
    strings_.release_if([&](copy const& c) { return c.owner == &m; });
  }

  void free(module& m, kernel_param const& p) noexcept {
    param_type type = type_of(p.ops);
    if (type == param_type::none)
      others_.free(m, p);
    else if (type == param_type::charp)
      strings_.release_if([&](copy const& c) { return c.owner == &m && c.variable == p.arg; });
    else if (type == param_type::array)
      free_array(m, p);
  }

private:
  using memory = param_memory<Format>;
  using array_entry = kparam_array<Format>;
  using string_entry = kparam_string<Format>;
  using strings = param_strings<Allocator, Lock>;
  using copy = typename strings::copy;
  static constexpr std::size_t longest_charp = 1024;
  /// Of all arrays of a module: their lengths come from the file, where they cost nothing.
  static constexpr u32 max_freed_elements = 65536;

  void note(errc code, module const& m, kernel_param const& p, u32 number = 0) noexcept {
    error e;
    e.code = code;
    e.number[0] = number;
    e.set_names(m.name(), p.name);
    diagnostics_.report(e);
  }

  static constexpr address cut_to_target(u64 value) noexcept {
    return {static_cast<typename Format::word_type>(value)};
  }

  int set_one(module& m, kernel_param const& p, std::string_view value) noexcept {
    param_type type = type_of(p.ops);
    switch (type) {
    case param_type::none: return others_.set(m, p, value);
    case param_type::array: return e_inval; // an array of arrays, in which Linux would recurse
    case param_type::charp: return set_charp(m, p, value);
    case param_type::string: return set_string(m, p, value);
    case param_type::bool_:
    case param_type::invbool:
    case param_type::bint:
    case param_type::bool_enable_only: return set_truth<Format>(m, type, p.arg, value);
    default: return set_number<Format>(m, type, p.arg, value);
    }
  }

  int set_string(module& m, kernel_param const& p, std::string_view value) noexcept {
    string_entry s;
    if (value.data() == nullptr)
      return e_inval;
    if (!memory::read(m, p.arg, s))
      return e_fault;
    u32 room = s.maxlen;
    if (value.size() >= room) {
      note(errc::param_string_fit, m, p, room - 1);
      return e_nospc;
    }
    std::byte* to = m.writable_host({s.string}, value.size() + 1);
    if (to == nullptr)
      return e_fault;
    __builtin_memcpy(to, value.data(), value.size());
    to[value.size()] = std::byte{0};
    return 0;
  }

  int set_charp(module& m, kernel_param const& p, std::string_view value) noexcept {
    u64 before = 0;
    if (value.data() == nullptr)
      return e_inval;
    if (value.size() > longest_charp) {
      note(errc::param_string_long, m, p);
      return e_nospc;
    }
    if (m.writable_host(p.arg, memory::word_size) == nullptr ||
        !memory::load(m, p.arg, memory::word_size, before))
      return e_fault;
    copy const* fresh = strings_.add(m, p.arg, value);
    if (fresh == nullptr)
      return e_nomem;
    memory::store(m, p.arg, memory::word_size, fresh->target().value);
    // The module may have put another pointer there and kept ours, so that only a copy to which
    // the variable still pointed is known to be nobody's now.
    if (before == 0)
      return 0; // a long list of fresh ones must not search the copies each time
    strings_.release_if([&](copy const& c) {
      return &c != fresh && c.owner == &m && c.variable == p.arg &&
             cut_to_target(c.target().value).value == before;
    });
    return 0;
  }

  int set_array(module& m, kernel_param const& p, std::string_view value) noexcept {
    array_entry a;
    if (value.data() == nullptr)
      return e_inval;
    if (!memory::read(m, p.arg, a))
      return e_fault;
    address num{a.num};
    u32 max = a.max;
    if (num)
      if (int status = memory::store(m, num, 4, 0))
        return status;
    for (u32 count = 0;; ++count) {
      if (count == max) {
        note(errc::param_array_count, m, p, max);
        return e_inval;
      }
      std::size_t comma = index_of(value, ',');
      if (int status = set_one(m, element(a, p, count), head(value, comma)))
        return status;
      if (num)
        memory::store(m, num, 4, u64{count} + 1);
      if (comma == value.size())
        return 0;
      value = {value.data() + comma + 1, value.size() - comma - 1};
    }
  }

  static kernel_param element(array_entry const& a, kernel_param p, u32 i) noexcept {
    p.ops = {a.ops};
    p.arg = cut_to_target(u64{a.elem} + u64{a.elemsize} * i);
    return p;
  }

  /// How many elements there are now; false if the count cannot be read.
  static bool element_count(module const& m, array_entry const& a, u32& out) noexcept {
    u64 count = a.max;
    if (a.num != 0 && !memory::load(m, {a.num}, 4, count))
      return false;
    out = count < a.max ? static_cast<u32>(count) : u32{a.max};
    return true;
  }

  void free_array(module& m, kernel_param const& p) noexcept {
    array_entry a;
    if (!memory::read(m, p.arg, a))
      return;
    // All of them, also those that a later, shorter list no longer counts.
    address first{a.elem};
    u64 length = u64{a.max} * a.elemsize;
    strings_.release_if([&](copy const& c) {
      return c.owner == &m && (c.variable == first || c.variable - first < length);
    });
    if constexpr (!std::same_as<std::remove_cvref_t<Others>, standard_parameters_only>) {
      u32 count = 0;
      if (type_of({a.ops}) != param_type::none || !element_count(m, a, count))
        return;
      for (u32 i = 0; i < count && m.freed_elements < max_freed_elements; ++i) {
        kernel_param e = element(a, p, i);
        if (a.elemsize == 0 || m.host(e.arg, a.elemsize) == nullptr)
          return;
        ++m.freed_elements;
        others_.free(m, e);
      }
    }
  }

  int get_array(module& m, kernel_param const& p, std::span<char> out) noexcept {
    array_entry a;
    u32 count = 0;
    if (!memory::read(m, p.arg, a) || !element_count(m, a, count))
      return -e_fault;
    std::size_t used = 0;
    for (u32 i = 0; i < count && used + 1 < out.size(); ++i) {
      int length = get_one(m, element(a, p, i), out.subspan(used));
      if (length < 0)
        return length;
      if (length == 0)
        break;
      if (used != 0)
        out[used - 1] = ','; // where the previous element has its line feed
      used += static_cast<std::size_t>(length);
    }
    return static_cast<int>(used);
  }

  int get_one(module& m, kernel_param const& p, std::span<char> out) noexcept {
    param_type type = type_of(p.ops);
    if (type == param_type::none)
      return others_.get(m, p, out);
    if (type == param_type::array)
      return -e_inval;
    detail::text_sink sink{out};
    if (type == param_type::charp || type == param_type::string) {
      std::string_view text = text_of(m, type, p);
      if (text.data() == nullptr)
        return -e_fault;
      sink.put(text);
    } else {
      u64 raw = 0;
      if (!memory::load(m, p.arg, memory::width(type), raw))
        return -e_fault;
      put_param_value<Format>(sink, type, raw);
    }
    sink.put('\n');
    std::size_t length = sink.finish();
    return static_cast<int>(length < out.size() ? length : out.size() - 1);
  }

  /// Null data if the string cannot be read.
  std::string_view text_of(module& m, param_type type, kernel_param const& p) noexcept {
    u64 pointer = 0;
    if (type == param_type::string) {
      string_entry s;
      return memory::read(m, p.arg, s) ? m.string({s.string}) : std::string_view{};
    }
    if (!memory::load(m, p.arg, memory::word_size, pointer))
      return {};
    if (pointer == 0)
      return "(null)"sv;
    copy const* own = strings_.find_if([&](copy const& c) {
      return c.owner == &m && cut_to_target(c.target().value).value == pointer;
    });
    return own != nullptr ? own->text() : m.string({pointer});
  }

  std::span<param_ops const> types_;
  strings strings_;
  [[no_unique_address]] Others others_;
  [[no_unique_address]] Diagnostics diagnostics_;
};

} // namespace kmodld
