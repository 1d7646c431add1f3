// SPDX-License-Identifier: MIT
// Ways to damage a module: blind bytes, and fields of the structures that a loader believes.
#pragma once

#include <kmodld/elf/image.hpp>

#include <random>
#include <vector>

namespace kmodld::mutate {

using elf_format = elf::elf64_le;
using bytes = std::vector<std::byte>;

/// Damages `image`; the same `seed` does the same.
class damage {
  std::mt19937_64 random_;
  bytes& image_;

  u64 below(u64 n) { return n == 0 ? 0 : random_() % n; }

  u64 interesting() {
    u64 const size = image_.size();
    u64 const values[] = {0,
                          1,
                          2,
                          3,
                          4,
                          7,
                          8,
                          15,
                          24,
                          0x3f,
                          0x40,
                          0x7f,
                          0xff,
                          0x100,
                          0xfff1,
                          0xfff2,
                          0xffff,
                          0x10000,
                          0x7fffffff,
                          0x80000000,
                          0xffffffff,
                          size,
                          size - 1,
                          size + 1,
                          ~u64{0},
                          ~u64{0} - 15,
                          u64{1} << 63,
                          u64{1} << 32,
                          4096,
                          0x00100000,
                          0x00200000};
    u64 v = values[below(std::size(values))];
    return below(4) == 0 ? v + below(17) - 8 : v;
  }

  void put(u64 at, unsigned width, u64 v) {
    for (unsigned i = 0; i < width; ++i)
      if (at + i < image_.size())
        image_[at + i] = static_cast<std::byte>(v >> (8 * i));
  }

  struct header_range {
    u64 at = 0;
    u32 count = 0;
  };
  header_range headers() const {
    if (image_.size() < sizeof(elf_format::ehdr))
      return {};
    auto const& h = *reinterpret_cast<elf_format::ehdr const*>(image_.data());
    u64 const at = h.e_shoff;
    u32 const count = h.e_shnum;
    if (at >= image_.size() || count * sizeof(elf_format::shdr) > image_.size() - at)
      return {};
    return {at, count};
  }
  /// A section of the wanted type (0: any) that lies in the image.
  bool section(u32 type, u64& offset, u64& size) {
    auto const all = headers();
    for (int tries = 0; tries < 30 && all.count != 0; ++tries) {
      auto const& s = *reinterpret_cast<elf_format::shdr const*>(
          image_.data() + all.at + below(all.count) * sizeof(elf_format::shdr));
      if ((type == 0 || s.sh_type == type) && s.sh_type != elf::sht_nobits &&
          s.sh_offset < image_.size() && s.sh_size <= image_.size() - s.sh_offset &&
          s.sh_size != 0) {
        offset = s.sh_offset;
        size = s.sh_size;
        return true;
      }
    }
    return false;
  }

  void entry(u32 type, u64 entry_size, std::initializer_list<std::pair<u8, u8>> fields) {
    u64 offset = 0, size = 0;
    if (!section(type, offset, size) || size < entry_size)
      return;
    auto const field = fields.begin()[below(fields.size())];
    u64 const at = offset + below(size / entry_size) * entry_size + field.first;
    put(at, field.second, below(3) == 0 ? random_() : interesting());
  }

  void one() {
    switch (below(12)) {
    case 0: put(below(image_.size()), 1, random_()); break;
    case 1:
      if (u64 at = below(image_.size()); at < image_.size())
        image_[at] ^= static_cast<std::byte>(1u << below(8));
      break;
    case 2: put(below(64), static_cast<unsigned>(1u << below(4)), interesting()); break;
    case 3:
    case 4: // a field of a section header
      if (auto const all = headers(); all.count != 0) {
        static constexpr std::pair<u8, u8> fields[] = {{0, 4},  {4, 4},  {8, 8},  {16, 8}, {24, 8},
                                                       {32, 8}, {40, 4}, {44, 4}, {48, 8}, {56, 8}};
        auto const f = fields[below(std::size(fields))];
        put(all.at + below(all.count) * sizeof(elf_format::shdr) + f.first, f.second,
            interesting());
      }
      break;
    case 5: // two section headers change places
      if (auto const all = headers(); all.count > 1) {
        auto* h = reinterpret_cast<elf_format::shdr*>(image_.data() + all.at);
        std::swap(h[below(all.count)], h[below(all.count)]);
      }
      break;
    case 6: entry(elf::sht_symtab, 24, {{0, 4}, {4, 1}, {5, 1}, {6, 2}, {8, 8}, {16, 8}}); break;
    case 7: entry(elf::sht_rela, 24, {{0, 8}, {8, 4}, {12, 4}, {16, 8}}); break;
    case 8: // a string loses its end
      if (u64 offset = 0, size = 0; section(elf::sht_strtab, offset, size))
        put(offset + below(size), 1, 'x');
      break;
    case 9:
    case 10: // inside a section: parameters, exports, versions, modinfo, notes ...
      if (u64 offset = 0, size = 0; section(0, offset, size))
        put(offset + below(size), static_cast<unsigned>(1u << below(4)), interesting());
      break;
    default:
      if (below(4) == 0)
        image_.resize(below(image_.size()));
    }
  }

public:
  damage(bytes& image, u64 seed) : random_{seed}, image_{image} {}
  void operator()() {
    for (u64 n = 1 + below(below(2) == 0 ? 1 : 6); n != 0; --n)
      one();
  }
};

} // namespace kmodld::mutate
