// SPDX-License-Identifier: MIT
// Helpers of the checks and the list of all of them.
#include "support.hpp"

#include "../env/environment.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace linux_like {
namespace checks {

bytes from_hex(std::string_view digits) {
  bytes out;
  int half = -1;
  for (const char c : digits) {
    if (c == ' ')
      continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (half < 0) {
      half = value;
    } else {
      out.push_back(static_cast<std::uint8_t>(half * 16 + value));
      half = -1;
    }
  }
  return out;
}

std::string to_hex(std::span<const std::uint8_t> data) {
  std::string out;
  for (const std::uint8_t byte : data) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

bytes from_text(std::string_view text) { return {text.begin(), text.end()}; }

bytes noise(std::size_t count, std::uint64_t seed) {
  bytes out(count);
  for (std::uint8_t& byte : out) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    byte = static_cast<std::uint8_t>(seed >> 32);
  }
  return out;
}

std::span<const sample> samples() {
  static const std::vector<sample> all = [] {
    const bytes sentence = from_text("The quick brown fox jumps over the lazy dog, ");
    bytes text;
    for (unsigned i = 0; text.size() < 100'000; ++i) {
      const bytes number = from_text(std::to_string(i * i) + ". ");
      text.insert(text.end(), number.begin(), number.end());
      text.insert(text.end(), sentence.begin(), sentence.end() - i % 17);
    }
    std::ifstream file("/proc/self/exe", std::ios::binary);
    bytes program(400'000);
    file.read(reinterpret_cast<char*>(program.data()),
              static_cast<std::streamsize>(program.size()));
    program.resize(static_cast<std::size_t>(file.gcount()));
    bytes mixture = text;
    const bytes random = noise(70'000, 7);
    mixture.insert(mixture.begin() + 30'000, random.begin(), random.end());
    mixture.insert(mixture.end(), 66'000, std::uint8_t{0});
    return std::vector<sample>{
        {"one byte", {42}},        {"a sentence", sentence},    {"text", text},
        {"zeros", bytes(200'000)}, {"noise", noise(65'536, 1)}, {"a program", program},
        {"a mixture", mixture}};
  }();
  return all;
}

void verdict::that(bool good, std::string_view what) {
  ++compared_;
  if (!good && good_) {
    good_ = false;
    why_ = what;
  }
}

void verdict::equal(std::uint64_t got, std::uint64_t expected, std::string_view what) {
  char text[64];
  std::snprintf(text, sizeof text, ": %#llx instead of %#llx", static_cast<unsigned long long>(got),
                static_cast<unsigned long long>(expected));
  that(got == expected, std::string(what) + text);
}

void verdict::equal(std::span<const std::uint8_t> got, std::span<const std::uint8_t> expected,
                    std::string_view what) {
  const bool same = std::ranges::equal(got, expected);
  if (same || got.size() + expected.size() > 400)
    that(same, std::string(what) + ": bytes differ");
  else
    that(same, std::string(what) + ": " + to_hex(got) + " instead of " + to_hex(expected));
}

bool verdict::done() {
  if (good_)
    why_ = std::to_string(compared_) + (compared_ == 1 ? " comparison" : " comparisons");
  return good_;
}

} // namespace checks

void* symbol_lookup::find(const char* symbol) const {
  void* address = find_address(symbol);
  if (address == nullptr)
    throw std::runtime_error(std::string("no symbol ") + symbol);
  return address;
}

bool run_check(const module_check& check, const symbol_lookup& symbols, std::string& why) {
  bool good = false;
  std::string oops;
  const auto code = [&] {
    try {
      good = check.run(symbols, why);
    } catch (const std::runtime_error& missing) {
      good = false;
      why = missing.what();
    }
  };
  if (run_guarded(code, oops))
    return good;
  why = oops;
  return false;
}

std::span<const module_check> module_checks() {
  static const std::vector<module_check> all = [] {
    std::vector<module_check> list;
    for (const auto group :
         {checks::crc_checks(), checks::compression_checks(), checks::correction_checks(),
          checks::raid_checks(), checks::crypto_library_checks(), checks::search_checks(),
          checks::arithmetic_checks(), checks::character_checks(), checks::hash_checks(),
          checks::block_cipher_checks()})
      list.insert(list.end(), group.begin(), group.end());
    return list;
  }();
  return all;
}

} // namespace linux_like
