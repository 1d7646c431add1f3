// SPDX-License-Identifier: MIT
// Copies of the values of charp parameters: a char* of the module is pointed to memory that the
// loader owns and gives back (kmalloc_parameter of kernel/params.c).
#pragma once

#include <kmodld/module.hpp>
#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/lock.hpp>

#include <new>
#include <utility>

namespace kmodld {

/// All copies that live, each in memory of kind record, whose target address is what the module
/// gets to see. `Allocator` and `Lock` may be reference types; the lock guards the list.
template <class Allocator, class Lock = no_lock>
class param_strings {
public:
  /// Stands before the text, in the same allocation.
  struct alignas(16) copy {
    copy* next;
    region memory;
    module const* owner;
    address variable; ///< the char* that points to it, or did

    address target() const noexcept { return memory.target + sizeof(copy); }
    /// As the module left it: it may write there.
    std::string_view text() const noexcept {
      std::string_view all{reinterpret_cast<char const*>(this + 1),
                           static_cast<std::size_t>(memory.size) - sizeof(copy)};
      return head(all, index_of(all, '\0'));
    }
  };

  explicit param_strings(Allocator allocator, Lock lock = {}) noexcept
      : allocator_{std::forward<Allocator>(allocator)}, lock_{std::forward<Lock>(lock)} {}
  param_strings(param_strings const&) = delete;
  param_strings& operator=(param_strings const&) = delete;
  ~param_strings() {
    release_if([](copy const&) { return true; });
  }

  /// A new copy with its NUL; null if there is no memory.
  copy const* add(module const& owner, address variable, std::string_view value) noexcept {
    memory_request const request{.kind = memory_kind::record,
                                 .size = sizeof(copy) + value.size() + 1,
                                 .align = alignof(copy),
                                 .reach = {}};
    region memory;
    if (allocator_.allocate(request, memory) != memory_status::ok)
      return nullptr;
    auto* c = ::new (memory.host) copy{nullptr, memory, &owner, variable};
    std::byte* text = memory.host + sizeof(copy);
    __builtin_memcpy(text, value.data(), value.size());
    text[value.size()] = std::byte{0};
    guard hold{lock_};
    c->next = first_;
    first_ = c;
    return c;
  }

  /// The first copy for which which(copy const&) holds; null if there is none.
  template <class Predicate>
  copy const* find_if(Predicate which) noexcept {
    guard hold{lock_};
    for (copy* c = first_; c != nullptr; c = c->next)
      if (which(*c))
        return c;
    return nullptr;
  }

  /// Gives back every copy for which which(copy const&) holds.
  template <class Predicate>
  void release_if(Predicate which) noexcept {
    copy* gone = nullptr;
    {
      guard hold{lock_};
      for (copy** link = &first_; *link != nullptr;) {
        copy* c = *link;
        if (!which(*c)) {
          link = &c->next;
          continue;
        }
        *link = c->next;
        c->next = gone;
        gone = c;
      }
    }
    while (gone != nullptr) {
      copy* c = gone;
      gone = c->next;
      allocator_.release(memory_kind::record, c->memory);
    }
  }

private:
  using guard = lock_guard<std::remove_reference_t<Lock>>;

  copy* first_ = nullptr;
  [[no_unique_address]] Allocator allocator_;
  [[no_unique_address]] Lock lock_;
};

} // namespace kmodld
