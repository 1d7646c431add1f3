// SPDX-License-Identifier: MIT
// A module with one region of memory that the tests of linux/ fill field by field.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/module.hpp>

#include <cstring>
#include <string_view>
#include <vector>

namespace kmodld::test {

inline byte_view bytes(std::string_view s) {
  return {reinterpret_cast<std::byte const*>(s.data()), s.size()};
}

/// Memory of `size` bytes at target address `base`, handed out from the start. The vector has
/// exactly that size, so that the address sanitiser sees reads beyond it.
template <class Format>
class fake_module {
public:
  explicit fake_module(u64 size = 4096,
                       u64 base = Format::bits == 64 ? 0xffffffffc0200000 : 0xbf000000)
      : memory(size) {
    m.memories[0].memory = {.target = {base}, .host = memory.data(), .size = size};
    m.memory_count = 1;
    copy_text(m.name_text, "fake"sv);
  }

  address reserve(u64 size, u64 align = 8) {
    used_ = round_up(used_, align);
    address at{m.memories[0].memory.target + used_};
    used_ += size;
    return at;
  }
  address put(std::string_view bytes_without_nul) {
    address at = reserve(bytes_without_nul.size() + 1, 1);
    std::memcpy(host(at), bytes_without_nul.data(), bytes_without_nul.size());
    return at;
  }
  template <class T>
  address put(T const& value, u64 align = 8) {
    address at = reserve(sizeof value, align);
    std::memcpy(host(at), &value, sizeof value);
    return at;
  }

  std::byte* host(address a) { return m.memories[0].memory.at(a); }
  address target(std::byte const* p) const {
    return m.memories[0].memory.target + static_cast<u64>(p - memory.data());
  }
  template <class T>
  T load(address a) {
    return elf::field<T, Format::order>::load(host(a));
  }
  template <class T>
  void store(address a, T value) {
    elf::field<T, Format::order>::store(host(a), value);
  }
  module_table table(address at, u32 count, std::size_t entry_size) {
    return {
        .target = at, .host = host(at), .count = count, .entry_size = static_cast<u32>(entry_size)};
  }
  address end() const { return m.memories[0].memory.target + memory.size(); }

  std::vector<std::byte> memory;
  module m;

private:
  u64 used_ = 0;
};

} // namespace kmodld::test
