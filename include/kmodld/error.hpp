// SPDX-License-Identifier: MIT
// Errors as data: what went wrong, where, and with which numbers and names.
//
// The text lives in error_text.hpp, so that a host that prints nothing pays for no strings.
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/text.hpp>

#include <new>
#include <utility>

namespace kmodld {

/// What went wrong, by value: it stays printable after the image and the module are gone.
///
/// `section` and `index` (symbol or relocation, by its number in its table) are 0 where they do not
/// apply. The meaning of `number` is that of the code's message. `names` packs up to three
/// strings: the module, the subject (symbol, section, parameter ...) and a second subject.
struct error {
  errc code = errc::ok;
  /// 1 + position of the failing step in its pipeline; 0 outside one. Its name is
  /// `pipeline_type::names[step - 1]` of the loader.
  u8 step = 0;
  u32 section = 0;
  u32 index = 0;
  u64 number[2] = {0, 0};
  char names[176] = {};

  enum name_slot : u8 { module, subject, second };

  /// One of the packed strings; empty if it was not given.
  constexpr std::string_view name(name_slot which) const noexcept {
    std::string_view rest{names, sizeof names};
    for (u8 i = 0; i < which; ++i)
      rest = tail(rest, index_of(rest, '\0') + 1);
    return head(rest, index_of(rest, '\0'));
  }

  /// Stores the strings; the last ones are cut where they do not fit.
  constexpr void set_names(std::string_view m, std::string_view s = {},
                           std::string_view t = {}) noexcept {
    // 55 characters are the longest name of a Linux module, and of a symbol in __versions; the rest
    // is for the two texts of a version magic.
    std::span<char> out{names};
    std::size_t used = copy_text(out.first(56), m) + 1;
    used += copy_text(out.subspan(used, t.empty() ? out.size() - used : 60), s) + 1;
    if (used < out.size())
      copy_text(out.subspan(used), t);
  }

  /// The number a system call would return, positive; see errno_of(errc). A code whose errno comes
  /// from outside (a notifier, an init function, a verifier) has it in number[0].
  constexpr int os_errno() const noexcept {
    int e = errno_of(code);
    return e == errno_in_number ? static_cast<int>(number[0]) : e;
  }
};

static_assert(std::is_trivially_copyable_v<error>);

/// A value or an error. No exceptions, no allocation.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) noexcept : ok_{true} { ::new (&value_) T(std::move(value)); }
  result(kmodld::error const& e) noexcept : error_{e}, ok_{false} {}
  result(result&& o) noexcept : ok_{o.ok_} {
    if (ok_)
      ::new (&value_) T(std::move(o.value_));
    else
      ::new (&error_) kmodld::error(o.error_);
  }
  result& operator=(result&&) = delete;
  ~result() {
    if (ok_)
      value_.~T();
  }

  explicit operator bool() const noexcept { return ok_; }
  bool has_value() const noexcept { return ok_; }
  /// The value; only if there is one.
  T& value() & noexcept { return value_; }
  T const& value() const& noexcept { return value_; }
  T&& value() && noexcept { return std::move(value_); }
  T& operator*() & noexcept { return value_; }
  T const& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return &value_; }
  /// The error; only if there is no value.
  kmodld::error const& error() const noexcept { return error_; }

private:
  union {
    T value_;
    kmodld::error error_;
  };
  bool ok_;
};

template <>
class [[nodiscard]] result<void> {
public:
  result() noexcept = default;
  result(kmodld::error const& e) noexcept : error_{e} {}
  explicit operator bool() const noexcept { return error_.code == errc::ok; }
  bool has_value() const noexcept { return error_.code == errc::ok; }
  kmodld::error const& error() const noexcept { return error_; }

private:
  kmodld::error error_{};
};

} // namespace kmodld
