// SPDX-License-Identifier: MIT
// Export tables: `__ksymtab`, `__ksymtab_gpl` and their CRCs (struct kernel_symbol).
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/module.hpp>

namespace kmodld {

/// How entries point: by three signed 32-bit distances from the field itself (x86 and arm64), or
/// by three pointers (all others).
enum class ksymtab_format : u8 { prel32, absolute };

/// An entry as it stands in memory: 12 bytes, or three pointers.
template <class Format, ksymtab_format F>
struct ksymtab_entry {
  typename Format::word32 value, name, name_space;
};

template <class Format>
struct ksymtab_entry<Format, ksymtab_format::absolute> {
  typename Format::word value, name, name_space;
};

static_assert(sizeof(ksymtab_entry<elf::elf64_le, ksymtab_format::prel32>) == 12);
static_assert(sizeof(ksymtab_entry<elf::elf64_le, ksymtab_format::absolute>) == 24);
static_assert(sizeof(ksymtab_entry<elf::elf32_be, ksymtab_format::absolute>) == 12);

/// One export, decoded; the strings lie in the module's memory.
struct ksym {
  std::string_view name;
  address value;
  std::string_view name_space; ///< empty: none
  u32 crc = 0;
  bool has_crc = false;
};

/// A table of exports after relocation. Nothing is copied; the module must outlive the view.
template <class Format, ksymtab_format F>
class ksymtab {
public:
  using entry = ksymtab_entry<Format, F>;

  /// `crcs` has one 32-bit word an entry, or no entries at all.
  ksymtab(module const& owner, module_table const& table, module_table const& crcs) noexcept
      : owner_{&owner}, table_{table}, crcs_{crcs} {}

  /// 0 if the table was cut into entries that are too small.
  u32 size() const noexcept { return table_.entry_size < sizeof(entry) ? 0 : table_.count; }

  /// Export `i` < size(). False, and `out` unspecified, if its name or namespace is not a
  /// terminated string inside the module, or if there is a CRC table that ends before it.
  bool get(u32 i, ksym& out) const noexcept {
    u64 offset = u64{i} * table_.entry_size;
    entry e;
    __builtin_memcpy(&e, table_.host + offset, sizeof e);
    address at = table_.target + offset;

    out.value = resolve(at, e.value);
    address name = resolve(at + sizeof e.value, e.name);
    out.name = owner_->string(name);
    if (out.name.data() == nullptr)
      return false;

    out.name_space = {};
    if (e.name_space != 0) {
      out.name_space = owner_->string(resolve(at + 2 * sizeof e.value, e.name_space));
      if (out.name_space.data() == nullptr)
        return false;
    }

    out.has_crc = crcs_.count != 0;
    out.crc = 0;
    if (out.has_crc) {
      if (u64{i} * sizeof(u32) + sizeof(u32) > crcs_.size())
        return false;
      out.crc = Format::word32::load(crcs_.host + u64{i} * sizeof(u32));
    }
    return true;
  }

private:
  template <class Field>
  static address resolve(address field, Field const& stored) noexcept {
    u64 value = stored;
    if constexpr (F == ksymtab_format::prel32)
      value = field.value + static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(value))});
    if constexpr (Format::bits == 32)
      value = static_cast<u32>(value);
    return {value};
  }

  module const* owner_;
  module_table table_;
  module_table crcs_;
};

} // namespace kmodld
