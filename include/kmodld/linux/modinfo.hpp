// SPDX-License-Identifier: MIT
// The `.modinfo` section: a run of `tag=value` strings, each ended by one or more NULs
// (get_modinfo, get_next_modinfo of kernel/module).
#pragma once

#include <kmodld/text.hpp>

namespace kmodld {

/// A view of the section; it owns nothing, and no call reads past the section's end, also if the
/// last string lacks its NUL. Values are views into the section.
class modinfo {
public:
  modinfo() noexcept = default;
  explicit modinfo(byte_view section) noexcept : text_{as_text(section)} {}

  /// The value of the first string with this tag; data() is null if there is none, and is not
  /// null for an empty value.
  std::string_view get(std::string_view tag) const noexcept { return search(tag, 0); }

  /// The next value of the tag after `previous`, which get() or get_next() answered; with null
  /// data it begins at the start like get().
  std::string_view get_next(std::string_view tag, std::string_view previous) const noexcept {
    if (previous.data() == nullptr)
      return get(tag);
    std::size_t at = reinterpret_cast<std::uintptr_t>(previous.data()) -
                     reinterpret_cast<std::uintptr_t>(text_.data());
    return at > text_.size() ? std::string_view{} : search(tag, next_string(at));
  }

  bool has(std::string_view tag) const noexcept { return get(tag).data() != nullptr; }

  /// Calls f(std::string_view) with every string, whether or not it has a `=`; padding is skipped.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t at = 0; at < text_.size(); at = next_string(at)) {
      std::string_view whole = string_from(at);
      if (!whole.empty())
        f(whole);
    }
  }

protected:
  std::string_view string_from(std::size_t at) const noexcept {
    std::string_view rest{text_.data() + at, text_.size() - at};
    return head(rest, index_of(rest, '\0'));
  }

  /// Over the string at `at` and all NULs behind it.
  std::size_t next_string(std::size_t at) const noexcept {
    at = index_of(text_, '\0', at);
    while (at < text_.size() && text_[at] == '\0')
      ++at;
    return at;
  }

  std::string_view text_;

private:
  std::string_view search(std::string_view tag, std::size_t at) const noexcept {
    for (; at < text_.size(); at = next_string(at)) {
      std::string_view whole = string_from(at);
      if (whole.size() > tag.size() && whole[tag.size()] == '=' && starts_with(whole, tag))
        return {whole.data() + tag.size() + 1, whole.size() - tag.size() - 1};
    }
    return {};
  }
};

/// The tags that the loader asks for.
enum class modinfo_tag : u8 {
  name,
  vermagic,
  intree,
  retpoline,
  staging,
  livepatch,
  license,
  test,
  version,
  srcversion,
  import_ns,
};

/// The same, with the first value of each of those tags, found by one walk: an absent one would
/// cost a walk over all aliases of the module.
class loader_modinfo : public modinfo {
  static constexpr std::string_view known[] = {
      "name"sv,    "vermagic"sv, "intree"sv,  "retpoline"sv,  "staging"sv,   "livepatch"sv,
      "license"sv, "test"sv,     "version"sv, "srcversion"sv, "import_ns"sv,
  };
  static constexpr std::size_t count = sizeof known / sizeof known[0];

public:
  loader_modinfo() noexcept = default;
  explicit loader_modinfo(byte_view section) noexcept : modinfo{section} {
    for (std::size_t at = 0; at < text_.size(); at = next_string(at))
      if ((first_letters >> (text_[at] & 31) & 1) != 0)
        note(string_from(at));
  }

  /// As get() of the tag's name.
  std::string_view first(modinfo_tag tag) const noexcept { return first_[static_cast<u8>(tag)]; }
  bool has(modinfo_tag tag) const noexcept { return first(tag).data() != nullptr; }
  static constexpr std::string_view name_of(modinfo_tag tag) noexcept {
    return known[static_cast<u8>(tag)];
  }

private:
  void note(std::string_view text) noexcept {
    std::size_t const size = index_of(text, '=');
    for (std::size_t i = 0; i < count && size != text.size(); ++i)
      if (equal(head(text, size), known[i]) && first_[i].data() == nullptr)
        first_[i] = {text.data() + size + 1, text.size() - size - 1};
  }

  static constexpr u32 first_letters = [] {
    u32 set = 0;
    for (std::string_view tag : known)
      set |= u32{1} << (tag[0] & 31);
    return set;
  }();

  std::string_view first_[count];
};

} // namespace kmodld
