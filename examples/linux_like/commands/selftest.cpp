// SPDX-License-Identifier: MIT
// selftest: calls functions of modules and compares what they answer with published results.
#include "../checks/checks.hpp"
#include "commands.hpp"

namespace linux_like::commands {
namespace {

/// Loads what a check needs; false, and why, where the package does not have it.
bool load_for(shell& self, const module_check& check, std::string& why) {
  std::vector<const char*> names = check.needs;
  names.push_back(check.module);
  for (const char* name : names)
    if (!self.host.find_module(name) && !self.index.is_builtin(name) &&
        self.index.find(name).empty()) {
      why = std::string(name) + " is not below --root";
      return false;
    }
  for (const char* name : names) {
    const word given{name, false};
    modprobe(self, {&given, 1});
  }
  return true;
}

bool run_one(shell& self, const module_check& check, kmodld::module& m, std::string& why) {
  const symbol_lookup symbols{[&](const char* name) {
    return reinterpret_cast<void*>(kmodld::lookup_name<elf_format>(m, name).value);
  }};
  const bool right = run_check(check, symbols, why);
  why = self.host.explain(why);
  return right;
}

} // namespace

void selftest(shell& self, words given) {
  expect_words(given, 0, 1, "selftest [MODULE | --all]");
  expect_running(self);
  const bool all = !given.empty() && given[0].text == "--all";
  std::size_t good = 0, bad = 0, absent = 0;
  for (const module_check& check : module_checks()) {
    if (!given.empty() && !all && folded(given[0].text) != folded(check.module))
      continue;
    std::string why;
    bool right = false;
    try {
      if (all && !load_for(self, check, why)) {
        ++absent;
        fmt::print("absent {:<24} {}\n", check.module, why);
        continue;
      }
      const auto m = self.host.find_module(check.module);
      if (!m && !all)
        continue;
      right = m && run_one(self, check, *m, why);
    } catch (const refusal& no) {
      why = text_of(no);
    }
    ++(right ? good : bad);
    fmt::print("{} {:<24} {} ({})\n", right ? "right " : "WRONG ", check.module, why,
               check.against);
  }
  if (!given.empty() && !all && good + bad == 0) {
    loaded_module(self, given[0].text);
    throw refusal(ENODATA, given[0].text + ": there is no check for this module");
  }
  fmt::print("{} modules right, {} wrong, {} absent\n", good, bad, absent);
  if (bad != 0)
    throw refusal(EILSEQ, "a module computes wrong results");
}

} // namespace linux_like::commands
