// SPDX-License-Identifier: MIT
// A kernel that is not there: every name is exported, at an address that its hash decides, within
// the ranges that kernel and modules had where the ground truth was read (tests/data).
#pragma once

#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/symbol_resolver.hpp>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace kmodld::corpora {

/// Where things are. Exports lie anywhere in the two ranges.
struct places {
  u64 kernel, kernel_size;
  u64 modules, modules_size; ///< a module is placed in the middle
  u64 percpu;                ///< what symbols of the module's .data..percpu count from
};

/// Three of four names are the kernel's own, one is another module's.
class made_up_exports {
public:
  explicit made_up_exports(places const& p) : places_{p} {}

  bool find(std::string_view name, bool, exported_symbol& out) const noexcept {
    if (equal(name, "_GLOBAL_OFFSET_TABLE_"sv))
      return false; // compilers ask for it, nobody exports it
    u64 hash = 0xcbf29ce484222325;
    for (char c : name)
      hash = (hash ^ static_cast<u8>(c)) * 0x100000001b3;
    bool const of_module = hash >> 62 == 0;
    u64 const size = of_module ? places_.modules_size : places_.kernel_size;
    // Sizes are below 4 GiB: the upper half of a product instead of a remainder.
    u64 const offset = (hash & 0xffffffff) * size >> 32 & ~u64{15};
    out = {};
    out.value = {(of_module ? places_.modules : places_.kernel) + offset};
    return true;
  }
  reach_window bounds() const noexcept {
    return {{places_.kernel}, {places_.kernel + (places_.kernel_size - 1)}};
  }

private:
  places places_;
};

/// Memory of one module at a time: regions follow each other at the module's place. Where the
/// loader does not ask for zeros it gets `fill`.
class module_area {
public:
  module_area(places const& p, u8 fill)
      : start_{p.modules + p.modules_size / 2}, end_{p.modules + p.modules_size}, fill_{fill} {}

  memory_status allocate(memory_request const& q, region& out) noexcept {
    if (q.kind > memory_kind::init) {
      auto* host = static_cast<std::byte*>(std::calloc(1, static_cast<std::size_t>(q.size)));
      if (host == nullptr)
        return memory_status::no_room;
      if (!q.zeroed)
        std::memset(host, fill_, static_cast<std::size_t>(q.size));
      ++live_;
      out = {{reinterpret_cast<std::uintptr_t>(host)}, host, q.size};
      return memory_status::ok;
    }
    u64 const at = round_up(start_ + used_, q.align);
    if (at > end_ || q.size > end_ - at)
      return memory_status::no_room;
    if (!q.reach.holds({at}, q.size))
      return memory_status::out_of_reach;
    used_ = at + q.size - start_;
    ++live_;
    out = {{at}, bytes_.get() + (at - start_), q.size};
    std::memset(out.host, q.zeroed ? 0 : fill_, static_cast<std::size_t>(q.size));
    regions_.push_back(out);
    return memory_status::ok;
  }

  void release(memory_kind kind, region given) noexcept {
    --live_;
    if (kind > memory_kind::init)
      std::free(given.host);
  }

  void clear() noexcept {
    used_ = 0;
    regions_.clear();
  }
  /// Of the last module, given back or not; their bytes stay until clear().
  std::span<region const> regions() const noexcept { return regions_; }
  i64 live() const noexcept { return live_; } ///< pieces given out and not given back

private:
  u64 start_, end_;
  u8 fill_;
  std::vector<region> regions_;
  u64 used_ = 0;
  i64 live_ = 0;
  std::unique_ptr<std::byte[]> bytes_{new std::byte[static_cast<std::size_t>(end_ - start_)]};
};

struct percpu_place {
  address answer{};
  address allocate(u64, u64) noexcept { return answer; }
  void release(address, u64) noexcept {}
  void initialise(address, byte_view) noexcept {}
};

} // namespace kmodld::corpora
