// SPDX-License-Identifier: MIT
// From an address to the memory that it may lie in (Linux: mod_tree, a latched tree): a skip list
// by first address, of nodes that lie in the modules' records. Nothing is allocated, and a search
// takes as many steps more as the number of modules has digits.
//
// Writers hold the loader's lock. Readers may stand anywhere: a node is published from the lowest
// level up and taken out from the highest down, and keeps its links for who stands on it.
#pragma once

#include <kmodld/address.hpp>

#include <atomic>

namespace kmodld {

struct module;

/// One memory of a module.
struct address_node {
  static constexpr unsigned levels = 4; ///< one node of 16 is in the next level, too

  std::atomic<address_node*> after[levels]{};
  address first;
  module* owner = nullptr;
};

class address_list {
public:
  address_list() noexcept = default;
  address_list(address_list const&) = delete;
  address_list& operator=(address_list const&) = delete;

  /// A kind is the index of a memory in its module. Those of one kind mostly come one behind the
  /// other: each kind's search goes on from where its last one ended. Any kind gives the same
  /// result.
  static constexpr unsigned kinds = 7;

  /// `node` must have its address and owner, and not be in the list. Writers only.
  void insert(address_node& node, unsigned kind) noexcept {
    path& before = seek(node.first, nullptr, kind);
    for (unsigned level = 0; level < height(node.first); ++level) {
      link& at = links_of(before[level])[level];
      node.after[level].store(at.load(std::memory_order_relaxed), std::memory_order_relaxed);
      at.store(&node, std::memory_order_release);
    }
  }

  /// Nothing happens if it is not in the list. The node must stay until no reader can stand on it.
  /// Writers only.
  void remove(address_node& node, unsigned kind) noexcept {
    path& before = seek(node.first, &node, kind);
    for (unsigned level = height(node.first); level-- != 0;) {
      link& at = links_of(before[level])[level];
      if (at.load(std::memory_order_relaxed) == &node)
        at.store(node.after[level].load(std::memory_order_relaxed), std::memory_order_release);
      for (path& other : paths_)
        if (other[level] == &node)
          other[level] = before[level];
    }
  }

  /// The node that begins last at or before `a`; null if there is none.
  address_node* last_not_after(address a) const noexcept {
    address_node* found = nullptr;
    link const* links = first_;
    for (unsigned level = address_node::levels; level-- != 0;)
      for (address_node* next = links[level].load(std::memory_order_acquire);
           next != nullptr && next->first <= a;
           next = links[level].load(std::memory_order_acquire)) {
        found = next;
        links = next->after;
      }
    return found;
  }

private:
  using link = std::atomic<address_node*>;
  using path = address_node * [address_node::levels];

  /// By the address alone, so that it needs no memory of its own.
  [[gnu::noinline]] static unsigned height(address a) noexcept {
    u64 bits = (a.value >> 12) * 0x9e3779b97f4a7c15 >> 40;
    unsigned h = 1;
    for (; h < address_node::levels && (bits & 15) == 0; bits >>= 4)
      ++h;
    return h;
  }

  link* links_of(address_node* node) noexcept { return node == nullptr ? first_ : node->after; }

  /// At each level the last node that begins before `a`, or of others that begin there the last
  /// before `node`; null where there is none.
  [[gnu::noinline]] path& seek(address a, address_node const* node, unsigned kind) noexcept {
    path& at = paths_[kind];
    address_node* before = nullptr;
    for (unsigned level = address_node::levels; level-- != 0;) {
      if (address_node* const last = at[level];
          last != nullptr && last->first < a && (before == nullptr || before->first < last->first))
        before = last;
      for (address_node* next = links_of(before)[level].load(std::memory_order_relaxed);
           next != nullptr &&
           (next->first < a || (node != nullptr && next->first == a && next != node));
           next = next->after[level].load(std::memory_order_relaxed))
        before = next;
      at[level] = before;
    }
    return at;
  }

  link first_[address_node::levels]{};
  path paths_[kinds]{}; ///< of nodes that are in the list
};

} // namespace kmodld
