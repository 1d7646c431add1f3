// SPDX-License-Identifier: MIT
// Does a loaded module of Linux compute the right thing? One check a module: its own functions are
// called and the results compared with published vectors or an independent library.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace linux_like {

/// Gives the address of a function or object of the module being checked, exported or local; null
/// if it has none.
struct symbol_lookup {
  std::function<void*(const char* symbol)> find_address;

  /// Throws std::runtime_error if there is none, which run_check answers with.
  void* find(const char* symbol) const;

  /// The same as a function to call: kernel code has the C calling convention of the process.
  template <class Signature>
  Signature* function(const char* symbol) const {
    return reinterpret_cast<Signature*>(find(symbol));
  }
};

struct module_check {
  const char* module;
  /// Modules to load before, in order.
  std::vector<const char*> needs;
  /// What the results are compared with, to print.
  const char* against;
  /// True if everything is right; `why` then says what was done, otherwise what was wrong.
  bool (*run)(const symbol_lookup& symbols, std::string& why);
};

/// Runs one check in run_guarded: a missing symbol or a fault of the module is a failure too.
bool run_check(const module_check& check, const symbol_lookup& symbols, std::string& why);

/// All checks. The modules are loaded and their init has been called before `run`.
std::span<const module_check> module_checks();

} // namespace linux_like
