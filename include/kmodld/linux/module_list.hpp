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
      at_ = at_->in_list.next.load(std::memory_order_acquire);
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
    for (u8 i = 0; i < m.all_memories().size(); ++i)
      if (m.memories[i].memory.size != 0) {
        m.nodes[i].first = m.memories[i].memory.target;
        m.nodes[i].owner = &m;
        addresses_.insert(m.nodes[i], i);
      }
    insert(head_, m, &module::in_list);
    m.name_hash = hash_of(m.name());
    insert(buckets_[m.name_hash & (bucket_count - 1)], m, &module::in_bucket);
  }

  /// Unlinks `m`; nothing happens if it is not in the list. A reader that stands on it still finds
  /// the rest, so `m` must live until the reclaimer's synchronize() has returned. Writers only.
  void remove(module& m) noexcept {
    if (m.in_list.link == nullptr)
      return;
    unlink(m, &module::in_bucket);
    unlink(m, &module::in_list);
    for (u8 i = 0; i < m.all_memories().size(); ++i)
      forget(m, i);
  }

  /// Memory i of `m` is about to be given back: addresses in it are nobody's from now on. As with
  /// remove() it must live on until synchronize() has returned. Writers only.
  void forget(module& m, u8 i) noexcept {
    if (m.nodes[i].owner != nullptr)
      addresses_.remove(m.nodes[i], i);
  }

  /// The module of this name, byte for byte; null if there is none. Unformed ones are found by the
  /// duplicate check alone.
  module* find(std::string_view name, bool also_unformed) const noexcept {
    // Every load asks for its own name: a walk over all records would miss the cache at each.
    u32 const hash = hash_of(name);
    for (module* m = buckets_[hash & (bucket_count - 1)].load(std::memory_order_acquire);
         m != nullptr; m = m->in_bucket.next.load(std::memory_order_acquire))
      if (m->name_hash == hash && m->name() == name && (also_unformed || formed(*m)))
        return m;
    return nullptr;
  }

  /// A module of this name will be asked for: its bucket is fetched, and with the second call what
  /// is in it. For anybody; nothing is read of a record.
  void prefetch(std::string_view name, bool again) const noexcept {
    link const& bucket = buckets_[hash_of(name) & (bucket_count - 1)];
    module const* const first = again ? bucket.load(std::memory_order_relaxed) : nullptr;
    __builtin_prefetch(first != nullptr ? static_cast<void const*>(&first->name_hash) : &bucket);
  }

  /// The formed module one of whose memories contains `a`; null if there is none.
  module* find_containing(address a) const noexcept {
    address_node const* const node = addresses_.last_not_after(a);
    if (node == nullptr || !formed(*node->owner))
      return nullptr;
    for (module_memory const& part : node->owner->all_memories())
      if (part.memory.contains(a))
        return node->owner;
    return nullptr;
  }

private:
  using link = std::atomic<module*>;
  static constexpr u32 bucket_count = 1024;

  using where = module::place module::*;

  [[gnu::noinline]] static void insert(link& head, module& m, where list) noexcept {
    module* const next = head.load(std::memory_order_relaxed);
    (m.*list).next.store(next, std::memory_order_relaxed);
    (m.*list).link = &head;
    if (next != nullptr)
      (next->*list).link = &(m.*list).next;
    head.store(&m, std::memory_order_release);
  }
  [[gnu::noinline]] static void unlink(module& m, where list) noexcept {
    module::place& here = m.*list;
    module* const next = here.next.load(std::memory_order_relaxed);
    if (next != nullptr)
      (next->*list).link = here.link;
    here.link->store(next, std::memory_order_release);
    here.link = nullptr;
  }

  /// FNV-1a, as good as the names are honest; else it is the walk that it replaces.
  [[gnu::noinline]] static u32 hash_of(std::string_view name) noexcept {
    u32 hash = 2166136261u;
    for (char c : name)
      hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash ^ hash >> 16;
  }

  static bool formed(module const& m) noexcept {
    return m.state.load(std::memory_order_acquire) != module_state::unformed;
  }

  link head_{nullptr};
  link buckets_[bucket_count] = {};
  address_list addresses_;
  static_assert(address_list::kinds >= module::max_memories);
};

} // namespace kmodld
