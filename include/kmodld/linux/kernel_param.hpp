// SPDX-License-Identifier: MIT
// The table __param: struct kernel_param of Linux, decoded for the target's class and order.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/module.hpp>

namespace kmodld {

/// A parameter. Addresses are the target's: `ops` names the type (the host's param_ops_int ...),
/// `arg` is the variable, or a struct kparam_string or kparam_array.
struct kernel_param {
  std::string_view name; ///< in the module's memory
  address ops;
  address arg;
  u16 perm = 0; ///< mode of the sysfs file; 0: none
  signed char level = 0;
  u8 flags = 0; ///< 1 unsafe, 2 hardware

  static constexpr u8 unsafe = 1;
  static constexpr u8 hardware = 2;
};

namespace detail {

/// What aligns a pointer behind 32 bits.
template <int Bits>
struct word_padding {
  unsigned char bytes[4];
};
template <>
struct word_padding<32> {};

} // namespace detail

/// As it stands in memory: 40 bytes, 20 on 32-bit targets.
template <class Format>
struct kernel_param_entry {
  typename Format::word name, mod, ops;
  typename Format::half perm;
  u8 level, flags;
  [[no_unique_address]] detail::word_padding<Format::bits> padding;
  typename Format::word arg;
};

static_assert(sizeof(kernel_param_entry<elf::elf64_le>) == 40);
static_assert(sizeof(kernel_param_entry<elf::elf32_be>) == 20);

/// Targets of array and string parameters.
template <class Format>
struct kparam_array {
  typename Format::word32 max, elemsize;
  typename Format::word num; ///< address of an unsigned int, or 0
  typename Format::word ops, elem;
};

template <class Format>
struct kparam_string {
  typename Format::word32 maxlen;
  [[no_unique_address]] detail::word_padding<Format::bits> padding;
  typename Format::word string;
};

static_assert(sizeof(kparam_array<elf::elf64_le>) == 32 &&
              sizeof(kparam_array<elf::elf32_be>) == 20);
static_assert(sizeof(kparam_string<elf::elf64_le>) == 16 &&
              sizeof(kparam_string<elf::elf32_be>) == 8);

/// The parameters of a module, decoded one at a time; the module must outlive the view.
template <class Format>
class kernel_params {
public:
  using entry = kernel_param_entry<Format>;

  kernel_params(module const& owner, module_table const& table) noexcept
      : owner_{&owner}, table_{table} {}

  /// 0 if the table was cut into entries that are too small.
  u32 size() const noexcept { return table_.entry_size < sizeof(entry) ? 0 : table_.count; }

  /// Parameter `i` < size(). False, and `out` unspecified, if it has no operations or its name is
  /// not a terminated string inside the module (Linux follows such pointers).
  bool get(u32 i, kernel_param& out) const noexcept {
    entry e;
    __builtin_memcpy(&e, table_.host + u64{i} * table_.entry_size, sizeof e);
    out = {.name = owner_->string({e.name}),
           .ops = {e.ops},
           .arg = {e.arg},
           .perm = e.perm,
           .level = static_cast<signed char>(e.level),
           .flags = e.flags};
    return out.name.data() != nullptr && out.ops;
  }

  /// Whether the name of parameter `i` could be this one, by its length and first letter.
  bool may_be_named(u32 i, std::string_view name) const noexcept {
    typename Format::word at;
    __builtin_memcpy(&at, table_.host + u64{i} * table_.entry_size, sizeof at);
    std::byte const* text = owner_->host({at}, name.size() + 1);
    return text != nullptr && text[name.size()] == std::byte{0} &&
           (name.empty() || name[0] == '_' || name[0] == '-' ||
            static_cast<char>(text[0]) == name[0]);
  }

private:
  module const* owner_;
  module_table table_;
};

} // namespace kmodld
