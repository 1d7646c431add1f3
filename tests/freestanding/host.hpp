// SPDX-License-Identifier: MIT
// The five policies of a kernel that nobody wrote: all work is done by functions behind pointers,
// so that a compiler can neither look into them nor leave a call out, and the object needs no
// symbol of a host.
#pragma once

#include <kmodld/kmodld.hpp>
#include <kmodld/policy/notifier_chain.hpp>
#include <kmodld/policy/symbol_table.hpp>

namespace kmodld::freestanding {

struct memory {
  memory_status (*get)(memory_request const&, region&) noexcept;
  void (*give)(memory_kind, region) noexcept;

  memory_status allocate(memory_request const& request, region& out) noexcept {
    return get(request, out);
  }
  void release(memory_kind kind, region given) noexcept { give(kind, given); }
};

struct symbols {
  bool (*look)(std::string_view, bool, exported_symbol&) noexcept;

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) noexcept {
    return look(name, gpl_ok, out);
  }
};

struct pages {
  int (*change)(std::span<protection const>) noexcept;
  void (*flush)(region) noexcept;

  int protect(std::span<protection const> batch) noexcept { return change(batch); }
  void flush_icache(region code) noexcept { flush(code); }
};

struct listener {
  int (*told)(module_event, module&) noexcept;

  int notify(module_event event, module& m) noexcept { return told(event, m); }
};

/// Every optional policy is its null model.
struct plain_kernel {
  using arch = kmodld::arch::x86_64;
  using allocator = memory&;
  using symbol_resolver = symbols&;
  using protector = pages&;
  using notifier = listener&;
};

} // namespace kmodld::freestanding
