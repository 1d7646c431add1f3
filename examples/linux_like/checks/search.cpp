// SPDX-License-Identifier: MIT
// Text search modules, driven through the operations they register: every position that a plain
// comparison finds, also where a match spans blocks of the text.
#include "../env/registry.hpp"
#include "support.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

extern "C" void host_kfree(void* block);

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;
constexpr unsigned gfp_kernel = 0xcc0;
constexpr int ignore_case = 2; // TS_IGNORECASE

/// The text of the running search, handed out in blocks.
struct text_source {
  std::span<const u8> text;
  std::size_t block;
} source;

unsigned next_block(unsigned consumed, const u8** block, text_search*, text_search_state*) {
  if (consumed >= source.text.size())
    return 0;
  *block = source.text.data() + consumed;
  return static_cast<unsigned>(std::min(source.block, source.text.size() - consumed));
}

/// First match at or after `offset`, -1 if there is none. As textsearch_find and textsearch_next of
/// Linux.
long find(text_search* search, text_search_state& state) {
  const unsigned at = search->operations->find(search, &state);
  return at == ~0u ? -1 : static_cast<long>(at);
}

bytes folded(bytes text) {
  for (u8& c : text)
    c = static_cast<u8>(std::toupper(c));
  return text;
}

text_search* start(verdict& result, const char* algorithm, const void* pattern, std::size_t length,
                   int flags) {
  auto* operations =
      static_cast<text_search_operations*>(find_registration("textsearch", algorithm));
  result.that(operations != nullptr, "not registered");
  if (operations == nullptr)
    return nullptr;
  text_search* search = operations->init(pattern, static_cast<unsigned>(length), gfp_kernel, flags);
  const bool refused = reinterpret_cast<std::uintptr_t>(search) >= ~std::uintptr_t{4094};
  result.that(!refused, "init refuses");
  if (refused)
    return nullptr;
  search->operations = operations;
  search->flags = flags;
  search->next_block = next_block;
  return search;
}

/// Patterns, with and without case, over several texts cut into blocks of several sizes.
/// Boyer-Moore starts anew in each block (its documentation says so), so it gets whole texts only.
bool exact_search(const char* algorithm, std::initializer_list<std::size_t> blocks,
                  std::string& why) {
  verdict result(why);
  const bytes prose =
      from_text("Abracadabra, abracadabra! ABRACADABRA; the abacus, aab aaab aaaab: ab.");
  bytes binary = noise(3000, 4);
  for (u8& byte : binary)
    byte &= 1;
  const bytes* texts[] = {&prose, &binary};
  const bytes patterns[] = {from_text("abracadabra"), from_text("ab"),  from_text("aab"),
                            from_text("x"),           from_text("ab."), from_hex("00010100010101"),
                            from_hex("0101010101")};
  for (const bytes* text : texts)
    for (const bytes& pattern : patterns)
      for (const int flags : {0, ignore_case})
        for (const std::size_t block : blocks) {
          text_search* search = start(result, algorithm, pattern.data(), pattern.size(), flags);
          if (search == nullptr)
            return result.done();
          const bytes in = flags != 0 ? folded(*text) : *text;
          const bytes what = flags != 0 ? folded(pattern) : pattern;
          source = {*text, block};
          text_search_state state{};
          const auto expected_from = [&](std::size_t from) -> long {
            const auto at =
                std::search(in.begin() + static_cast<std::ptrdiff_t>(std::min(from, in.size())),
                            in.end(), what.begin(), what.end());
            return at == in.end() ? -1 : at - in.begin();
          };
          std::size_t from = 0;
          for (int found = 0; found < 2000; ++found) {
            const long got = find(search, state);
            const long expected = expected_from(from);
            result.equal(static_cast<std::uint64_t>(got), static_cast<std::uint64_t>(expected),
                         std::string(algorithm) + " position, block " + std::to_string(block));
            if (got != expected || got < 0)
              break;
            from = static_cast<std::size_t>(got) + pattern.size();
            state.offset = static_cast<unsigned>(from); // Boyer-Moore leaves it to its caller
          }
          result.equal(search->operations->pattern_length(search), pattern.size(),
                       "length of the pattern");
          host_kfree(search);
          if (result.failed())
            return result.done();
        }
  return result.done();
}

bool kmp(const symbol_lookup&, std::string& why) {
  return exact_search("kmp", {1, 3, 7, 64, 100'000}, why);
}
bool boyer_moore(const symbol_lookup&, std::string& why) {
  return exact_search("bm", {100'000}, why);
}

/// struct ts_fsm_token of Linux.
struct token {
  std::uint16_t type;
  u8 recurrence, value;
};

bool automaton(const symbol_lookup&, std::string& why) {
  enum : std::uint16_t { specific = 0, wildcard = 1, digit = 2 };
  enum : u8 { single = 0, multiple = 3, ignored_head = 4 };
  verdict result(why);
  // Anything, "v", digits, ".", digits.
  const token version[] = {{wildcard, ignored_head, 0},
                           {specific, single, 'v'},
                           {digit, multiple, 0},
                           {specific, single, '.'},
                           {digit, multiple, 0}};
  text_search* search = start(result, "fsm", version, sizeof version, 0);
  if (search == nullptr)
    return result.done();
  const struct {
    const char* text;
    bool matches;
  } texts[] = {{"v6.1", true}, {"linux v6.12-rc", true},          {"v61", false}, {"6.1", false},
               {"v.1", false}, {"release v10.20 of today", true}, {"", false}};
  for (const auto& one : texts)
    for (const std::size_t block : {1u, 4u, 1000u}) {
      const bytes text = from_text(one.text);
      source = {text, block};
      text_search_state state{};
      result.equal(find(search, state) >= 0, one.matches, std::string("'") + one.text + "'");
    }
  host_kfree(search);
  return result.done();
}

} // namespace

std::span<const module_check> search_checks() {
  static const std::vector<module_check> all{
      {"ts_kmp", {}, "plain comparison at every position", kmp},
      {"ts_bm", {}, "plain comparison at every position", boyer_moore},
      {"ts_fsm", {}, "texts that do and do not match", automaton},
  };
  return all;
}

} // namespace linux_like::checks
