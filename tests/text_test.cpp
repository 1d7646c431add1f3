// SPDX-License-Identifier: MIT
// text.hpp: string operations at their ends.
#include <kmodld/text.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace kmodld;

namespace {
byte_view bytes(std::vector<char> const& v) { return std::as_bytes(std::span{v}); }
} // namespace

TEST_CASE("head and tail") {
  CHECK(head("abc", 0) == "");
  CHECK(head("abc", 2) == "ab");
  CHECK(head("abc", 99) == "abc");
  CHECK(tail("abc", 0) == "abc");
  CHECK(tail("abc", 2) == "c");
  CHECK(tail("abc", 3) == "");
  CHECK(tail("abc", ~std::size_t{0}) == "");
}

TEST_CASE("equal and starts_with") {
  CHECK(equal("", ""));
  CHECK(equal("ab", "ab"));
  CHECK(!equal("ab", "ac"));
  CHECK(!equal("ab", "abc"));
  CHECK(starts_with(".init.text", ".init"));
  CHECK(starts_with("x", ""));
  CHECK(!starts_with(".ini", ".init"));
  CHECK(!starts_with(".exit", ".init"));
}

TEST_CASE("index_of") {
  CHECK(index_of("a=b=c", '=') == 1);
  CHECK(index_of("a=b=c", '=', 1) == 1);
  CHECK(index_of("a=b=c", '=', 2) == 3);
  CHECK(index_of("a=b=c", '=', 4) == 5);
  CHECK(index_of("abc", '=') == 3);
  CHECK(index_of("abc", 'a', 99) == 3);
  CHECK(index_of("", 'a') == 0);
}

TEST_CASE("c_string") {
  CHECK(c_string("abc") == "abc");
  CHECK(c_string("") == "");
  CHECK(c_string(nullptr) == "");
}

TEST_CASE("string_at stays inside its table") {
  std::vector<char> table{'\0', 'a', 'b', '\0', 'c', 'd'};
  CHECK(string_at(bytes(table), 0) == "");
  CHECK(string_at(bytes(table), 1) == "ab");
  CHECK(string_at(bytes(table), 2) == "b");
  CHECK(string_at(bytes(table), 4) == "cd"); // not terminated: ends with the table
  CHECK(string_at(bytes(table), 5) == "d");
  CHECK(string_at(bytes(table), 6) == "");
  CHECK(string_at(bytes(table), ~u64{0}) == "");
  CHECK(string_at({}, 0) == "");
}

TEST_CASE("as_text keeps NULs") {
  std::vector<char> v{'a', '\0', 'b'};
  CHECK(as_text(bytes(v)).size() == 3);
  CHECK(as_text({}).empty());
}

TEST_CASE("copy_text cuts and always ends with NUL") {
  char out[4] = {'x', 'x', 'x', 'x'};
  CHECK(copy_text(out, "ab") == 2);
  CHECK(out[2] == '\0');
  CHECK(out[3] == 'x');
  CHECK(copy_text(out, "abc") == 3);
  CHECK(c_string(out) == "abc");
  CHECK(copy_text(out, "abcd") == 3);
  CHECK(c_string(out) == "abc");
  CHECK(copy_text(std::span<char>{out, 1}, "abc") == 0);
  CHECK(out[0] == '\0');
  CHECK(copy_text({}, "abc") == 0);
}

TEST_CASE("equal and index_of at every length and alignment, next to memory that is not theirs") {
  for (std::size_t align = 0; align < 9; ++align)
    for (std::size_t size = 0; size < 40; ++size) {
      // Of exact size, so that the sanitizer sees a byte too many.
      std::vector<char> a(align + size, 'x');
      std::string_view const text{a.data() + align, size};
      CHECK(index_of(text, 'y') == size);
      for (std::size_t at = 0; at < size; ++at) {
        std::vector<char> b = a;
        std::string_view const other{b.data() + align, size};
        CHECK(equal(text, other));
        b[align + at] = 'y';
        CHECK(!equal(text, other));
        CHECK(index_of(other, 'y') == at);
        CHECK(index_of(other, 'y', at + 1) == size);
        CHECK(index_of(other, 'y', at / 2) == at);
      }
    }
  // Bytes beside the one looked for: 0x80, 0x01 and 0xff make carries where they could mislead.
  for (char c : {'\0', '\x01', '\x7f', '\x80', '\xff'})
    for (char other : {'\0', '\x01', '\x7e', '\x80', '\x81', '\xff'})
      if (c != other) {
        std::vector<char> v(16, other);
        v[11] = v[13] = c;
        CHECK(index_of({v.data(), v.size()}, c) == 11);
      }
  static_assert(index_of("abcdefghijkl", 'k') == 10 && equal("abcdefghijkl", "abcdefghijkl"));
}

TEST_CASE("copy_text") {
  char out[6] = "zzzzz";
  CHECK(copy_text(out, "ab") == 2);
  CHECK(std::string_view{out} == "ab");
  CHECK(copy_text(out, "abcdefgh") == 5);
  CHECK(std::string_view{out} == "abcde");
  CHECK(copy_text(std::span{out, 0}, "x") == 0);
}
