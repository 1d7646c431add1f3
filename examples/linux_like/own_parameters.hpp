// SPDX-License-Identifier: MIT
// Parameters whose type is a module's own: its operations (struct kernel_param_ops) are called with
// the module's own entry of __param (struct kernel_param), as param_attr_store does.
#pragma once

#include "policies.hpp"

#include <kmodld/linux/kernel_param.hpp>
#include <kmodld/policy/parameters.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

namespace linux_like {

class own_parameters {
public:
  explicit own_parameters(guarded_invoker& invoker) : invoker_(invoker) {}

  int set(kmodld::module& m, const kmodld::kernel_param& p, std::string_view value) noexcept {
    const auto ops = operations_of(m, p);
    if (!ops || ops->set == nullptr || invoker_.link_only)
      return kmodld::e_opnotsupp;
    const std::string text(value); // with its NUL
    int status = 0;
    if (!invoker_.guard([&] {
          status = ops->set(value.data() == nullptr ? nullptr : text.c_str(), entry_of(m, p));
        }))
      return kmodld::e_fault;
    return status < 0 ? -status : 0;
  }

  int get(kmodld::module& m, const kmodld::kernel_param& p, std::span<char> out) noexcept {
    const auto ops = operations_of(m, p);
    if (!ops || ops->get == nullptr || invoker_.link_only)
      return -kmodld::e_perm;
    char page[4096] = {}; // what the kernel gives such functions
    int length = 0;
    if (!invoker_.guard([&] { length = ops->get(page, entry_of(m, p)); }))
      return -kmodld::e_fault;
    if (length <= 0)
      return length;
    const std::size_t size = std::min({static_cast<std::size_t>(length), sizeof page, out.size()});
    std::memcpy(out.data(), page, size);
    return static_cast<int>(size);
  }

  bool no_argument(kmodld::module& m, const kmodld::kernel_param& p) noexcept {
    const auto ops = operations_of(m, p);
    return ops && (ops->flags & 1) != 0;
  }

  void free(kmodld::module& m, const kmodld::kernel_param& p) noexcept {
    const auto ops = operations_of(m, p);
    if (ops && ops->free != nullptr && !invoker_.link_only)
      invoker_.guard([&] { ops->free(reinterpret_cast<void*>(p.arg.value)); });
  }

private:
  /// struct kernel_param_ops of Linux 6.1.
  struct operations {
    unsigned flags;
    int (*set)(const char* value, const void* parameter);
    int (*get)(char* page, const void* parameter);
    void (*free)(void* argument);
  };

  /// None if they are not in the module: then they are made up (--kernel-exports), or another's.
  /// A copy: where they lie is the file's choice, and need not be aligned.
  static std::optional<operations> operations_of(kmodld::module& m, const kmodld::kernel_param& p) {
    const std::byte* at = m.host(p.ops, sizeof(operations));
    if (at == nullptr)
      return std::nullopt;
    operations ops;
    std::memcpy(&ops, at, sizeof ops);
    return ops;
  }

  static const void* entry_of(kmodld::module& m, const kmodld::kernel_param& p) {
    const kmodld::module_table& table = m.sections.kp;
    const kmodld::kernel_params<kmodld::arch::x86_64::format> all{m, table};
    kmodld::kernel_param candidate;
    for (kmodld::u32 i = 0; i < all.size(); ++i)
      if (all.get(i, candidate) && candidate.name.data() == p.name.data() &&
          (candidate.arg == p.arg || candidate.ops != p.ops))
        return table.host + std::size_t{i} * table.entry_size;
    return nullptr;
  }

  guarded_invoker& invoker_;
};
static_assert(kmodld::parameters_policy<own_parameters>);

} // namespace linux_like
