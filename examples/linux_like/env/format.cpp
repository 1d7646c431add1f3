// SPDX-License-Identifier: MIT
// Subset of the kernel's vsnprintf. Extensions: Documentation/core-api/printk-formats of Linux.
#include "format.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>

namespace linux_like {
namespace {

struct directive {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  int width = 0;
  int precision = -1;
  int bytes = 4; // size of an integer argument
};

/// struct va_format: a format with its arguments, given by pointer to %pV.
struct nested_format {
  const char* format;
  std::va_list* arguments;
};

void pad(std::string& out, const directive& how, const std::string& text) {
  const auto width = static_cast<std::size_t>(how.width);
  const std::size_t missing = width > text.size() ? width - text.size() : 0;
  if (!how.left)
    out.append(missing, ' ');
  out += text;
  if (how.left)
    out.append(missing, ' ');
}

void put_number(std::string& out, const directive& how, std::uint64_t value, unsigned base,
                bool upper, const char* sign) {
  std::string digits;
  const char* alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (; value != 0; value /= base)
    digits += alphabet[value % base];
  if (digits.empty() && how.precision != 0)
    digits = "0";
  std::string prefix = sign;
  if (how.alternate && base == 16)
    prefix += upper ? "0X" : "0x";
  if (how.alternate && base == 8)
    prefix += "0";
  auto least = static_cast<std::size_t>(std::max(how.precision, 0));
  if (how.zero && !how.left && how.precision < 0 &&
      static_cast<std::size_t>(how.width) > prefix.size())
    least = static_cast<std::size_t>(how.width) - prefix.size();
  if (digits.size() < least)
    digits.append(least - digits.size(), '0');
  std::reverse(digits.begin(), digits.end());
  pad(out, how, prefix + digits);
}

std::string hex_bytes(const std::uint8_t* bytes, std::size_t count, const char* separator) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0)
      text += separator;
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

std::string dotted(const std::uint8_t* bytes) {
  std::string text = std::to_string(bytes[0]);
  for (int i = 1; i < 4; ++i)
    text += "." + std::to_string(bytes[i]);
  return text;
}

/// `extension` points behind the 'p'.
void put_pointer(std::string& out, const directive& how, const char* extension,
                 const void* pointer) {
  const auto* bytes = static_cast<const std::uint8_t*>(pointer);
  const auto value = reinterpret_cast<std::uint64_t>(pointer);
  const bool valid = value >= 4096 && value < ~std::uint64_t{4095};
  if (*extension == 'V' && valid) {
    const auto* inner = static_cast<const nested_format*>(pointer);
    out += format_kernel(inner->format, *inner->arguments);
  } else if (*extension == 'h' && valid) {
    const char* separator = extension[1] == 'C'   ? ":"
                            : extension[1] == 'D' ? "-"
                            : extension[1] == 'N' ? ""
                                                  : " ";
    out += hex_bytes(bytes, static_cast<std::size_t>(std::clamp(how.width, 1, 64)), separator);
  } else if (*extension == 'M' && valid) {
    pad(out, how, hex_bytes(bytes, 6, ":"));
  } else if (*extension == 'I' && extension[1] == '4' && valid) {
    pad(out, how, dotted(bytes));
  } else if (*extension == 'U' && valid) {
    pad(out, how,
        hex_bytes(bytes, 4, "") + "-" + hex_bytes(bytes + 4, 2, "") + "-" +
            hex_bytes(bytes + 6, 2, "") + "-" + hex_bytes(bytes + 8, 2, "") + "-" +
            hex_bytes(bytes + 10, 6, ""));
  } else if (*extension == 'e' && value >= ~std::uint64_t{4094}) {
    pad(out, how, std::to_string(static_cast<std::int64_t>(value)));
  } else {
    directive address = how;
    address.zero = true;
    address.width = std::max(how.width, 16);
    put_number(out, address, value, 16, false, "");
  }
}

const char* read_directive(const char* at, directive& how, std::va_list arguments) {
  for (;; ++at) {
    if (*at == '-')
      how.left = true;
    else if (*at == '+')
      how.plus = true;
    else if (*at == ' ')
      how.space = true;
    else if (*at == '#')
      how.alternate = true;
    else if (*at == '0')
      how.zero = true;
    else
      break;
  }
  auto number = [&at, arguments]() mutable {
    if (*at == '*') {
      ++at;
      return va_arg(arguments, int);
    }
    int value = 0;
    for (; *at >= '0' && *at <= '9'; ++at)
      value = std::min(value * 10 + (*at - '0'), 4096);
    return value;
  };
  how.width = number();
  if (how.width < 0) {
    how.left = true;
    how.width = -std::max(how.width, -4096);
  }
  if (*at == '.') {
    ++at;
    how.precision = number();
  }
  for (;; ++at) {
    if (*at == 'h')
      how.bytes = how.bytes == 2 ? 1 : 2;
    else if (*at == 'l' || *at == 'z' || *at == 't' || *at == 'j' || *at == 'L' || *at == 'q')
      how.bytes = 8;
    else
      return at;
  }
}

std::uint64_t narrowed(std::uint64_t value, int bytes, bool is_signed) {
  const int unused = 64 - 8 * bytes;
  const std::uint64_t top = value << unused;
  return is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(top) >> unused)
                   : top >> unused;
}

} // namespace

std::string format_kernel(const char* format, std::va_list given) {
  std::va_list arguments;
  va_copy(arguments, given);
  std::string out;
  for (const char* at = format; *at != '\0'; ++at) {
    if (*at != '%') {
      out += *at;
      continue;
    }
    directive how;
    at = read_directive(at + 1, how, arguments);
    if (*at == '\0')
      break;
    if (*at == '%') {
      out += '%';
    } else if (*at == 'c') {
      pad(out, how, std::string(1, static_cast<char>(va_arg(arguments, int))));
    } else if (*at == 's') {
      const char* text = va_arg(arguments, const char*);
      if (reinterpret_cast<std::uintptr_t>(text) < 4096)
        text = text == nullptr ? "(null)" : "(efault)";
      const std::size_t most =
          how.precision < 0 ? std::string::npos : static_cast<std::size_t>(how.precision);
      pad(out, how,
          std::string(text, most == std::string::npos ? std::strlen(text) : strnlen(text, most)));
    } else if (*at == 'p') {
      put_pointer(out, how, at + 1, va_arg(arguments, void*));
      while (std::isalnum(static_cast<unsigned char>(at[1])) != 0)
        ++at;
    } else if (*at == 'd' || *at == 'i') {
      const auto value = narrowed(va_arg(arguments, std::uint64_t), how.bytes, true);
      const bool negative = static_cast<std::int64_t>(value) < 0;
      put_number(out, how, negative ? -value : value, 10, false,
                 negative    ? "-"
                 : how.plus  ? "+"
                 : how.space ? " "
                             : "");
    } else if (std::strchr("uxXo", *at) != nullptr) {
      const unsigned base = *at == 'u' ? 10 : *at == 'o' ? 8 : 16;
      put_number(out, how, narrowed(va_arg(arguments, std::uint64_t), how.bytes, false), base,
                 *at == 'X', "");
    } else {
      out += '%';
      out += *at;
    }
  }
  va_end(arguments);
  return out;
}

} // namespace linux_like
