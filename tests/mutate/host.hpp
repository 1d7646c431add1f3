// SPDX-License-Identifier: MIT
// A host for damaged modules: every policy that has a model is on, code is never run, and module
// memory is separate heap blocks at made-up addresses, so that the sanitizers see each byte beyond.
#pragma once

#include <kmodld/hosted/counting_allocator.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/linux/kallsyms.hpp>
#include <kmodld/linux/parameters.hpp>
#include <kmodld/linux/proc_modules.hpp>
#include <kmodld/linux/sysfs.hpp>
#include <kmodld/policy/notifier_chain.hpp>
#include <kmodld/policy/symbol_table.hpp>

#include <cstdlib>

namespace kmodld::mutate {

/// Blocks of the heap; target addresses count up in the top 2 GiB and start again when all is free.
class heap_at_addresses {
public:
  memory_status allocate(memory_request const& r, region& out) noexcept {
    if (r.size > limit)
      return memory_status::no_room;
    auto* p = static_cast<std::byte*>(std::calloc(1, static_cast<std::size_t>(r.size)));
    if (p == nullptr)
      return memory_status::no_room;
    bool const own = r.kind == memory_kind::record || r.kind == memory_kind::scratch;
    out = {own ? address{reinterpret_cast<std::uintptr_t>(p)} : address{next_}, p, r.size};
    if (!own)
      next_ += round_up(r.size, u64{4096}) + 4096;
    ++live_;
    return memory_status::ok;
  }
  void release(memory_kind, region r) noexcept {
    std::free(r.host);
    if (--live_ == 0)
      next_ = first;
  }

private:
  static constexpr u64 first = 0xffffffffa0000000;
  static constexpr u64 limit = u64{1} << 26; ///< damaged sizes must not fill the machine
  u64 next_ = first;
  u64 live_ = 0;
};

using memory = hosted::counting_allocator<heap_at_addresses>;

struct areas {
  address allocate(u64 size, u64 align) noexcept {
    if (size > 32768)
      return {};
    ++live;
    return {round_up(u64{4096}, align)};
  }
  void release(address, u64) noexcept { --live; }
  void initialise(address, byte_view bytes) noexcept {
    for (std::byte b : bytes)
      sum += static_cast<u8>(b);
  }
  int live = 0;
  u64 sum = 0;
};

using elf_format = arch::x86_64::format;
using parameters_model = linux_parameters<elf_format, memory&>;
using tree_model = sysfs_tree<elf_format, parameters_model, sysfs_host>;

template <class Abi>
struct config {
  using abi = Abi;
  using arch = kmodld::arch::x86_64;
  using allocator = memory&;
  using symbol_resolver = symbol_table<memory>&;
  using protector = no_protection;
  using notifier = notifier_chain&;
  using percpu = areas&;
  using invoker = no_invoker;
  using parameters = parameters_model&;
  using introspection = tree_model&;
};

struct linux_6_1 : abi::linux_6_1 {
  static constexpr bool constructors = true;
  static constexpr bool livepatch = true;
};
struct linux_6_12_far : abi::linux_6_12 {
  static constexpr bool constructors = true;
  static constexpr bool far_calls = true;
};

/// Where the host's param_ops_* are said to lie; the order of param_type.
inline constexpr char const* ops_names[] = {"param_ops_byte",
                                            "param_ops_short",
                                            "param_ops_ushort",
                                            "param_ops_int",
                                            "param_ops_uint",
                                            "param_ops_long",
                                            "param_ops_ulong",
                                            "param_ops_ullong",
                                            "param_ops_hexint",
                                            "param_ops_bool",
                                            "param_ops_invbool",
                                            "param_ops_bint",
                                            "param_ops_bool_enable_only",
                                            "param_ops_charp",
                                            "param_ops_string",
                                            "param_array_ops"};

struct ops_table {
  param_ops rows[std::size(ops_names)];
  constexpr ops_table() {
    for (std::size_t i = 0; i < std::size(ops_names); ++i)
      rows[i] = {static_cast<param_type>(i), {0xffffffff81800000 + i * 64}};
  }
};
inline constexpr ops_table ops{};

/// One host with its loader.
template <class Abi>
struct host {
  heap_at_addresses heap;
  memory allocator{heap};
  symbol_table<memory> symbols{allocator};
  notifier_chain notifier;
  areas percpu;
  parameters_model parameters{ops.rows, allocator};
  sysfs_host sysfs_answers;
  loader<config<Abi>> loads{{.allocator = allocator,
                             .symbol_resolver = symbols,
                             .protector = {},
                             .notifier = notifier,
                             .percpu = percpu,
                             .parameters = parameters,
                             .introspection = tree}};
  tree_model tree{loads.modules(), parameters, sysfs_answers};
};

} // namespace kmodld::mutate
