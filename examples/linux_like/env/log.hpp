// SPDX-License-Identifier: MIT
// The kernel log: what modules print and what the host adds, as dmesg shows it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace linux_like {

/// One line without its newline. `level` is 0 (emergency) to 7 (debug), the time counts from the
/// first line.
struct log_record {
  std::uint64_t microseconds;
  int level;
  std::string text;
};

/// Appends one line (several if `text` holds newlines).
void log(int level, std::string_view text);
/// Appends what printk was given: level prefix (SOH digit, or 'c' to continue the line) and text.
void log_printk(std::string_view text);
/// Everything so far, oldest first; valid until the next line.
std::span<const log_record> log_records();
/// Called with each new line; an empty function switches it off.
void set_log_sink(std::function<void(const log_record&)> sink);

} // namespace linux_like
