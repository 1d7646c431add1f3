// SPDX-License-Identifier: MIT
// trace: the steps of the last load; the file for Chrome's trace viewer (chrome://tracing).
#include "../trace_file.hpp"
#include "commands.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

namespace linux_like {
namespace {

double microseconds(recorder::clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

std::string outcome(const recorder::event& e) {
  if (e.undo)
    return "undone";
  return e.result == kmodld::errc::ok ? "" : std::string(kmodld::message_of(e.result));
}

} // namespace

void commands::trace(shell& self, words given) {
  expect_words(given, 0, 0, "trace");
  const auto runs = self.host.tracer.runs();
  std::size_t at = runs.size();
  while (at != 0 && runs[at - 1].what.starts_with("unload"))
    --at;
  if (at == 0)
    throw refusal(ENODATA, "nothing has been loaded yet");
  const recorder::run& last = runs[at - 1];
  fmt::print("{}: {:.1f} us\n", last.what, microseconds(last.end - last.begin));
  for (const recorder::event& e : last.events)
    fmt::print("{:>10.1f} us {:>10.1f} us  {:<36} {}\n", microseconds(e.begin - last.begin),
               microseconds(e.end - e.begin), e.name, outcome(e));
}

void write_trace_file(const recorder& tracer, const std::filesystem::path& file) {
  auto events = nlohmann::json::array();
  if (!tracer.runs().empty()) {
    const auto start = tracer.runs()[0].begin;
    const auto add = [&](std::string_view name, auto begin, auto end, std::string_view category) {
      events.push_back({{"name", name},
                        {"cat", category},
                        {"ph", "X"},
                        {"ts", microseconds(begin - start)},
                        {"dur", microseconds(end - begin)},
                        {"pid", 1},
                        {"tid", 1}});
    };
    for (const recorder::run& run : tracer.runs()) {
      add(run.what, run.begin, run.end, "module");
      for (const recorder::event& e : run.events) {
        add(e.name, e.begin, e.end, e.undo ? "undo" : "step");
        if (const std::string text = outcome(e); !text.empty())
          events.back()["args"] = {{"result", text}};
      }
    }
  }
  std::ofstream out(file);
  out << nlohmann::json{{"traceEvents", events}, {"displayTimeUnit", "ns"}}.dump(1) << '\n';
  out.flush();
  if (!out)
    throw refusal(errno == 0 ? EIO : errno, file.string() + ": cannot be written");
}

} // namespace linux_like
