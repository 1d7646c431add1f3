// SPDX-License-Identifier: MIT
// call: a function with integers, texts and buffers.
#include "commands.hpp"

#include <charconv>

namespace linux_like::commands {
namespace {

using kmodld::i32;
using kmodld::i64;
using kmodld::u64;

bool parse_number(std::string_view text, u64& out) {
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative);
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  text.remove_prefix(hexadecimal ? 2 : 0);
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, out, hexadecimal ? 16 : 10);
  if (negative)
    out = u64{0} - out;
  return status == std::errc{} && stop == end;
}

u64 number(const word& given) {
  u64 out = 0;
  if (given.quoted || !parse_number(given.text, out))
    throw refusal(EINVAL, given.text + ": not a number");
  return out;
}

/// The arguments of one call, and the buffers among them.
struct call_arguments {
  u64 value[6] = {};
  std::vector<std::string> buffers;
};

/// `@NAME:SIZE` makes a buffer of zeros, `@NAME` takes it again.
std::vector<std::byte>& buffer(shell& self, std::string_view given, std::string& name) {
  const std::size_t colon = given.find(':');
  name = given.substr(0, colon);
  if (colon != given.npos) {
    constexpr u64 largest = u64{1} << 28;
    u64 size = 0;
    if (!parse_number(given.substr(colon + 1), size) || size > largest)
      throw refusal(EINVAL, fmt::format("@{}: not the size of a buffer", given));
    self.buffers[name].assign(static_cast<std::size_t>(size), std::byte{0});
  }
  const auto found = self.buffers.find(name);
  if (found == self.buffers.end())
    throw refusal(EINVAL, fmt::format("@{}: no such buffer; @{}:SIZE makes one", name, name));
  return found->second;
}

u64 argument(shell& self, const word& given, call_arguments& out) {
  if (given.quoted)
    return reinterpret_cast<std::uintptr_t>(given.text.c_str());
  if (given.text.starts_with('@')) {
    std::string name;
    auto& bytes = buffer(self, std::string_view(given.text).substr(1), name);
    out.buffers.push_back(name);
    return reinterpret_cast<std::uintptr_t>(bytes.data());
  }
  if (given.text.starts_with('&')) {
    const auto found = self.host.find_symbol(std::string_view(given.text).substr(1));
    if (!found)
      throw refusal(ENOENT, given.text.substr(1) + ": no such symbol");
    return found.value;
  }
  return number(given);
}

/// How a result register is to be read; without a type the whole of it.
struct result_type {
  std::string_view name;
  unsigned bits;
  bool is_signed;
};

constexpr result_type result_types[] = {
    {"u8", 8, false},   {"u16", 16, false}, {"u32", 32, false}, {"u64", 64, false},
    {"s8", 8, true},    {"s16", 16, true},  {"s32", 32, true},  {"s64", 64, true},
    {"bool", 8, false}, {"int", 32, true},  {"long", 64, true},
};

const result_type* result_type_of(const word& given) {
  for (const result_type& t : result_types)
    if (!given.quoted && given.text == t.name)
      return &t;
  return nullptr;
}

i64 read_as(const result_type& t, u64 result) {
  const unsigned rest = 64 - t.bits;
  return t.is_signed ? static_cast<i64>(result << rest) >> rest
                     : static_cast<i64>(result << rest >> rest);
}

/// Whether a register holds the result expected: of an int only the lower half counts.
bool matches(u64 result, u64 expected) {
  return result == expected || (result & 0xffffffff) == expected ||
         static_cast<u64>(read_as({"int", 32, true}, result)) == expected;
}

/// The number, and what narrower types read: functions leave anything in the bits above theirs.
std::string shown(u64 result, bool typed) {
  std::string text = fmt::format("{} ({:#x})", static_cast<i64>(result), result);
  if (typed || result + 0x10000 <= 0x1ffff) // small, of either sign
    return text;
  const char* separator = "; ";
  for (const result_type& t :
       {result_type{"int", 32, true}, result_type{"u16", 16, false}, result_type{"u8", 8, false}}) {
    const i64 value = read_as(t, result);
    if (value == static_cast<i64>(result))
      continue;
    text += fmt::format("{}as {} {}", separator, t.name, value);
    if (!t.is_signed)
      text += fmt::format(" ({:#x})", value);
    separator = ", ";
  }
  return text;
}

void print_buffer(std::string_view name, std::span<const std::byte> bytes) {
  constexpr std::size_t most = 256;
  std::string line;
  for (const std::byte b : bytes.first(std::min(bytes.size(), most)))
    line += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  fmt::print("@{} = {}{}\n", name, line, bytes.size() > most ? "..." : "");
}

} // namespace

void call(shell& self, words given) {
  constexpr const char* usage = "call [u8|u16|int|...] SYMBOL [up to six arguments] [= RESULT]";
  const result_type* type = given.size() > 1 ? result_type_of(given[0]) : nullptr;
  if (type != nullptr)
    given = given.subspan(1);
  expect_words(given, 1, 9, usage);
  expect_running(self);
  const std::string& name = given[0].text;
  const kmodld::address target = self.host.find_symbol(name);
  if (!target)
    throw refusal(ENOENT, name + ": no such symbol");
  words rest = given.subspan(1);
  std::optional<u64> expected;
  if (rest.size() >= 2 && rest[rest.size() - 2].text == "=" && !rest[rest.size() - 2].quoted) {
    expected = number(rest.back());
    rest = rest.first(rest.size() - 2);
  }
  expect_words(rest, 0, 6, usage);
  call_arguments arguments;
  for (std::size_t i = 0; i < rest.size(); ++i)
    arguments.value[i] = argument(self, rest[i], arguments);
  const auto* v = arguments.value;
  u64 result = 0;
  std::string oops;
  const auto function = reinterpret_cast<u64 (*)(u64, u64, u64, u64, u64, u64)>(target.value);
  if (!run_guarded([&] { result = function(v[0], v[1], v[2], v[3], v[4], v[5]); }, oops)) {
    self.host.note_oops(oops);
    self.host.expect_no_oops();
  }
  if (type != nullptr)
    result = static_cast<u64>(read_as(*type, result));
  fmt::print("{} = {}\n", name, shown(result, type != nullptr));
  for (const std::string& one : arguments.buffers)
    print_buffer(one, self.buffers[one]);
  if (expected && !(type != nullptr ? result == *expected : matches(result, *expected)))
    throw refusal(EILSEQ, fmt::format("{} should be {}", name, shown(*expected, true)));
}

} // namespace linux_like::commands
