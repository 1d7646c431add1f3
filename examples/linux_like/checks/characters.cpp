// SPDX-License-Identifier: MIT
// Character sets: every character, in both directions, against iconv of the C library.
#include "../env/registry.hpp"
#include "support.hpp"

#include <iconv.h>

namespace linux_like::checks {
namespace {

/// The Unicode character that iconv makes of `code`, -1 if it makes none or several.
long converted(iconv_t converter, std::span<const std::uint8_t> code) {
  bytes in(code.begin(), code.end());
  char* from = reinterpret_cast<char*>(in.data());
  std::size_t left = in.size();
  std::uint16_t out[4];
  char* to = reinterpret_cast<char*>(out);
  std::size_t room = sizeof out;
  iconv(converter, nullptr, nullptr, nullptr, nullptr);
  if (iconv(converter, &from, &left, &to, &room) != 0 || room != sizeof out - 2)
    return -1;
  return out[0];
}

/// Compares all codes of `length` bytes that iconv knows; at least `expected` of them.
void compare(verdict& result, const character_set& set, iconv_t converter, std::size_t length,
             unsigned expected) {
  unsigned known = 0;
  for (unsigned value = length == 1 ? 1 : 0x8100; value < 1u << (8 * length); ++value) {
    bytes code{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    code.erase(code.begin(), code.end() - static_cast<std::ptrdiff_t>(length));
    const long wanted = converted(converter, code);
    if (wanted < 0)
      continue;
    ++known;
    std::uint16_t character = 0;
    const int used = set.to_unicode(code.data(), static_cast<int>(length), &character);
    result.equal(static_cast<std::uint64_t>(used), length, "bytes of " + to_hex(code));
    result.equal(character, static_cast<std::uint64_t>(wanted), "Unicode of " + to_hex(code));
    bytes back(length);
    const int made = set.from_unicode(character, back.data(), static_cast<int>(length));
    result.equal(static_cast<std::uint64_t>(made), length, "bytes back of " + to_hex(code));
    std::uint16_t again = 0;
    set.to_unicode(back.data(), static_cast<int>(length), &again);
    result.equal(again, character, "round trip of " + to_hex(code));
  }
  result.that(known >= expected, "iconv knows only " + std::to_string(known) + " characters");
}

bool characters(const char* set_name, const char* iconv_name, std::size_t longest,
                std::string& why) {
  verdict result(why);
  const auto* set = static_cast<const character_set*>(find_registration("nls", set_name));
  result.that(set != nullptr, "not registered");
  iconv_t converter = iconv_open("UTF-16LE", iconv_name);
  result.that(converter != iconv_t(-1), "iconv lacks " + std::string(iconv_name));
  if (result.failed())
    return result.done();
  compare(result, *set, converter, 1, 127);
  if (longest == 2)
    compare(result, *set, converter, 2, 6000);
  iconv_close(converter);
  return result.done();
}

bool cp437(const symbol_lookup&, std::string& why) { return characters("cp437", "CP437", 1, why); }
bool cp1250(const symbol_lookup&, std::string& why) {
  return characters("cp1250", "CP1250", 1, why);
}
bool koi8_r(const symbol_lookup&, std::string& why) {
  return characters("koi8-r", "KOI8-R", 1, why);
}
bool latin9(const symbol_lookup&, std::string& why) {
  return characters("iso8859-15", "ISO-8859-15", 1, why);
}
bool cp936(const symbol_lookup&, std::string& why) { return characters("cp936", "GBK", 2, why); }

} // namespace

std::span<const module_check> character_checks() {
  static const std::vector<module_check> all{
      {"nls_cp437", {}, "iconv", cp437},   {"nls_cp1250", {}, "iconv", cp1250},
      {"nls_koi8-r", {}, "iconv", koi8_r}, {"nls_iso8859-15", {}, "iconv", latin9},
      {"nls_cp936", {}, "iconv", cp936},
  };
  return all;
}

} // namespace linux_like::checks
