// SPDX-License-Identifier: MIT
// What tools show of a module of any architecture.
#pragma once

#include <kmodld/linux/modinfo.hpp>

#include <string>
#include <vector>

namespace linux_like {

/// `modinfo`. The tags are a view into the file.
struct module_summary {
  kmodld::modinfo tags;
  std::vector<std::string> exports;
};

/// `map`: where a loader would put what, from a made-up address on.
struct module_map {
  struct part {
    std::string name;
    kmodld::u64 address, size;
  };
  std::vector<part> regions; ///< none for objects that are no modules
  std::vector<part> sections;
};

} // namespace linux_like
