// SPDX-License-Identifier: MIT
// The list of modules, newest first, and the way from an address to its module (Linux: `modules`,
// find_module_all, __module_address).
//
// Writers hold the loader's lock. Readers may stand anywhere, also in a trap that interrupted a
// writer, between read_enter and read_leave of the reclaimer: they see a consistent list because
// a writer publishes with one store and leaves the link of a removed module as it was.
#pragma once

#include <kmodld/module.hpp>

namespace kmodld {

class module_list {
public:
  module_list() noexcept = default;
  module_list(module_list const&) = delete;
  module_list& operator=(module_list const&) = delete;

  class iterator {
  public:
    constexpr explicit iterator(module* at) noexcept : at_{at} {}
    module& operator*() const noexcept { return *at_; }
    module* operator->() const noexcept { return at_; }
    iterator& operator++() noexcept {
      at_ = at_->next.load(std::memory_order_acquire);
      return *this;
    }
    friend constexpr bool operator==(iterator, iterator) noexcept = default;

  private:
    module* at_;
  };

  iterator begin() const noexcept { return iterator{head_.load(std::memory_order_acquire)}; }
  static constexpr iterator end() noexcept { return iterator{nullptr}; }
  bool empty() const noexcept { return begin() == end(); }

  /// Makes `m` visible, complete as it is; its memories must be known. Writers only.
  void push_front(module& m) noexcept {
    for (module_memory const& part : m.all_memories())
      if (part.memory.size != 0)
        widen(part.memory);
    insert<&module::next>(head_, m);
    insert<&module::next_in_bucket>(bucket(m.name()), m);
  }

  /// Unlinks `m`; nothing happens if it is not in the list. A reader that stands on it still finds
  /// the rest, so `m` must live until the reclaimer's synchronize() has returned. Writers only.
  void remove(module& m) noexcept {
    unlink<&module::next_in_bucket>(bucket(m.name()), m);
    unlink<&module::next>(head_, m);
  }

  /// The module of this name, byte for byte; null if there is none. Unformed ones are found by the
  /// duplicate check alone.
  module* find(std::string_view name, bool also_unformed) const noexcept {
    // Every load asks for its own name: a walk over all records would miss the cache at each.
    for (module* m = bucket(name).load(std::memory_order_acquire); m != nullptr;
         m = m->next_in_bucket.load(std::memory_order_acquire))
      if (named(*m, name) && (also_unformed || formed(*m)))
        return m;
    return nullptr;
  }

  /// The formed module one of whose memories contains `a`; null if there is none.
  module* find_containing(address a) const noexcept {
    std::uintptr_t k = key(a.value);
    if (k < low_.load(std::memory_order_acquire) || k > high_.load(std::memory_order_acquire))
      return nullptr;
    for (module& m : *this)
      for (module_memory const& part : m.all_memories())
        if (part.memory.contains(a))
          return formed(m) ? &m : nullptr;
    return nullptr;
  }

private:
  using link = std::atomic<module*>;
  static constexpr u32 bucket_count = 256;

  template <link module::* Next>
  static void insert(link& head, module& m) noexcept {
    (m.*Next).store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    head.store(&m, std::memory_order_release);
  }
  template <link module::* Next>
  static void unlink(link& head, module& m) noexcept {
    link* at = &head;
    for (module* here = at->load(std::memory_order_relaxed); here != nullptr;
         here = at->load(std::memory_order_relaxed)) {
      if (here == &m) {
        at->store((m.*Next).load(std::memory_order_relaxed), std::memory_order_release);
        return;
      }
      at = &(here->*Next);
    }
  }

  /// FNV-1a, as good as the names are honest; else it is the walk that it replaces.
  link& bucket(std::string_view name) const noexcept {
    u32 hash = 2166136261u;
    for (char c : name)
      hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return buckets_[(hash ^ hash >> 16) & (bucket_count - 1)];
  }
  /// Ends at the first difference: names of one bucket are few but not equal.
  static bool named(module const& m, std::string_view name) noexcept {
    if (name.size() >= module::name_capacity)
      return false;
    for (std::size_t i = 0; i < name.size(); ++i)
      if (m.name_text[i] != name[i] || name[i] == '\0')
        return false;
    return m.name_text[name.size()] == '\0';
  }

  static bool formed(module const& m) noexcept {
    return m.state.load(std::memory_order_acquire) != module_state::unformed;
  }

  /// An order-preserving image of an address in the widest integer that every host loads at once.
  static constexpr std::uintptr_t key(u64 value) noexcept {
    return value > ~std::uintptr_t{0} ? ~std::uintptr_t{0} : static_cast<std::uintptr_t>(value);
  }

  /// Like Linux's module_addr_min and module_addr_max the bounds never shrink.
  void widen(region const& r) noexcept {
    std::uintptr_t first = key(r.target.value);
    std::uintptr_t last = key(r.target.value + (r.size - 1));
    if (first < low_.load(std::memory_order_relaxed))
      low_.store(first, std::memory_order_release);
    if (last > high_.load(std::memory_order_relaxed))
      high_.store(last, std::memory_order_release);
  }

  link head_{nullptr};
  mutable link buckets_[bucket_count] = {};
  std::atomic<std::uintptr_t> low_{~std::uintptr_t{0}};
  std::atomic<std::uintptr_t> high_{0};
};

} // namespace kmodld
