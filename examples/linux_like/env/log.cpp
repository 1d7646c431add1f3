// SPDX-License-Identifier: MIT
// Lines of the kernel log. Level prefixes: KERN_SOH and a digit, as in linux/kern_levels.h.
#include "log.hpp"

#include <chrono>
#include <vector>

namespace linux_like {
namespace {

constexpr int default_level = 4;

struct kernel_log {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::vector<log_record> records;
  std::function<void(const log_record&)> sink;
  std::string pending;
  int pending_level = default_level;
};

kernel_log& instance() {
  static kernel_log the_log;
  return the_log;
}

void finish_line(int level, std::string text) {
  kernel_log& self = instance();
  const auto age = std::chrono::steady_clock::now() - self.start;
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(age).count();
  self.records.push_back({static_cast<std::uint64_t>(micro), level, std::move(text)});
  if (self.sink)
    self.sink(self.records.back());
}

} // namespace

void log(int level, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    finish_line(level, std::string(text.substr(0, end)));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

void log_printk(std::string_view text) {
  kernel_log& self = instance();
  bool continues = false;
  int level = default_level;
  if (text.size() >= 2 && text[0] == '\1') {
    continues = text[1] == 'c';
    if (text[1] >= '0' && text[1] <= '7')
      level = text[1] - '0';
    text.remove_prefix(2);
  }
  if (!continues && !self.pending.empty()) {
    finish_line(self.pending_level, std::move(self.pending));
    self.pending.clear();
  }
  if (!continues)
    self.pending_level = level;
  self.pending += text;
  for (std::size_t end; (end = self.pending.find('\n')) != std::string::npos;) {
    finish_line(self.pending_level, self.pending.substr(0, end));
    self.pending.erase(0, end + 1);
  }
}

std::span<const log_record> log_records() {
  kernel_log& self = instance();
  if (!self.pending.empty()) {
    finish_line(self.pending_level, std::move(self.pending));
    self.pending.clear();
  }
  return self.records;
}

void set_log_sink(std::function<void(const log_record&)> sink) {
  instance().sink = std::move(sink);
}

} // namespace linux_like
