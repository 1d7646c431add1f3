// SPDX-License-Identifier: MIT
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>
#include <kmodld/hosted/stdio_diagnostics.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

std::string printed(kmodld::error const& e, int times = 1) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  kmodld::hosted::stdio_diagnostics out{file};
  for (int i = 0; i < times; ++i)
    out.report(e);
  std::rewind(file);
  char text[4096];
  std::string result(text, std::fread(text, 1, sizeof text, file));
  std::fclose(file);
  return result;
}

TEST_CASE("one line a report, the text of format()") {
  kmodld::error e{.code = kmodld::errc::symbol_unknown};
  e.set_names("example", "missing_function");
  char text[512];
  std::string line(text, kmodld::format(e, text));
  REQUIRE(line.find("missing_function") != std::string::npos);
  CHECK(printed(e) == line + "\n");
  CHECK(printed(e, 2) == line + "\n" + line + "\n");
}

TEST_CASE("control characters of a name do not reach the terminal") {
  kmodld::error e{.code = kmodld::errc::symbol_unknown};
  e.set_names("example", "a\nb\x1b[2J\x7f");
  std::string line = printed(e);
  CHECK(line.find("a?b?[2J?") != std::string::npos);
  CHECK(line.find('\n') == line.size() - 1);
}

/// An aggregate: its base is made from {}, as a loader makes what its caller leaves out.
struct counted : kmodld::hosted::stdio_diagnostics {
  int reports = 0;
  void report(kmodld::error const&) noexcept { ++reports; }
};
struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = kmodld::no_memory_allocator;
  using symbol_resolver = kmodld::no_symbols;
  using protector = kmodld::no_protection;
  using notifier = kmodld::no_notifier;
  using diagnostics = counted;
};

TEST_CASE("a policy that adds to it needs no constructor") {
  kmodld::policies<config> p;
  p.diagnostics.report({});
  CHECK(p.diagnostics.reports == 1);
}

} // namespace
