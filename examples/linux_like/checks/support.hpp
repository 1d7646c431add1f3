// SPDX-License-Identifier: MIT
// Helpers of the checks: bytes from hexadecimal, repeatable noise, comparisons that explain
// themselves.
#pragma once

#include "checks.hpp"

#include <cstdint>
#include <string_view>

namespace linux_like::checks {

using bytes = std::vector<std::uint8_t>;

/// The bytes of an even number of hexadecimal digits, blanks ignored.
bytes from_hex(std::string_view digits);
std::string to_hex(std::span<const std::uint8_t> data);
bytes from_text(std::string_view text);

/// `count` pseudo-random bytes, the same for the same seed (xorshift64).
bytes noise(std::size_t count, std::uint64_t seed);

/// What compressors get: nothing, one byte, short text, long text, zeros, noise, a program file, a
/// mixture.
struct sample {
  const char* name;
  bytes data;
};
std::span<const sample> samples();

/// Collects comparisons; the first that fails is the explanation.
class verdict {
public:
  explicit verdict(std::string& why) : why_(why) {}

  void that(bool good, std::string_view what);
  void equal(std::uint64_t got, std::uint64_t expected, std::string_view what);
  void equal(std::span<const std::uint8_t> got, std::span<const std::uint8_t> expected,
             std::string_view what);
  bool failed() const { return !good_; }

  /// The answer of a check, which says how much was compared if all was right.
  bool done();

private:
  std::string& why_;
  bool good_ = true;
  unsigned compared_ = 0;
};

std::span<const module_check> crc_checks();
std::span<const module_check> compression_checks();
std::span<const module_check> correction_checks();
std::span<const module_check> raid_checks();
std::span<const module_check> crypto_library_checks();
std::span<const module_check> block_cipher_checks();
std::span<const module_check> hash_checks();
std::span<const module_check> search_checks();
std::span<const module_check> arithmetic_checks();
std::span<const module_check> character_checks();

} // namespace linux_like::checks
