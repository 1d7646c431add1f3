// SPDX-License-Identifier: MIT
#include <kmodld/error_text.hpp>
#include <kmodld/linux/parse_args.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace kmodld;

namespace {

struct list {
  std::vector<kernel_param> rows;
  u32 broken = ~0u;
  u32 size() const noexcept { return static_cast<u32>(rows.size()); }
  bool get(u32 i, kernel_param& out) const noexcept {
    out = rows[i];
    return i != broken;
  }
};

std::string shown(std::string_view s) { return s.data() == nullptr ? "(null)" : std::string{s}; }

/// Notes each call; the value "E22" makes set() answer 22.
struct recorder {
  std::string log;
  int set(kernel_param const& p, std::string_view value) noexcept {
    log += std::string{p.name} + "=" + shown(value) + ";";
    int status = 0;
    if (value.size() > 1 && value[0] == 'E')
      for (char c : tail(value, 1))
        status = status * 10 + (c - '0');
    return status;
  }
  bool no_argument(kernel_param const& p) noexcept { return p.name[0] == 'b'; }
  void report(error const& e) noexcept {
    char text[256];
    format(e, text);
    log += std::string{"["} + text + "];";
  }
};

struct with_unknown : recorder {
  int unknown(std::string_view name, std::string_view value) noexcept {
    log += "?" + std::string{name} + "=" + shown(value) + ";";
    return equal(name, "refuse") ? e_perm : 0;
  }
};

struct locked : recorder {
  bool down = true;
  bool locked_down() noexcept { return down; }
};

kernel_param named(std::string_view name, u8 flags = 0, signed char level = -1) {
  return {.name = name, .ops = {1}, .arg = {2}, .perm = 0, .level = level, .flags = flags};
}

list const params{{named("a"), named("b"), named("long_name"), named("a")}};

template <class H = recorder>
std::string run(std::string args, list const& source = params, error* last = nullptr, H h = {}) {
  result<void> r = parse_args({.who = "m"}, std::span{args.data(), args.size() + 1}, source, h);
  if (last != nullptr)
    *last = r.error();
  return h.log;
}

} // namespace

TEST_CASE("parse_args: one argument is cut in name and value") {
  struct row {
    std::string_view text, name;
    char const* value;
    std::string_view rest;
  };
  row const rows[] = {
      {"a=1 b=2", "a", "1", "b=2"},
      {"a", "a", nullptr, ""},
      {"a=", "a", "", ""},
      {"a=  b", "a", "", "b"},
      {"a==b", "a", "=b", ""},
      {"=x", "=x", nullptr, ""},
      {"=x=y", "=x", "y", ""},
      {"a=\"x y\" c", "a", "x y", "c"},
      {"a=\"x y", "a", "x y", ""},
      {"a=\"x", "a", "x", ""},
      {"a=\"", "a", "", ""},
      {"a=\" ", "a", " ", ""},
      {"a=\"\"", "a", "", ""},
      {"\"a=x y\" c", "a", "x y", "c"},
      {"\"a b=x y\"", "a b", "x y", ""},
      {"\"a\"=x", "a\"", "x", ""},
      {"\"a b\"", "a b", nullptr, ""},
      {"\"", "", nullptr, ""},
      {"\"\"", "", nullptr, ""},
      {"\"=\"", "=", nullptr, ""},
      {"\"a=\"x\"\"", "a", "x\"", ""},
      {"a=x\"y z\"w", "a", "x\"y z\"w", ""},
      {"a=x\"y z\"", "a", "x\"y z\"", ""},
      {"a\"b c\"=d", "a\"b c\"", "d", ""},
      {"a\"b=c\"", "a\"b", "c\"", ""},
      {"a\tb", "a", nullptr, "b"},
      {"a\xa0\v\f\r\nb", "a", nullptr, "b"},
      {"--", "--", nullptr, ""},
      {"a=1 \t ", "a", "1", ""},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    std::string text{r.text};
    argument a;
    auto rest = next_argument({text.data(), text.size()}, a);
    CHECK(a.name == r.name);
    CHECK((a.value.data() == nullptr) == (r.value == nullptr));
    if (r.value != nullptr)
      CHECK(a.value == r.value);
    CHECK(std::string_view{rest.data(), rest.size()} == r.rest);
    // Pieces are NUL-terminated in place, as for a C callback.
    CHECK(a.name.data()[a.name.size()] == '\0');
    if (r.value != nullptr)
      CHECK(a.value.data()[a.value.size()] == '\0');
  }
}

TEST_CASE("parse_args: parameters are set in the order of the arguments") {
  CHECK(run("") == "");
  CHECK(run(" \t\n") == "");
  CHECK(run("a=1 b long-name=x") == "a=1;b=(null);long_name=x;");
  CHECK(run("long_name=1 long-name=2") == "long_name=1;long_name=2;");
  CHECK(run("b=") == "b=;");
  CHECK(run("a=\"one two\" a=3") == "a=one two;a=3;");
}

TEST_CASE("parse_args: the text ends with its first NUL or with the span") {
  CHECK(run(std::string{"a=1\0b=2"sv}) == "a=1;");
  recorder h;
  char unterminated[] = {'a', '=', '1'};
  CHECK(parse_args({.who = "m"}, std::span<char>{unterminated}, params, h).has_value());
  CHECK(h.log == "a=1;");
}

TEST_CASE("parse_args: errors do not stop it and the last one is the answer") {
  error last;
  CHECK(run("A=1 a=2", params, &last) == "[m: Unknown parameter `A'];a=2;");
  CHECK(last.code == errc::param_unknown);
  CHECK(last.os_errno() == e_noent);
  CHECK(run("a=E28", params, &last) == "a=E28;[m: `E28' too large for parameter `a'];");
  CHECK(last.code == errc::param_too_large);
  CHECK(last.os_errno() == e_nospc);
  CHECK(run("a=E34 a=0", params, &last) == "a=E34;[m: `E34' invalid for parameter `a'];a=0;");
  CHECK(last.code == errc::param_invalid);
  CHECK(last.os_errno() == e_range);
  CHECK(run("a", params, &last) == "[m: `' invalid for parameter `a'];");
  CHECK(last.os_errno() == e_inval);
  CHECK(run("a=E2", params, &last) == "a=E2;[m: Unknown parameter `a'];");
  CHECK(last.os_errno() == e_noent);
  run("a=E28 x=1 a=E34 b", params, &last);
  CHECK(last.os_errno() == e_range);
  CHECK(last.name(error::subject) == "a");
  CHECK(last.name(error::second) == "E34");
  run("b", params, &last);
  CHECK(last.code == errc::ok);
}

TEST_CASE("parse_args: what follows two dashes") {
  CHECK(run("a=1 -- a=2  b") == "a=1;[m: parameters 'a=2  b' after `--' ignored];");
  CHECK(run("--") == "[m: parameters '' after `--' ignored];");
  CHECK(run("x -- a=2") == "[m: Unknown parameter `x'];");
  CHECK(run("--=1") == "[m: Unknown parameter `--'];");
  CHECK(run("\"--\" a=1") == "[m: parameters 'a=1' after `--' ignored];");
  CHECK(run("---") == "[m: Unknown parameter `---'];");

  recorder h;
  std::string_view after = "before";
  char none[] = "a=1";
  CHECK(parse_args({.who = "m"}, none, params, h, &after).has_value());
  CHECK(after.data() == nullptr);
  char some[] = "bad=1 --  rest of it ";
  CHECK_FALSE(parse_args({.who = "m"}, some, params, h, &after).has_value());
  CHECK(after == "rest of it ");
  char empty[] = "--";
  CHECK(parse_args({.who = "m"}, empty, params, h, &after).has_value());
  CHECK(after.data() != nullptr);
  CHECK(after.empty());
}

TEST_CASE("parse_args: unknown names go to the handler if it takes them") {
  error last;
  CHECK(run<with_unknown>("x=1 y a=2", params, &last) == "?x=1;?y=(null);a=2;");
  CHECK(last.code == errc::ok);
  CHECK(run<with_unknown>("refuse=1", params, &last) ==
        "?refuse=1;[m: `1' invalid for parameter `refuse'];");
  CHECK(last.os_errno() == e_perm);
}

TEST_CASE("parse_args: levels") {
  list const source{{named("early", 0, -5), named("late", 0, 7), named("early", 0, 7)}};
  recorder h;
  char text[] = "early=1 late=2 late";
  CHECK(parse_args({.who = "m", .min_level = 0, .max_level = 7}, text, source, h).error().code ==
        errc::param_invalid);
  CHECK(h.log == "late=2;[m: `' invalid for parameter `late'];");
  // The first of a name decides, and what is not of this level is not even checked.
  h.log.clear();
  char again[] = "early late=E22";
  CHECK(parse_args({.who = "m", .min_level = 0, .max_level = 6}, again, source, h).has_value());
  CHECK(h.log == "");
}

TEST_CASE("parse_args: unsafe and hardware parameters") {
  list const source{{named("u", kernel_param::unsafe), named("h", kernel_param::hardware),
                     named("uh", kernel_param::unsafe | kernel_param::hardware)}};
  error last;
  CHECK(run("u=1", source) == "[Setting dangerous option u - tainting kernel];u=1;");
  CHECK(run("u", source) == "[m: `' invalid for parameter `u'];");
  CHECK(run("h=1", source) == "h=1;");
  CHECK(run("h=1", source, &last, locked{}) == "[m: `1' invalid for parameter `h'];");
  CHECK(last.os_errno() == e_perm);
  CHECK(run("uh=1", source, &last, locked{}) == "[m: `1' invalid for parameter `uh'];");
  CHECK(run("uh=1", source, &last, locked{{}, false}) ==
        "[Setting dangerous option uh - tainting kernel];uh=1;");
}

TEST_CASE("parse_args: a broken table is refused before anything is set") {
  list source = params;
  source.broken = 2;
  error last;
  CHECK(run("a=1", source, &last) == "[m: entry 2 of __param has no name or no operations];");
  CHECK(last.code == errc::param_table);
  CHECK(last.os_errno() == e_noexec);
  CHECK(last.index == 2);
}

TEST_CASE("parse_args: arguments of a module that are not its parameters") {
  std::string log;
  bool async = false;
  auto feed = [&](std::string_view name, std::string_view value) {
    log.clear();
    unknown_module_argument(
        "m", {name, value}, async,
        [&](std::string_view who, std::string_view query) {
          log += std::string{who} + ":" + std::string{query};
        },
        [&](error const& e) {
          char text[128];
          format(e, text);
          log += text;
          CHECK(e.code == errc::param_ignored);
          CHECK(e.os_errno() == 0);
        });
    return log;
  };
  CHECK(feed("async_probe", {}) == "");
  CHECK(async);
  feed("async_probe", "0");
  CHECK_FALSE(async);
  feed("async_probe", "what");
  CHECK(async);
  feed("async_probe", "off");
  CHECK_FALSE(async);
  feed("async_probe", "");
  CHECK(async);
  CHECK(feed("dyndbg", {}) == "m:+p");
  CHECK(feed("dyndbg", "") == "m:");
  CHECK(feed("dyndbg", "func f +p") == "m:func f +p");
  CHECK(feed("other.dyndbg", "=_") == "other:=_");
  CHECK(feed("x", "1") == "m: unknown parameter 'x' ignored");
  CHECK(feed("x.y.z", "1") == "m: unknown parameter 'x' ignored");
  CHECK(feed("a.b.dyndbg", "1") == "m: unknown parameter 'a' ignored");
  CHECK(feed("async-probe", {}) == "m: unknown parameter 'async-probe' ignored");
}
