// SPDX-License-Identifier: MIT
// link: relocatable objects of any architecture become an image of memory and a map of it.
#include "command.hpp"

#include "../refusal.hpp"
#include "link.hpp"

#include <charconv>

namespace linux_like {
namespace {

constexpr const char* usage = "usage: link FILE... [--abs NAME=0xVALUE]... "
                              "[--section FILE:NAME=0xADDRESS]... --base 0xADDRESS -o IMAGE "
                              "--map MAP.json";

kmodld::u64 number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  kmodld::u64 value = 0;
  const auto [end, bad] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (bad != std::errc{} || end != digits.data() + digits.size())
    throw refusal(EINVAL, std::string(text) + " is no 64-bit number");
  return value;
}

/// `NAME=0xVALUE`; names may hold `=`.
std::pair<std::string, kmodld::u64> assignment(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == text.npos || equals == 0)
    throw refusal(EINVAL, usage);
  return {text.substr(0, equals), number(std::string_view(text).substr(equals + 1))};
}

struct arguments {
  link_request request;
  std::optional<kmodld::u64> base;
  std::string image, map;
};

/// `FILE:NAME`, FILE being one of those given.
link_request::placement placement(const link_request& request, const std::string& text) {
  const auto [where, address] = assignment(text);
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const std::string& file = request.inputs[i].name;
    if (where.size() > file.size() + 1 && where.starts_with(file) && where[file.size()] == ':')
      return {i, where.substr(file.size() + 1), address};
  }
  throw refusal(EINVAL, where + ": names no section of a file that is linked");
}

arguments parse(std::span<const word> given) {
  arguments out;
  std::vector<std::string> placements;
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::string option = given[i].text, value;
    if (given[i].quoted || !option.starts_with('-') || option.size() == 1) {
      out.request.inputs.push_back({option, {}});
      continue;
    }
    const std::size_t equals = option.starts_with("--") ? option.find('=') : option.npos;
    if (equals != option.npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    } else if (++i < given.size()) {
      value = given[i].text;
    } else {
      throw refusal(EINVAL, usage);
    }
    if (option == "--abs")
      out.request.absolute.insert_or_assign(assignment(value).first, assignment(value).second);
    else if (option == "--section")
      placements.push_back(value);
    else if (option == "--base")
      out.base = number(value);
    else if (option == "-o")
      out.image = value;
    else if (option == "--map")
      out.map = value;
    else
      throw refusal(EINVAL, usage);
  }
  if (out.request.inputs.empty() || !out.base || out.image.empty() || out.map.empty())
    throw refusal(EINVAL, usage);
  out.request.base = *out.base;
  for (const std::string& text : placements)
    out.request.placements.push_back(placement(out.request, text));
  return out;
}

/// An image that stands there from before must not be taken for that of objects that are refused.
void remove_output(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(file, ignored))
    std::filesystem::remove(file, ignored);
}

} // namespace

void link_objects(std::span<const word> given) {
  arguments a = parse(given);
  for (const std::string& output : {a.image, a.map})
    for (const link_input& input : a.request.inputs)
      if (std::error_code none; std::filesystem::equivalent(output, input.name, none))
        throw refusal(EINVAL, output + " is one of the objects");
  try {
    for (link_input& input : a.request.inputs)
      input.bytes = read_module_file(input.name);
    const linked_image image = link(a.request);
    write_image(image, a.request.base, a.image);
    write_map(image, a.request.base, a.map);
  } catch (...) {
    remove_output(a.image);
    remove_output(a.map);
    throw;
  }
}

} // namespace linux_like
