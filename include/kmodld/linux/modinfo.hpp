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

private:
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

  std::string_view search(std::string_view tag, std::size_t at) const noexcept {
    for (; at < text_.size(); at = next_string(at)) {
      std::string_view whole = string_from(at);
      if (whole.size() > tag.size() && whole[tag.size()] == '=' && starts_with(whole, tag))
        return {whole.data() + tag.size() + 1, whole.size() - tag.size() - 1};
    }
    return {};
  }

  std::string_view text_;
};

} // namespace kmodld
