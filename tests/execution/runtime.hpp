// SPDX-License-Identifier: MIT
// The little that a program without libc needs: memory functions, text output, files, an end.
#pragma once

#include "machine.hpp"

#include <kmodld/error_text.hpp>

extern "C" {
using size_type = decltype(sizeof 0);
void* memcpy(void* to, void const* from, size_type n);
void* memmove(void* to, void const* from, size_type n);
void* memset(void* to, int value, size_type n);
int memcmp(void const* a, void const* b, size_type n);
}

namespace kmodld::execution {

[[noreturn]] inline void finish(int status) noexcept {
  for (;;)
    system_call(sys_exit, status, 0, 0, 0, 0, 0);
}

inline void print(std::string_view text) noexcept {
  system_call(sys_write, 1, reinterpret_cast<long>(text.data()), static_cast<long>(text.size()), 0,
              0, 0);
}
inline void print_hex(u64 n) noexcept {
  char text[20];
  detail::text_sink sink{text};
  sink.put("0x"sv);
  sink.put_hex(n);
  print({text, sink.finish()});
}
inline void print_number(u64 n) noexcept {
  char text[24];
  detail::text_sink sink{text};
  sink.put_decimal(n);
  print({text, sink.finish()});
}
template <class... T>
void say(T const&... parts) noexcept {
  auto const one = [](auto const& part) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(part)>>)
      print_number(part);
    else
      print(part);
  };
  (one(parts), ...);
  print("\n"sv);
}

/// A whole file in memory that stays; empty if it cannot be read or is larger than 16 MiB.
inline byte_view read_file(char const* path) noexcept {
  constexpr u64 limit = u64{16} << 20;
  long const file = system_call(sys_openat, -100, reinterpret_cast<long>(path), 0, 0, 0, 0);
  std::byte* const data = file < 0 ? nullptr : map_at(0, limit);
  if (data == nullptr)
    return {};
  u64 size = 0;
  for (long n = 1; n > 0 && size < limit; size += static_cast<u64>(n > 0 ? n : 0))
    n = system_call(sys_read, file, reinterpret_cast<long>(data + size),
                    static_cast<long>(limit - size), 0, 0, 0);
  return {data, static_cast<std::size_t>(size)};
}

} // namespace kmodld::execution
