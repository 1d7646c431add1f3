// SPDX-License-Identifier: MIT
// The standard types of module parameters that fit into one variable: reading them from text into
// the module's memory and printing them (param_ops_int, param_ops_bool ... of kernel/params.c).
#pragma once

#include <kmodld/error_text.hpp>
#include <kmodld/linux/kernel_param.hpp>
#include <kmodld/linux/param_text.hpp>

namespace kmodld {

/// Linux's names: param_ops_byte and so on; `array` is param_array_ops, `string` param_ops_string.
enum class param_type : u8 {
  byte,
  short_,
  ushort,
  int_,
  uint,
  long_,
  ulong,
  ullong,
  hexint,
  bool_,
  invbool,
  bint,
  bool_enable_only,
  charp,
  string,
  array,
  none, ///< not a standard type
};

/// The names under which a host exports the operations of the standard types, in the order of
/// param_type.
inline constexpr std::string_view param_ops_names[] = {"param_ops_byte"sv,
                                                       "param_ops_short"sv,
                                                       "param_ops_ushort"sv,
                                                       "param_ops_int"sv,
                                                       "param_ops_uint"sv,
                                                       "param_ops_long"sv,
                                                       "param_ops_ulong"sv,
                                                       "param_ops_ullong"sv,
                                                       "param_ops_hexint"sv,
                                                       "param_ops_bool"sv,
                                                       "param_ops_invbool"sv,
                                                       "param_ops_bint"sv,
                                                       "param_ops_bool_enable_only"sv,
                                                       "param_ops_charp"sv,
                                                       "param_ops_string"sv,
                                                       "param_array_ops"sv};
static_assert(sizeof param_ops_names / sizeof param_ops_names[0] ==
              static_cast<std::size_t>(param_type::none));

/// Whether a name without `=` means true (KERNEL_PARAM_OPS_FL_NOARG).
constexpr bool allows_no_argument(param_type t) noexcept {
  return t == param_type::bool_ || t == param_type::bint || t == param_type::bool_enable_only;
}

constexpr bool is_signed(param_type t) noexcept {
  return t == param_type::short_ || t == param_type::int_ || t == param_type::long_;
}

/// Variables of a module in its target's byte order and sizes; each access is checked against the
/// module's memory, writes against what the module itself may write.
template <class Format>
struct param_memory {
  static constexpr u32 word_size = sizeof(typename Format::word);

  /// Bytes of a variable of type `t`, which is neither string nor array.
  static constexpr u32 width(param_type t) noexcept {
    switch (t) {
    case param_type::byte:
    case param_type::bool_:
    case param_type::invbool:
    case param_type::bool_enable_only: return 1;
    case param_type::short_:
    case param_type::ushort: return 2;
    case param_type::ullong: return 8;
    case param_type::long_:
    case param_type::ulong:
    case param_type::charp: return word_size;
    default: return 4;
    }
  }

  /// A structure of the module; false if it does not lie in its memory.
  template <class Entry>
  static bool read(module const& m, address at, Entry& out) noexcept {
    std::byte const* p = m.host(at, sizeof out);
    if (p != nullptr)
      __builtin_memcpy(&out, p, sizeof out);
    return p != nullptr;
  }

  /// An unsigned number of `bytes` 1, 2, 4 or 8.
  static bool load(module const& m, address at, u32 bytes, u64& out) noexcept {
    std::byte const* p = m.host(at, bytes);
    if (p == nullptr)
      return false;
    switch (bytes) {
    case 1: out = static_cast<u8>(*p); break;
    case 2: out = stored<u16>::load(p); break;
    case 4: out = stored<u32>::load(p); break;
    default: out = stored<u64>::load(p); break;
    }
    return true;
  }

  /// 0 or EFAULT.
  static int store(module const& m, address at, u32 bytes, u64 value) noexcept {
    std::byte* p = m.writable_host(at, bytes);
    if (p == nullptr)
      return e_fault;
    switch (bytes) {
    case 1: *p = static_cast<std::byte>(value); break;
    case 2: stored<u16>::store(p, static_cast<u16>(value)); break;
    case 4: stored<u32>::store(p, static_cast<u32>(value)); break;
    default: stored<u64>::store(p, value); break;
    }
    return 0;
  }

private:
  template <class T>
  using stored = elf::field<T, Format::order>;
};

/// Sets a number from text; `t` is one of byte ... hexint. 0, EINVAL, ERANGE or EFAULT.
template <class Format>
int set_number(module const& m, param_type t, address at, std::string_view value) noexcept {
  u32 const width = param_memory<Format>::width(t);
  u64 raw = 0;
  bool fits = true;
  if (is_signed(t)) {
    i64 n = 0;
    if (int status = parse_signed(value, n))
      return status;
    raw = static_cast<u64>(n);
    u64 const half = u64{1} << (8 * width - 1);
    fits = width == 8 || raw + half < 2 * half;
  } else {
    if (int status = parse_unsigned(value, raw))
      return status;
    fits = width == 8 || raw >> (8 * width) == 0;
  }
  return fits ? param_memory<Format>::store(m, at, width, raw) : e_range;
}

/// Sets one of bool_, invbool, bint and bool_enable_only; the last goes from false to true only,
/// else EROFS. Null data means true where that is allowed. 0, EINVAL, EROFS or EFAULT.
template <class Format>
int set_truth(module const& m, param_type t, address at, std::string_view value) noexcept {
  bool on = true;
  if (value.data() != nullptr || !allows_no_argument(t))
    if (int status = parse_bool(value, on))
      return status;
  if (t == param_type::bool_enable_only && !on) {
    u64 before = 0;
    if (!param_memory<Format>::load(m, at, 1, before))
      return e_fault;
    return before != 0 ? e_rofs : 0;
  }
  if (t == param_type::invbool)
    on = !on;
  return param_memory<Format>::store(m, at, param_memory<Format>::width(t), on ? 1 : 0);
}

/// Prints a variable of one of the types byte ... bool_enable_only, given its bytes as a number.
template <class Format>
constexpr void put_param_value(detail::text_sink& sink, param_type t, u64 raw) noexcept {
  switch (t) {
  case param_type::bool_:
  case param_type::bool_enable_only: sink.put(raw != 0 ? 'Y' : 'N'); return;
  case param_type::invbool: sink.put(raw != 0 ? 'N' : 'Y'); return;
  case param_type::hexint:
    // At least eight columns with the prefix, which the kernel's printf writes for 0 too.
    sink.put("0x"sv);
    for (u32 shift = 20; shift != 0 && raw >> shift == 0; shift -= 4)
      sink.put('0');
    sink.put_hex(raw);
    return;
  default: break;
  }
  u64 const sign = u64{1} << (8 * param_memory<Format>::width(t) - 1);
  if ((is_signed(t) || t == param_type::bint) && (raw & sign) != 0) {
    sink.put('-');
    raw = 0 - ((raw ^ sign) - sign);
  }
  sink.put_decimal(raw);
}

} // namespace kmodld
