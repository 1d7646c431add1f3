// SPDX-License-Identifier: MIT
// An object whose sections are placed and whose symbols have values, so that nothing is left but to
// relocate it: what the loops are compared on.
#pragma once

#include "../support/corpus.hpp"
#include "../support/ticks.hpp"

#include <kmodld/reloc.hpp>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <sys/mman.h>

namespace kmodld::bench {

/// Memory on huge pages, touched once, given out from its start.
class pages {
public:
  explicit pages(std::size_t size) : size_{(size + huge - 1) & ~(huge - 1)} {
    void* const p = ::mmap(nullptr, size_ + huge, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
      throw std::runtime_error("no memory");
    all_ = static_cast<std::byte*>(p);
    auto const start = (reinterpret_cast<std::uintptr_t>(p) + huge - 1) & ~(huge - 1);
    at_ = first_ = reinterpret_cast<std::byte*>(start);
    ::madvise(first_, size_, MADV_HUGEPAGE);
    std::memset(first_, 0, size_);
  }
  pages(pages const&) = delete;
  pages& operator=(pages const&) = delete;
  ~pages() { ::munmap(all_, size_ + huge); }

  std::byte* take(std::size_t size, std::size_t align) {
    auto at = reinterpret_cast<std::uintptr_t>(at_);
    at = (at + align - 1) & ~(align - 1);
    std::byte* const p = reinterpret_cast<std::byte*>(at);
    if (p + size > first_ + size_)
      throw std::runtime_error("the modules do not fit their memory");
    at_ = p + size;
    return p;
  }

private:
  static constexpr std::size_t huge = std::size_t{2} << 20;
  std::size_t size_;
  std::byte* all_;
  std::byte* first_;
  std::byte* at_;
};

template <class Arch>
struct prepared {
  using format = typename Arch::format;
  using relocation = typename Arch::relocation;
  using sym = typename format::sym;

  struct section {
    section_relocations<relocation> in;
  };
  struct copy {
    std::byte* to;
    byte_view from;
  };

  std::vector<u64> values; ///< dense, as simplify_symbols leaves them
  std::vector<sym> symtab; ///< with st_value, as Linux leaves them
  std::vector<section> sections;
  std::vector<copy> copies;
  u64 count = 0; ///< relocations

  /// `base`: where the module is to run. What it imports lies 16 MiB below.
  prepared(module_file const& file, u64 base, pages& memory) {
    elf::image<format> image;
    error e;
    if (elf::image<format>::check(
            file.view(), [](auto const& h) { return Arch::accepts(h); }, image, e) != errc::ok)
      throw std::runtime_error(file.path.string() + ": of another architecture");
    u32 const n = image.section_count();
    std::vector<std::byte*> host(n);
    std::vector<u64> target(n);
    u64 at = base;
    u32 symtab_section = 0;
    for (u32 i = 1; i < n; ++i) {
      auto const& s = image.section(i);
      if (s.sh_type == elf::sht_symtab)
        symtab_section = i;
      if ((s.sh_flags & elf::shf_alloc) == 0)
        continue;
      u64 const align = s.sh_addralign == 0 ? 1 : u64{s.sh_addralign};
      at = round_up(at, align);
      target[i] = at;
      host[i] = memory.take(static_cast<std::size_t>(s.sh_size), static_cast<std::size_t>(align));
      at += s.sh_size;
      copies.push_back({host[i], image.data(i)});
    }
    u64 imported = base - (u64{16} << 20);
    for (sym const& s : image.template entries<sym>(symtab_section)) {
      u32 const section = s.st_shndx;
      u64 value = s.st_value;
      if (section == elf::shn_undef)
        value = imported += 16;
      else if (section < n)
        value += target[section];
      values.push_back(value);
      symtab.push_back(s);
      symtab.back().st_value = static_cast<typename format::word_type>(value);
    }
    if (!values.empty()) {
      values[0] = 0;
      symtab[0].st_value = 0;
    }
    constexpr u32 kind = reloc::addend_in_place<relocation> ? elf::sht_rel : elf::sht_rela;
    for (u32 i = 1; i < n; ++i) {
      auto const& s = image.section(i);
      u32 const t = s.sh_info;
      if (s.sh_type != kind || host[t] == nullptr)
        continue;
      auto const entries = image.template entries<relocation>(i);
      sections.push_back({{{host[t], static_cast<std::size_t>(image.section(t).sh_size)},
                           {target[t]},
                           image.data(t),
                           entries}});
      count += entries.size();
    }
  }

  /// As the loader has just copied it.
  void restore() {
    for (copy const& c : copies)
      if (!c.from.empty())
        std::memcpy(c.to, c.from.data(), c.from.size());
  }
  void warm() const {
    for (section const& s : sections)
      touch(s.in.relocations.data(), s.in.relocations.size_bytes());
    touch(values.data(), values.size() * sizeof values[0]);
    touch(symtab.data(), symtab.size() * sizeof symtab[0]);
    for (copy const& c : copies)
      touch(c.to, c.from.size());
  }
  void cool() const {
    for (section const& s : sections) {
      flush(s.in.relocations.data(), s.in.relocations.size_bytes());
      flush(s.in.bytes.data(), s.in.bytes.size());
    }
    flush(values.data(), values.size() * sizeof values[0]);
    flush(symtab.data(), symtab.size() * sizeof symtab[0]);
  }
  u64 checksum() const {
    u64 sum = 1469598103934665603u;
    for (copy const& c : copies)
      for (std::size_t i = 0; i < c.from.size(); ++i)
        sum = (sum ^ std::to_integer<u64>(c.to[i])) * 1099511628211u;
    return sum;
  }
};

} // namespace kmodld::bench
