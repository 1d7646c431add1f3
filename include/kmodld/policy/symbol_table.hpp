// SPDX-License-Identifier: MIT
// Symbol resolver: one hash table over the exports of the host and of all modules (what find_symbol
// of kernel/module does by a binary search in every module's tables).
//
// Open addressing with linear probing. A slot is a tag (the part of the name's hash that fits a
// pointer) and the oldest export of the name; further exports of the same name hang off it in order
// of age. Readers take no lock: slots are published by release stores of pointer width, a slot that
// was ever used is never moved within its array, and a new array replaces the old one by one store.
#pragma once

#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/lock.hpp>
#include <kmodld/policy/name_hash.hpp>
#include <kmodld/policy/reclaimer.hpp>
#include <kmodld/policy/symbol_resolver.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

namespace kmodld {

struct symbol_table_options {
  u64 seed = 0x243f6a8885a308d3; ///< random, where modules come from strangers
  /// Exports of the host outside do not widen bounds(): absolute values, per-CPU offsets.
  reach_window bounded_by{};
};

/// The resolver for hosts that list their exports. Names, name spaces and owners are referred to,
/// not copied.
///
/// Changes (add, remove, reserve) are made by one context at a time, normally under the loader's
/// lock; the allocator is called then, so it must not take that lock. reserve() beforehand makes
/// such calls rare. find() and find_batch() may be called under the lock, or, between the
/// reclaimer's read_enter and read_leave, from anywhere; all else under the lock.
template <allocator_policy A, reclaimer_policy R = no_reclaimer>
class symbol_table {
  // Without readers that run beside the writer, what is unpublished is free at once.
  static constexpr bool immediate = std::same_as<R, no_reclaimer>;

public:
  static constexpr bool for_readers = !immediate;
  static constexpr std::size_t max_names = std::size_t{1} << 25;

  explicit symbol_table(A& memory, symbol_table_options options = {}) noexcept
    requires std::same_as<R, no_reclaimer>
      : allocator_{memory}, hash_{options.seed}, bounded_by_{options.bounded_by} {}
  symbol_table(A& memory, R& reclaimer, symbol_table_options options = {}) noexcept
      : allocator_{memory}, reclaimer_{&reclaimer}, hash_{options.seed},
        bounded_by_{options.bounded_by} {}
  symbol_table(symbol_table const&) = delete;
  symbol_table& operator=(symbol_table const&) = delete;

  /// Gives back all memory; there must be no readers any more.
  ~symbol_table() {
    release_arrays(retired_arrays_);
    if (array* t = array_.load(std::memory_order_relaxed))
      allocator_.release(memory_kind::record, t->memory);
    while (chunks_ != nullptr) {
      chunk* c = chunks_;
      chunks_ = c->next;
      allocator_.release(memory_kind::record, c->memory);
    }
  }

  /// Adds an export. A later one of the same name and owner that nobody could ever see is dropped.
  /// False if there is no memory; then nothing has changed.
  bool add(std::string_view name, exported_symbol const& symbol) noexcept {
    std::uintptr_t tag = tag_of(name);
    array* t = array_.load(std::memory_order_relaxed);
    entry* last = nullptr;
    if (slot* s = t == nullptr ? nullptr : slot_of(*t, tag, name))
      for (entry* e = s->first.load(std::memory_order_relaxed); e != nullptr;
           e = e->newer.load(std::memory_order_relaxed)) {
        if (e->symbol.owner == symbol.owner && e->symbol.gpl_only <= symbol.gpl_only)
          return true;
        last = e;
      }
    if (last == nullptr && !make_room(1))
      return false;
    if (free_ == nullptr && !add_chunk(chunk_entries))
      return false;
    entry* e = free_;
    free_ = e->link;
    --free_count_;
    e->symbol = symbol;
    e->name = name;
    e->newer.store(nullptr, std::memory_order_relaxed);
    if (last != nullptr)
      last->newer.store(e, std::memory_order_release);
    else
      publish(*array_.load(std::memory_order_relaxed), tag, *e);
    if (symbol.owner == nullptr && bounded_by_.holds(symbol.value, 1))
      widen(symbol.value);
    return true;
  }

  /// Removes the owner's exports of this name, if there are any.
  void remove(std::string_view name, module const& owner) noexcept { remove_of(name, &owner); }
  /// Removes the host's.
  void remove(std::string_view name) noexcept { remove_of(name, nullptr); }

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) const noexcept {
    array* t = array_.load(std::memory_order_acquire);
    return t != nullptr && visible(first_of(*t, tag_of(name), name), gpl_ok, out);
  }

  /// This name will be asked for soon.
  void prefetch(std::string_view name) const noexcept {
    if (array* t = array_.load(std::memory_order_acquire); t != nullptr)
      __builtin_prefetch(&t->slots()[tag_of(name) & t->mask]);
  }

  /// Like find() for each query, with the cache misses of up to 32 of them under way at once.
  void find_batch(symbol_query* queries, std::size_t count) const noexcept {
    array* t = array_.load(std::memory_order_acquire);
    std::uintptr_t tags[batch];
    entry const* guess[batch];
    for (std::size_t n; count != 0; queries += n, count -= n) {
      n = count < batch ? count : batch;
      if (t == nullptr) {
        for (std::size_t i = 0; i < n; ++i)
          queries[i].found = false;
        continue;
      }
      for (std::size_t i = 0; i < n; ++i) {
        tags[i] = tag_of(queries[i].name);
        __builtin_prefetch(&t->slots()[tags[i] & t->mask]);
      }
      for (std::size_t i = 0; i < n; ++i) {
        guess[i] = first_tagged(*t, tags[i]);
        __builtin_prefetch(guess[i]);
        if (guess[i] != nullptr) // entries may lie across two lines
          __builtin_prefetch(&guess[i]->name);
      }
      for (std::size_t i = 0; i < n; ++i)
        if (guess[i] != nullptr)
          __builtin_prefetch(guess[i]->name.data());
      for (std::size_t i = 0; i < n; ++i) {
        symbol_query& q = queries[i];
        if (guess[i] != nullptr && !same(guess[i]->name, q.name))
          guess[i] = first_of(*t, tags[i], q.name); // another name with this tag
        q.found = visible(guess[i], q.gpl_ok, q.symbol);
      }
    }
  }

  /// From the lowest to the highest value that the host exported; never narrowed. Empty (first >
  /// last) before the first.
  reach_window bounds() const noexcept { return bounds_; }

  /// Makes room for `more` new names, so that as many add() calls allocate nothing. False if there
  /// is no memory.
  bool reserve(std::size_t more) noexcept {
    return make_room(more) && (free_count_ >= more || add_chunk(more - free_count_));
  }

  /// Makes what was removed or outgrown usable again once no reader sees it: call it now and then,
  /// such as after each unload, without the lock, which it takes for moments. Several contexts may
  /// call it. Without a reclaimer there is never anything to do.
  template <lock_policy L>
  void collect(L& lock) noexcept {
    if constexpr (!immediate) {
      lock.lock();
      array* arrays = std::exchange(retired_arrays_, nullptr);
      entry* entries = std::exchange(retired_, nullptr);
      lock.unlock();
      if (arrays == nullptr && entries == nullptr)
        return;
      reclaimer_->synchronize();
      release_arrays(arrays);
      lock_guard<L> hold{lock};
      while (entries != nullptr)
        make_free(*std::exchange(entries, entries->link));
    }
  }

  std::size_t names() const noexcept { return live_; }
  std::size_t capacity() const noexcept {
    array* t = array_.load(std::memory_order_relaxed);
    return t == nullptr ? 0 : t->mask + 1;
  }

private:
  static constexpr std::uintptr_t unused = 0, removed = 1; ///< tags of slots without an entry
  static constexpr std::size_t batch = 32;
  static constexpr std::size_t line = 64;

  struct entry {
    std::atomic<entry*> newer{nullptr}; ///< a removed entry keeps it for readers that stand on it
    exported_symbol symbol;
    std::string_view name;
    entry* link = nullptr; ///< in the free or the retired list
  };
  struct slot {
    std::atomic<std::uintptr_t> tag{unused};
    std::atomic<entry*> first{nullptr};
  };
  struct alignas(line) array {
    std::size_t mask;
    region memory;
    array* next = nullptr;

    slot* slots() const noexcept { return reinterpret_cast<slot*>(const_cast<array*>(this) + 1); }
  };
  struct chunk {
    chunk* next;
    region memory;
  };
  static constexpr std::size_t chunk_entries = (4096 - sizeof(chunk)) / sizeof(entry);
  static_assert(alignof(chunk) >= alignof(entry) || sizeof(chunk) % alignof(entry) == 0);

  std::uintptr_t tag_of(std::string_view name) const noexcept {
    auto tag = static_cast<std::uintptr_t>(hash_(name));
    return tag > removed ? tag : tag + 2;
  }
  static bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           (a.empty() || __builtin_memcmp(a.data(), b.data(), a.size()) == 0);
  }

  /// The first entry behind `tag` that `accept` takes, and its slot. There is always an unused
  /// slot.
  template <class Accept>
  static slot* probe(array const& t, std::uintptr_t tag, entry*& found, Accept accept) noexcept {
    for (std::size_t i = tag & t.mask;; i = (i + 1) & t.mask) {
      slot& s = t.slots()[i];
      std::uintptr_t here = s.tag.load(std::memory_order_acquire);
      if (here == unused)
        return nullptr;
      // The entry may be gone, or already another name's, by the time it is loaded.
      if (here != tag)
        continue;
      found = s.first.load(std::memory_order_acquire);
      if (found != nullptr && accept(*found))
        return &s;
    }
  }
  static slot* slot_of(array const& t, std::uintptr_t tag, std::string_view name) noexcept {
    entry* e;
    return probe(t, tag, e, [&](entry const& x) { return same(x.name, name); });
  }
  static entry const* first_of(array const& t, std::uintptr_t tag, std::string_view name) noexcept {
    entry* e;
    return probe(t, tag, e, [&](entry const& x) { return same(x.name, name); }) ? e : nullptr;
  }
  static entry const* first_tagged(array const& t, std::uintptr_t tag) noexcept {
    entry* e;
    return probe(t, tag, e, [](entry const&) { return true; }) ? e : nullptr;
  }
  static bool visible(entry const* e, bool gpl_ok, exported_symbol& out) noexcept {
    for (; e != nullptr; e = e->newer.load(std::memory_order_acquire))
      if (gpl_ok || !e->symbol.gpl_only) {
        out = e->symbol;
        return true;
      }
    return false;
  }

  /// Puts an entry of a new name into a slot. The tag is stored last: who sees it sees the entry.
  void publish(array& t, std::uintptr_t tag, entry& e) noexcept {
    std::size_t i = tag & t.mask;
    while (t.slots()[i].tag.load(std::memory_order_relaxed) > removed)
      i = (i + 1) & t.mask;
    slot& s = t.slots()[i];
    if (s.tag.load(std::memory_order_relaxed) == removed)
      --tombstones_;
    ++live_;
    s.first.store(&e, std::memory_order_release);
    s.tag.store(tag, std::memory_order_release);
  }

  void remove_of(std::string_view name, module const* owner) noexcept {
    array* t = array_.load(std::memory_order_relaxed);
    slot* s = t == nullptr ? nullptr : slot_of(*t, tag_of(name), name);
    if (s == nullptr)
      return;
    std::atomic<entry*>* link = &s->first;
    while (entry* e = link->load(std::memory_order_relaxed)) {
      entry* next = e->newer.load(std::memory_order_relaxed);
      if (e->symbol.owner != owner) {
        link = &e->newer;
        continue;
      }
      if (link == &s->first && next == nullptr)
        vacate(*t, *s);
      link->store(next, std::memory_order_release);
      e->link = retired_;
      if constexpr (immediate)
        make_free(*e);
      else
        retired_ = e;
    }
  }

  /// Marks a slot as removed; at the end of a run of slots, together with others, as unused.
  void vacate(array& t, slot& s) noexcept {
    --live_;
    ++tombstones_;
    s.tag.store(removed, std::memory_order_release);
    auto i = static_cast<std::size_t>(&s - t.slots());
    if (t.slots()[(i + 1) & t.mask].tag.load(std::memory_order_relaxed) != unused)
      return;
    for (; t.slots()[i].tag.load(std::memory_order_relaxed) == removed; i = (i - 1) & t.mask) {
      t.slots()[i].tag.store(unused, std::memory_order_release);
      --tombstones_;
    }
  }

  /// At most half of the slots hold names and at most a quarter were removed: with `more` names
  /// that still holds, or a new array is made.
  bool make_room(std::size_t more) noexcept {
    std::size_t slots = capacity();
    if (more > max_names || live_ + more > max_names)
      return false;
    if (live_ + more <= slots / 2 && tombstones_ <= slots / 4)
      return true;
    std::size_t wanted = line;
    while (wanted * 3 / 8 < live_ + more)
      wanted *= 2;
    region memory;
    u64 size = sizeof(array) + u64{wanted} * sizeof(slot);
    if (allocator_.allocate({memory_kind::record, size, line, {}}, memory) != memory_status::ok)
      return false;
    array* fresh = ::new (memory.host) array{.mask = wanted - 1, .memory = memory};
    for (std::size_t i = 0; i < wanted; ++i)
      ::new (&fresh->slots()[i]) slot;
    array* old = array_.load(std::memory_order_relaxed);
    live_ = tombstones_ = 0;
    for (std::size_t i = 0; i < slots; ++i) {
      slot& s = old->slots()[i];
      if (std::uintptr_t tag = s.tag.load(std::memory_order_relaxed); tag > removed)
        publish(*fresh, tag, *s.first.load(std::memory_order_relaxed));
    }
    array_.store(fresh, std::memory_order_release);
    if (old != nullptr) {
      old->next = retired_arrays_;
      retired_arrays_ = old;
    }
    if constexpr (immediate)
      release_arrays(std::exchange(retired_arrays_, nullptr));
    return true;
  }

  bool add_chunk(std::size_t count) noexcept {
    region memory;
    u64 size = sizeof(chunk) + u64{count} * sizeof(entry);
    if (allocator_.allocate({memory_kind::record, size, alignof(chunk), {}}, memory) !=
        memory_status::ok)
      return false;
    chunks_ = ::new (memory.host) chunk{chunks_, memory};
    auto* entries = reinterpret_cast<entry*>(chunks_ + 1);
    for (std::size_t i = count; i-- > 0;)
      make_free(*::new (&entries[i]) entry);
    return true;
  }
  void make_free(entry& e) noexcept {
    e.link = free_;
    free_ = &e;
    ++free_count_;
  }
  void release_arrays(array* list) noexcept {
    while (list != nullptr) {
      array* t = list;
      list = t->next;
      allocator_.release(memory_kind::record, t->memory);
    }
  }
  void widen(address value) noexcept {
    if (bounds_.empty())
      bounds_ = {value, value};
    else if (value < bounds_.first)
      bounds_.first = value;
    else if (value > bounds_.last)
      bounds_.last = value;
  }

  A& allocator_;
  R* reclaimer_ = nullptr;
  name_hash hash_;
  reach_window bounded_by_;
  reach_window bounds_{{~u64{0}}, {0}};
  std::atomic<array*> array_{nullptr};
  std::size_t live_ = 0;       ///< slots that hold a name
  std::size_t tombstones_ = 0; ///< slots marked as removed
  entry* free_ = nullptr;
  std::size_t free_count_ = 0;
  entry* retired_ = nullptr;
  array* retired_arrays_ = nullptr;
  chunk* chunks_ = nullptr;
};

static_assert(symbol_resolver_policy<symbol_table<no_memory_allocator>>);
static_assert(export_registry<symbol_table<no_memory_allocator>>);
static_assert(batch_resolver<symbol_table<no_memory_allocator>>);
static_assert(bounded_resolver<symbol_table<no_memory_allocator>>);

} // namespace kmodld
