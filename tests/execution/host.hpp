// SPDX-License-Identifier: MIT
// A host that loads modules for the machine it runs on: memory at addresses that are asked for,
// symbols, permissions.
#pragma once

#include "runtime.hpp"

#include <kmodld/arch/all.hpp>
#include <kmodld/error_text.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/linux/kallsyms.hpp>

namespace kmodld::execution {

using machine = kmodld::arch::KMODLD_ARCH;

/// Module memory is mapped at `place` and behind it; records and scratch come from a pool that
/// begins anew when nothing of it is in use.
class memory {
public:
  u64 place = 0;
  u64 in_use = 0; ///< blocks of both kinds

  memory_status allocate(memory_request const& request, region& out) noexcept {
    constexpr u64 grain = 0x10000;
    if (request.kind > memory_kind::init)
      return small(request, out);
    u64 const size = round_up(request.size, grain);
    u64 const at = round_up(place, request.align > grain ? request.align : grain);
    if (!request.reach.holds({at}, size))
      return memory_status::out_of_reach;
    std::byte* const p = map_at(at, size);
    if (p == nullptr)
      return memory_status::no_room;
    place = at + size;
    ++in_use;
    out = {{at}, p, size};
    return memory_status::ok;
  }
  void release(memory_kind kind, region given) noexcept {
    --in_use;
    if (kind <= memory_kind::init)
      system_call(sys_munmap, reinterpret_cast<long>(given.host), static_cast<long>(given.size), 0,
                  0, 0, 0);
    else if (--small_in_use_ == 0)
      used_ = 0;
  }

private:
  static constexpr u64 pool_size = u64{32} << 20;

  memory_status small(memory_request const& request, region& out) noexcept {
    if (pool_ == nullptr)
      pool_ = map_at(0, pool_size);
    u64 const from = round_up(used_, request.align < 16 ? 16 : request.align);
    if (pool_ == nullptr || from > pool_size || request.size > pool_size - from)
      return memory_status::no_room;
    used_ = from + request.size;
    ++in_use;
    ++small_in_use_;
    std::byte* const p = pool_ + from;
    memset(p, 0, static_cast<size_type>(request.size));
    out = {{reinterpret_cast<std::uintptr_t>(p)}, p, request.size};
    return memory_status::ok;
  }

  std::byte* pool_ = nullptr;
  u64 used_ = 0, small_in_use_ = 0;
};

/// The program's own functions, what modules export, and all that objects without export tables
/// define.
class symbols {
public:
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    for (u32 i = 0; i < count_; ++i)
      if (equal(all_[i].name, name)) {
        out = all_[i].symbol;
        return true;
      }
    for (u32 i = 0; i < object_count_; ++i)
      if (address const a = lookup_name<machine::format>(*objects_[i], name)) {
        out = {.value = a};
        return true;
      }
    return false;
  }
  bool add(std::string_view name, exported_symbol const& symbol) noexcept {
    if (count_ == capacity)
      return false;
    all_[count_++] = {name, symbol};
    return true;
  }
  void remove(std::string_view name, module const& owner) noexcept {
    for (u32 i = 0; i < count_; ++i)
      if (all_[i].symbol.owner == &owner && equal(all_[i].name, name)) {
        all_[i] = all_[--count_];
        return;
      }
  }

  void add_object(module const& m) noexcept { objects_[object_count_++] = &m; }
  void forget_objects() noexcept { object_count_ = 0; }

private:
  static constexpr u32 capacity = 256;
  struct entry {
    std::string_view name;
    exported_symbol symbol;
  };
  entry all_[capacity] = {};
  u32 count_ = 0;
  module const* objects_[4] = {};
  u32 object_count_ = 0;
};

struct pages {
  int protect(std::span<protection const> batch) noexcept {
    for (protection const& p : batch) {
      long const bits = p.allowed == permission::read         ? 1
                        : p.allowed == permission::read_write ? 3
                                                              : 5;
      if (p.memory.size != 0 && system_call(sys_mprotect, reinterpret_cast<long>(p.memory.host),
                                            static_cast<long>(p.memory.size), bits, 0, 0, 0) != 0)
        return e_inval;
    }
    return 0;
  }
  void flush_icache(region code) noexcept { flush_instructions(code.host, code.size); }
};

/// Says everything but that a module is not signed by a key the host has: it has none.
struct log {
  void report(error const& e) noexcept {
    if (e.code == errc::taint_unsigned)
      return;
    char text[256];
    std::size_t const size = format(e, text);
    say("  "sv, std::string_view{text, size < sizeof text ? size : sizeof text - 1});
  }
};

/// ftrace_module_init: functions begin with a call that Linux replaces by a nop before the module
/// runs. Where the call can be made in a process, it is (see kernel.hpp).
struct tracing {
  int ftrace_init(module& m) noexcept {
#if defined(__powerpc64__)
    auto const& sites = m.sections.ftrace_callsites;
    for (u32 i = 0; i < sites.count; ++i) {
      address const at{machine::format::word::load(sites.host + u64{i} * sites.entry_size)};
      if (std::byte* const p = m.host(at, 4))
        machine::format::word32::store(p, 0x60000000);
    }
#else
    static_cast<void>(m);
#endif
    return 0;
  }
  void ftrace_enable(module&) noexcept {}
  void ftrace_release(module&) noexcept {}
};

/// Objects that are no Linux modules; calls go any distance.
struct object_abi : abi::plain {
  static constexpr bool far_calls = true;
};

struct object_host {
  using arch = machine;
  using abi = kmodld::abi::linux_of<machine, object_abi>;
  using allocator = memory&;
  using symbol_resolver = symbols&;
  using protector = pages;
  using notifier = no_notifier;
  using diagnostics = log&;
};

/// Debian's kernels.
#ifndef KMODLD_KERNEL
#define KMODLD_KERNEL linux_6_1
#endif
struct kernel_host : object_host {
  using abi = kmodld::abi::linux_of<machine, kmodld::abi::KMODLD_KERNEL>;
  using hooks = tracing;
};

} // namespace kmodld::execution
