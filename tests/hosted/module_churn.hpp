// SPDX-License-Identifier: MIT
// Modules that come and go at random, as far as their memory is concerned: regions of real sizes,
// protected by kind, init memory released soon. A map of all pages, kept apart, says what the
// allocator and the protector should have done.
#pragma once

#include "hosted/module_sizes.hpp"

#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/protector.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <vector>

namespace kmodld::test {

/// `Memory` is an allocator, `Protector` a protector of its memory; `range` is all of it.
template <class Memory, class Protector>
class module_churn {
public:
  module_churn(Memory& memory, Protector& protector, region range, u64 page_size)
      : memory_{memory}, protector_{protector}, range_{range}, page_{page_size},
        pages_(static_cast<std::size_t>(range.size / page_size)) {}

  enum class page : u8 { free, read_write, read, read_execute };

  /// Loads or unloads one module. The number of those loaded rises and falls between 100 and
  /// `most`.
  void step() {
    constexpr u64 period = 20000;
    u64 const phase = steps_++ % period;
    u64 const swing = phase < period / 2 ? phase : period - phase;
    u64 const wanted = 100 + swing * (most - 100) / (period / 2);
    bool const grow = live_.size() < wanted;
    if (live_.empty() || grow == (random_() % 4 != 0))
      load();
    else
      unload(random_() % live_.size());
  }
  void unload_all() {
    while (!live_.empty())
      unload(live_.size() - 1);
  }

  static constexpr u64 most = 1000;
  std::span<page const> pages() const { return pages_; }
  std::size_t loaded() const { return live_.size(); }
  u64 used_pages() const { return used_; }
  u64 most_used_pages() const { return most_used_; }
  u64 highest_page() const { return highest_; } ///< ever used, one past it
  u64 loads() const { return loads_; }
  u64 refused() const { return refused_; }
  u64 mistakes() const { return mistakes_; } ///< memory given twice, misplaced, changed
  /// Runs of free pages below the highest page.
  u64 holes() const {
    u64 n = 0;
    for (u64 p = 0; p < highest_; ++p)
      n += pages_[p] == page::free && (p == 0 || pages_[p - 1] != page::free);
    return n;
  }

private:
  struct part {
    memory_kind kind{};
    region memory{};
    std::byte mark{};
  };
  struct module {
    std::array<part, 7> parts;
    unsigned count = 0;
  };

  static permission allowed(memory_kind kind) {
    switch (kind) {
    case memory_kind::text:
    case memory_kind::init_text: return permission::read_execute;
    case memory_kind::rodata:
    case memory_kind::ro_after_init:
    case memory_kind::init_rodata: return permission::read;
    default: return permission::read_write;
    }
  }
  static page page_of(memory_kind kind) {
    switch (allowed(kind)) {
    case permission::read_execute: return page::read_execute;
    case permission::read: return page::read;
    default: return page::read_write;
    }
  }

  void load() {
    // One of 64 modules is a large one.
    u16 const(&sizes)[7] = random_() % 64 != 0 ? module_pages[random_() % std::size(module_pages)]
                                               : large_module_pages[random_() % 8];
    module m;
    for (std::size_t i = 0; i < 7; ++i) {
      if (sizes[i] == 0)
        continue;
      part& p = m.parts[m.count];
      p.kind = static_cast<memory_kind>(i);
      if (memory_.allocate({p.kind, sizes[i] * u64{4096}, 1, {}, false}, p.memory) !=
          memory_status::ok) {
        ++refused_;
        continue;
      }
      ++m.count;
      take(p);
    }
    std::array<protection, 7> batch;
    for (unsigned i = 0; i < m.count; ++i)
      batch[i] = {m.parts[i].memory, allowed(m.parts[i].kind)};
    mistakes_ += protector_.protect(std::span{batch}.first(m.count)) != 0;
    // What init needs goes when it has run; one of eight is caught before that.
    if (random_() % 8 != 0)
      while (m.count != 0 && m.parts[m.count - 1].kind >= memory_kind::init_text)
        give(m.parts[--m.count]);
    live_.push_back(m);
    ++loads_;
  }
  void unload(std::size_t i) {
    std::swap(live_[i], live_.back());
    for (module& m = live_.back(); m.count != 0;)
      give(m.parts[--m.count]);
    live_.pop_back();
  }

  /// Writes into the memory, so that it must be writable; `mark` must be there when it goes.
  void take(part& p) {
    region const& r = p.memory;
    u64 const offset = r.target - range_.target;
    u64 const first = offset / page_, count = r.size / page_;
    mistakes_ += offset % page_ != 0 || r.size % page_ != 0 || first + count > pages_.size() ||
                 r.host != range_.host + offset;
    if (first + count > pages_.size())
      return;
    for (u64 i = first; i < first + count; ++i) {
      mistakes_ += pages_[i] != page::free;
      pages_[i] = page_of(p.kind);
    }
    p.mark = static_cast<std::byte>(random_());
    r.host[0] = r.host[r.size - 1] = p.mark;
    used_ += count;
    most_used_ = std::max(most_used_, used_);
    highest_ = std::max(highest_, first + count);
  }
  void give(part const& p) {
    region const& r = p.memory;
    mistakes_ += r.host[0] != p.mark || r.host[r.size - 1] != p.mark;
    u64 const first = (r.target - range_.target) / page_, count = r.size / page_;
    for (u64 i = first; i < first + count; ++i) {
      mistakes_ += pages_[i] != page_of(p.kind);
      pages_[i] = page::free;
    }
    used_ -= count;
    memory_.release(p.kind, r);
  }

  Memory& memory_;
  Protector& protector_;
  region range_;
  u64 page_;
  std::vector<page> pages_;
  std::vector<module> live_;
  std::mt19937 random_{20};
  u64 steps_ = 0, used_ = 0, most_used_ = 0, highest_ = 0, loads_ = 0, refused_ = 0, mistakes_ = 0;
};

} // namespace kmodld::test
