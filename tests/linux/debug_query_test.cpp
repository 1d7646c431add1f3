// SPDX-License-Identifier: MIT
#include <kmodld/linux/debug_query.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

namespace {

debug_query parsed(std::string_view text, std::string_view module = {}) {
  debug_query q;
  CAPTURE(text);
  CHECK(parse_debug_query(text, module, q) == 0);
  return q;
}

} // namespace

TEST_CASE("debug_query: wildcards") {
  struct row {
    std::string_view pattern, text;
    bool match;
  };
  row const rows[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"**", "ab", true},
      {"a", "a", true},
      {"a", "ab", false},
      {"?", "", false},
      {"?", "a", true},
      {"a?c", "abc", true},
      {"a*c", "ac", true},
      {"a*c", "abbc", true},
      {"a*c", "abcd", false},
      {"*b*", "abc", true},
      {"*b", "abab", true},
      {"a*b*c", "aXbYbZc", true},
      {"a*b*c", "aXcYb", false},
      {"*aab", "aaaab", true},
      {"??*", "a", false},
      {"A", "a", false},
  };
  for (row const& r : rows) {
    CAPTURE(r.pattern);
    CAPTURE(r.text);
    CHECK(match_wildcard(r.pattern, r.text) == r.match);
  }
  // Quadratic at worst, not exponential.
  std::string many(2000, 'a'), stars;
  for (int i = 0; i < 50; ++i)
    stars += "a*";
  CHECK_FALSE(match_wildcard(stars + "b", many));
}

TEST_CASE("debug_query: flags") {
  CHECK(parsed("+p").apply(0) == debug_print);
  CHECK(parsed("+p").apply(debug_line) == (debug_print | debug_line));
  CHECK(parsed("-pl").apply(debug_print | debug_line | debug_thread) == debug_thread);
  CHECK(parsed("=mf").apply(debug_print | debug_line) == (debug_module | debug_function));
  CHECK(parsed("=_").apply(0xff) == 0);
  CHECK(parsed("+_").apply(debug_stack) == debug_stack);
  CHECK(parsed("=pmfsltd").apply(0) == 0x7f);
  CHECK(parsed("+").apply(5) == 5);
  u8 const bits[] = {1, 2, 4, 32, 8, 16, 64};
  for (std::size_t i = 0; i < 7; ++i) {
    std::string text = "=";
    text += "pmfsltd"[i];
    CHECK(parsed(text).apply(0) == bits[i]);
  }
}

TEST_CASE("debug_query: matches") {
  debug_query q = parsed("module a file b.c func c format 'd e' +p");
  CHECK(q.module == "a");
  CHECK(q.file == "b.c");
  CHECK(q.function == "c");
  CHECK(q.format == "d e");
  q = parsed("class F line 3-5 +p # a comment");
  CHECK(q.class_name == "F");
  CHECK(q.module.data() == nullptr);
  CHECK(q.first_line == 3);
  CHECK(q.last_line == 5);
  CHECK(parsed("\t format \"x # y\" =p ").format == "x # y");
  CHECK(parsed("+p", "given").module == "given");

  q = parsed("file a.c:10-20 +p");
  CHECK(q.file == "a.c");
  CHECK(q.first_line == 10);
  CHECK(q.last_line == 20);
  q = parsed("file a.c:f*_? +p");
  CHECK(q.function == "f*_?");
  CHECK(parsed("file a.c:*x +p").function == "*x");
  CHECK(parsed("file a.c: +p").file == "a.c");
}

TEST_CASE("debug_query: lines") {
  struct row {
    char const* text;
    u32 line;
    bool match;
  };
  row const rows[] = {
      {"line 5 +p", 5, true},   {"line 5 +p", 4, false},      {"line 5 +p", 6, false},
      {"line 5-7 +p", 5, true}, {"line 5-7 +p", 7, true},     {"line 5-7 +p", 8, false},
      {"line 5- +p", 4, false}, {"line 5- +p", 262143, true}, {"line -5 +p", 1, true},
      {"line -5 +p", 6, false}, {"line 0 +p", 9, true},
  };
  for (row const& r : rows) {
    CAPTURE(r.text);
    CAPTURE(r.line);
    CHECK(parsed(r.text).holds_line(r.line) == r.match);
  }
}

TEST_CASE("debug_query: malformed ones") {
  for (char const* text : {"",
                           "p",
                           "*p",
                           "+x",
                           "+p +p",
                           "func +p",
                           "func a",
                           "wtf a +p",
                           "func a func b +p",
                           "file a file b +p",
                           "format a format b +p",
                           "module a module b +p",
                           "class a class b +p",
                           "line 1 line 2 +p",
                           "file a:1 line 2 +p",
                           "file a:f func g +p",
                           "line x +p",
                           "line 1-x +p",
                           "line 7-5 +p",
                           "line 1--2 +p",
                           "line 99999999999 +p",
                           "format 'a +p",
                           "format \"a +p",
                           "func a file b format c line 1 class e +p",
                           "func # +p"}) {
    CAPTURE(text);
    debug_query q;
    CHECK(parse_debug_query(text, {}, q) == e_inval);
  }
  debug_query q;
  CHECK(parse_debug_query("module m +p", "m", q) == e_inval);
}

TEST_CASE("debug_query: several in one text") {
  std::string seen;
  for_each_debug_query(" func a +p; func b -p\n\n;# no\n  =_ ;",
                       [&](std::string_view one) { seen.append(one).append("|"); });
  CHECK(seen == "func a +p|func b -p|=_ |");
}

TEST_CASE("debug_query: formats are searched for unescaped text") {
  struct row {
    std::string_view wanted, format;
    bool match;
  };
  row const rows[] = {
      {"b c", "a b c d", true},
      {"", "abc", true},
      {"", "", true},
      {"abc", "ab", false},
      {"nfsd:\\040SETATTR", "x nfsd: SETATTR", true},
      {"a\\nb", "a\nb", true},
      {"\\n", "a", false},
      {"\\\"q\\\"", "say \"q\"", true},
      {"\\\\n", "a\\n", true},
      {"\\z", "\\z", true},
      {"a\\", "a\\", true},
      {"\\1a", "\1a", true},
      {"\\0401", " 1", true},
      {"^ab", "abc", true},
      {"^b", "abc", false},
      {"^", "abc", true},
      {"a^", "a^b", true},
      {"\\t\\r\\v\\f\\a\\e", "\t\r\v\f\a\x1b", true},
  };
  for (row const& r : rows) {
    CAPTURE(r.wanted);
    CAPTURE(r.format);
    CHECK(match_debug_format(r.wanted, r.format) == r.match);
  }
}
