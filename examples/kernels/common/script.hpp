// SPDX-License-Identifier: MIT
// The checks of a kernel's script: each prints a line, and the kernel's exit status follows them.
#pragma once

#include "console.hpp"

namespace kernel {

class script {
public:
  /// Prints `ok` or `FAIL` with the parts; gives `passed` on.
  template <class... Parts>
  bool check(bool passed, Parts const&... parts) {
    print(passed ? "ok   " : "FAIL ", parts..., '\n');
    ++(passed ? passed_ : failed_);
    return passed;
  }

  bool succeeded() const { return failed_ == 0 && passed_ != 0; }
  void print_summary() const { print(passed_, " passed, ", failed_, " failed\n"); }

private:
  u64 passed_ = 0;
  u64 failed_ = 0;
};

} // namespace kernel
