// SPDX-License-Identifier: MIT
// insmod, rmmod, lsmod, modinfo.
#include "../link/machines.hpp"
#include "commands.hpp"

#include <kmodld/linux/signature.hpp>

#include <map>

namespace linux_like::commands {

void insmod(shell& self, words given) {
  constexpr const char* usage =
      "insmod [-f] [--force-vermagic] [--force-modversion] FILE [param=value ...]";
  kmodld::load_flags flags;
  for (; !given.empty() && !given[0].quoted && given[0].text.starts_with('-');
       given = given.subspan(1)) {
    const std::string& option = given[0].text;
    const bool both = option == "-f" || option == "--force";
    if (!both && option != "--force-vermagic" && option != "--force-modversion")
      throw refusal(EINVAL, std::string("usage: ") + usage);
    flags.ignore_vermagic |= both || option == "--force-vermagic";
    flags.ignore_modversions |= both || option == "--force-modversion";
  }
  expect_words(given, 1, ~std::size_t{0}, usage);
  const byte_vector image = read_module_file(given[0].text);
  self.host.load(image, joined_parameters(given.subspan(1)), flags);
}

void rmmod(shell& self, words given) {
  bool force = false;
  for (; !given.empty() && (given[0].text == "-f" || given[0].text == "--force");
       given = given.subspan(1))
    force = true;
  expect_words(given, 1, 1, "rmmod [-f] NAME");
  std::string name = given[0].text;
  if (is_module_file(name))
    name = module_name_of(name);
  if (const auto found = self.host.find_module(name))
    name = found->name();
  self.host.unload(name, force);
}

void lsmod(shell& self, words given) {
  expect_words(given, 0, 0, "lsmod");
  fmt::print("{:<24} {:>8}  {:>4}  {:<7} {:<18} {:<6} {}\n", "Module", "Size", "Uses", "State",
             "Text", "Taints", "Used by");
  const kmodld::lock_guard hold(self.host.lock);
  for (const kmodld::module& m : self.host.loader.modules()) {
    std::string users;
    for (const auto* use = m.source_list; use != nullptr; use = use->next_source)
      users += (users.empty() ? "" : ",") + std::string(use->user->name());
    if (m.init && !m.exit)
      users += users.empty() ? "[permanent]" : ",[permanent]";
    char letters[kmodld::taint_flags_count];
    const std::size_t count = kmodld::taint_letters(m.taints, letters);
    constexpr const char* states[] = {"live", "coming", "going", "unformed"};
    fmt::print("{:<24} {:>8}  {:>4}  {:<7} {:#018x} {:<6} {}\n", m.name(),
               kmodld::memory_size(m, false), kmodld::visible_refcount(m),
               states[static_cast<unsigned>(m.state.load())], kmodld::text_address(m).value,
               count == 0 ? "-" : std::string_view(letters, count), users);
  }
}

namespace {

/// Twenty bytes of `AB:CD:...` a line, as kmod breaks it.
std::string in_lines(const std::string& bytes) {
  constexpr std::size_t line = 20 * 3;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += line)
    out += (at == 0 ? "" : "\n\t\t") + bytes.substr(at, line);
  return out;
}

} // namespace

void modinfo(shell& self, words given) {
  expect_words(given, 1, 1, "modinfo FILE|NAME");
  const auto file = module_path(self, given[0].text);
  const byte_vector bytes = read_module_file(file);
  const module_summary view = machine_of(bytes).modinfo(bytes);
  const auto print = [](std::string_view tag, std::string_view value) {
    // Descriptions may have several lines.
    fmt::print("{:<15} {}\n", fmt::format("{}:", printable(tag)), printable(value, "\n\t"));
  };
  // A parameter's type and description are two tags.
  std::map<std::string, std::string> types;
  view.tags.for_each([&](std::string_view one) {
    constexpr std::string_view prefix = "parmtype=";
    if (!one.starts_with(prefix))
      return;
    one.remove_prefix(prefix.size());
    const std::size_t colon = one.find(':');
    if (colon != one.npos)
      types.emplace(one.substr(0, colon), one.substr(colon + 1));
  });
  print("filename", file.string());
  view.tags.for_each([&](std::string_view one) {
    const std::size_t equals = one.find('=');
    if (equals == one.npos || one.starts_with("parmtype="))
      return;
    const std::string_view tag = one.substr(0, equals);
    std::string value(one.substr(equals + 1));
    if (tag == "parm")
      if (const auto type = types.extract(value.substr(0, value.find(':'))))
        value += " (" + type.mapped() + ")";
    print(tag, value);
  });
  for (const auto& [name, type] : types)
    print("parm", name + ": (" + type + ")");
  for (const std::string& name : view.exports)
    print("exports", name);
  kmodld::signature_parts parts;
  if (split_signature(bytes, parts) != kmodld::errc::ok)
    return;
  const signer_summary signer = summary_of(parts.signature);
  print("sig_id", "PKCS#7");
  print("signer", signer.issuer);
  print("sig_key", signer.key);
  print("sig_hashalgo", signer.digest);
  print("signature", in_lines(signer.value));
}

} // namespace linux_like::commands
