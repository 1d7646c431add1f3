// SPDX-License-Identifier: MIT
// Memory and string functions, where the host's libc has the same under the same contract, and the
// kernel's own.
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <strings.h>

namespace {

using size = std::size_t;

/// Parses all of `text` (a newline may follow); the kernel's kstrto* contract: 0, -EINVAL or
/// -ERANGE.
template <class T>
int parse(const char* text, unsigned base, T* result, bool is_signed) {
  const bool negative = *text == '-';
  if (negative && !is_signed)
    return -EINVAL;
  const char* digits = negative || *text == '+' ? text + 1 : text;
  if (std::isalnum(static_cast<unsigned char>(*digits)) == 0)
    return -EINVAL;
  char* end = nullptr;
  errno = 0;
  const unsigned long long magnitude = std::strtoull(digits, &end, static_cast<int>(base));
  if (errno == ERANGE)
    return -ERANGE;
  if (end == digits || (*end != '\0' && !(*end == '\n' && end[1] == '\0')))
    return -EINVAL;
  const auto value = static_cast<T>(negative ? 0 - magnitude : magnitude);
  const bool fits = negative ? value <= 0 && static_cast<unsigned long long>(value) == 0 - magnitude
                             : value >= 0 && static_cast<unsigned long long>(value) == magnitude;
  if (!fits)
    return -ERANGE;
  *result = value;
  return 0;
}

/// Classes of the kernel's ctype table.
constexpr unsigned upper = 1, lower = 2, digit = 4, control = 8, punctuation = 16, space = 32,
                   hex = 64, hard = 128;

constexpr std::array<std::uint8_t, 256> classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    unsigned kind = 0;
    if (c < 32 || c == 127)
      kind = control | ((c >= 9 && c <= 13) ? space : 0);
    else if (c == ' ')
      kind = space | hard;
    else if (c >= '0' && c <= '9')
      kind = digit;
    else if (c >= 'A' && c <= 'Z')
      kind = upper | (c <= 'F' ? hex : 0);
    else if (c >= 'a' && c <= 'z')
      kind = lower | (c <= 'f' ? hex : 0);
    else if (c < 127)
      kind = punctuation;
    else if (c == 160)
      kind = space | hard;
    else if (c > 160)
      kind = (c == 215 || c == 247) ? punctuation : c < 223 ? upper : lower;
    table[c] = static_cast<std::uint8_t>(kind);
  }
  return table;
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  const char folded = static_cast<char>(digit | 0x20);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

} // namespace

extern "C" {

void* host_memcpy(void* to, const void* from, size count) { return std::memcpy(to, from, count); }
void* host_memmove(void* to, const void* from, size count) { return std::memmove(to, from, count); }
void* host_memset(void* to, int value, size count) { return std::memset(to, value, count); }
int host_memcmp(const void* a, const void* b, size count) { return std::memcmp(a, b, count); }
const void* host_memchr(const void* in, int value, size count) {
  return std::memchr(in, value, count);
}
const void* host_memchr_inv(const void* in, int value, size count) {
  const auto* begin = static_cast<const unsigned char*>(in);
  const auto* end = begin + count;
  const auto* found = std::find_if(begin, end, [value](int byte) { return byte != (value & 255); });
  return found == end ? nullptr : found;
}

size host_strlen(const char* text) { return std::strlen(text); }
size host_strnlen(const char* text, size most) { return strnlen(text, most); }
char* host_strcpy(char* to, const char* from) { return std::strcpy(to, from); }
char* host_strncpy(char* to, const char* from, size count) {
  const size length = strnlen(from, count);
  std::memcpy(to, from, length);
  std::memset(to + length, 0, count - length);
  return to;
}
std::int64_t host_strscpy(char* to, const char* from, size room) {
  if (room == 0)
    return -E2BIG;
  const size length = strnlen(from, room);
  const size kept = std::min(length, room - 1);
  std::memcpy(to, from, kept);
  to[kept] = '\0';
  return length == room ? -E2BIG : static_cast<std::int64_t>(length);
}
size host_strlcpy(char* to, const char* from, size room) {
  const size length = std::strlen(from);
  if (room != 0) {
    const size kept = std::min(length, room - 1);
    std::memcpy(to, from, kept);
    to[kept] = '\0';
  }
  return length;
}
char* host_strcat(char* to, const char* from) { return std::strcat(to, from); }
char* host_strncat(char* to, const char* from, size count) {
  const size length = strnlen(from, count);
  char* end = to + std::strlen(to);
  std::memcpy(end, from, length);
  end[length] = '\0';
  return to;
}
size host_strlcat(char* to, const char* from, size room) {
  const size used = strnlen(to, room);
  return used + host_strlcpy(to + used, from, room - used);
}
int host_strcmp(const char* a, const char* b) { return std::strcmp(a, b); }
int host_strncmp(const char* a, const char* b, size most) { return std::strncmp(a, b, most); }
int host_strcasecmp(const char* a, const char* b) { return strcasecmp(a, b); }
int host_strncasecmp(const char* a, const char* b, size most) { return strncasecmp(a, b, most); }
const char* host_strchr(const char* in, int value) { return std::strchr(in, value); }
const char* host_strrchr(const char* in, int value) { return std::strrchr(in, value); }
const char* host_strstr(const char* in, const char* what) { return std::strstr(in, what); }
const char* host_strnstr(const char* in, const char* what, size most) {
  return static_cast<const char*>(memmem(in, strnlen(in, most), what, std::strlen(what)));
}
size host_strspn(const char* in, const char* accept) { return std::strspn(in, accept); }
size host_strcspn(const char* in, const char* reject) { return std::strcspn(in, reject); }
const char* host_strpbrk(const char* in, const char* any) { return std::strpbrk(in, any); }
char* host_strsep(char** rest, const char* separators) { return strsep(rest, separators); }

char* host_skip_spaces(char* text) {
  while (std::isspace(static_cast<unsigned char>(*text)) != 0)
    ++text;
  return text;
}
char* host_strim(char* text) {
  size length = std::strlen(text);
  while (length != 0 && std::isspace(static_cast<unsigned char>(text[length - 1])) != 0)
    text[--length] = '\0';
  return host_skip_spaces(text);
}

int host_kstrtoint(const char* text, unsigned base, int* to) { return parse(text, base, to, true); }
int host_kstrtouint(const char* text, unsigned base, unsigned* to) {
  return parse(text, base, to, false);
}
int host_kstrtoll(const char* text, unsigned base, long long* to) {
  return parse(text, base, to, true);
}
int host_kstrtoull(const char* text, unsigned base, unsigned long long* to) {
  return parse(text, base, to, false);
}
long host_simple_strtol(const char* text, char** end, unsigned base) {
  return std::strtol(text, end, static_cast<int>(base));
}
unsigned long host_simple_strtoul(const char* text, char** end, unsigned base) {
  return std::strtoul(text, end, static_cast<int>(base));
}

int host_hex_to_bin(char digit) { return hex_value(digit); }
int host_hex2bin(std::uint8_t* to, const char* from, size count) {
  for (size i = 0; i < count; ++i) {
    const int high = hex_value(from[2 * i]);
    const int low = high < 0 ? -1 : hex_value(from[2 * i + 1]);
    if (low < 0)
      return -EINVAL;
    to[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return 0;
}
char* host_bin2hex(char* to, const std::uint8_t* from, size count) {
  for (size i = 0; i < count; ++i) {
    *to++ = "0123456789abcdef"[from[i] >> 4];
    *to++ = "0123456789abcdef"[from[i] & 15];
  }
  return to;
}

extern const std::array<std::uint8_t, 256> host_data__ctype = classes();
extern const char host_data_hex_asc[17] = "0123456789abcdef";
extern const char host_data_hex_asc_upper[17] = "0123456789ABCDEF";

} // extern "C"
