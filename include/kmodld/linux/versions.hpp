// SPDX-License-Identifier: MIT
// Symbol versions: the CRCs that a module expects of what it imports (`__versions`, and
// `__version_ext_crcs` with `__version_ext_names` of newer kernels), and those that it exports.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/module.hpp>

namespace kmodld {

/// One expected version. `crc` is pointer-sized in the file; only its low half can match an
/// export's, so a value above 32 bits matches nothing.
struct expected_version {
  u64 crc = 0;
  std::string_view name;
};

/// `__versions`: entries of 64 bytes, a pointer-sized CRC and a NUL-padded name. A last entry that
/// is cut off does not count.
template <class Format>
class modversions {
public:
  using entry = expected_version;
  static constexpr std::size_t entry_size = 64;
  static constexpr std::size_t name_capacity = entry_size - sizeof(typename Format::word);

  modversions() noexcept = default;
  /// `drop_dots`: powerpc64, where a name's leading dot (the code, not the descriptor) is dropped.
  explicit modversions(byte_view section, bool drop_dots = false) noexcept
      : section_{section}, drop_dots_{drop_dots} {}

  u32 count() const noexcept { return static_cast<u32>(section_.size() / entry_size); }

  /// Entry `i` < count(); a name without NUL ends with its entry.
  entry operator[](u32 i) const noexcept {
    std::byte const* at = section_.data() + i * entry_size;
    return {Format::word::load(at), name_at(at)};
  }

  /// The CRC of the first entry of this name.
  bool find(std::string_view name, u64& crc) const noexcept {
    for (u32 i = 0; i < count(); ++i)
      if (entry e = (*this)[i]; equal(e.name, name)) {
        crc = e.crc;
        return true;
      }
    return false;
  }

  /// Whether every name has its NUL inside its entry.
  bool terminated() const noexcept {
    for (u32 i = 0; i < count(); ++i)
      if (raw_name(section_.data() + i * entry_size).size() == name_capacity)
        return false;
    return true;
  }

private:
  static std::string_view raw_name(std::byte const* at) noexcept {
    return string_at(byte_view{at, entry_size}, sizeof(typename Format::word));
  }
  std::string_view name_at(std::byte const* at) const noexcept {
    std::string_view name = raw_name(at);
    return drop_dots_ && starts_with(name, "."sv) ? tail(name, 1) : name;
  }

  byte_view section_;
  bool drop_dots_ = false;
};

/// `__version_ext_crcs` (32-bit words) and `__version_ext_names` (NUL-terminated, in the same
/// order): since 6.14, for names too long for `__versions`.
template <class Format>
class extended_modversions {
public:
  extended_modversions() noexcept = default;
  extended_modversions(byte_view crcs, byte_view names) noexcept : crcs_{crcs}, names_{names} {}

  u32 count() const noexcept { return static_cast<u32>(crcs_.size() / sizeof(u32)); }

  /// Whether there are as many terminated names as CRCs.
  bool complete() const noexcept {
    u32 terminators = 0;
    for (std::byte b : names_)
      if (b == std::byte{0} && ++terminators == count())
        return true;
    return count() == 0;
  }

  /// The CRC of the first entry of this name.
  bool find(std::string_view name, u64& crc) const noexcept {
    std::size_t at = 0;
    for (u32 i = 0; i < count() && at < names_.size(); ++i) {
      std::string_view candidate = string_at(names_, at);
      if (equal(candidate, name)) {
        crc = Format::word32::load(crcs_.data() + i * sizeof(u32));
        return true;
      }
      at += candidate.size() + 1;
    }
    return false;
  }

private:
  byte_view crcs_;
  byte_view names_;
};

/// A CRC of `__kcrctab` where the word at `word` is the signed distance from itself to the CRC
/// (kernels of 4.10 to 5.18 with MODULE_REL_CRCS). False if either lies outside the module.
template <class Format>
bool relative_crc(module const& m, address word, u32& crc) noexcept {
  std::byte const* at = m.host(word, sizeof(u32));
  if (at == nullptr)
    return false;
  auto distance = static_cast<i32>(u32{Format::word32::load(at)});
  address target = word + static_cast<u64>(i64{distance});
  if constexpr (Format::bits == 32)
    target.value = static_cast<u32>(target.value);
  at = m.host(target, sizeof(u32));
  if (at == nullptr)
    return false;
  crc = Format::word32::load(at);
  return true;
}

} // namespace kmodld
