// SPDX-License-Identifier: MIT
// A chain of callbacks that are told of modules, as the kernel's blocking notifier chain
// (blocking_notifier_call_chain_robust, kernel/notifier.c).
#pragma once

#include <kmodld/policy/notifier.hpp>

namespace kmodld {

/// One subscriber, owned by whoever subscribes; it must live as long as it is in a chain.
struct notifier_node {
  /// 0, or for `coming` a positive errno that refuses the module. Results of `live` and `going` are
  /// ignored: nobody could act on them.
  int (*call)(void* context, module_event event, module& m) noexcept = nullptr;
  void* context = nullptr;
  int priority = 0; ///< the higher, the earlier; equal ones are called in order of registration
  notifier_node* next = nullptr; ///< the chain's own
};

/// An intrusive list of subscribers. It takes no lock: whoever changes the chain (add, remove) must
/// keep notify() out meanwhile, with a lock of the host's; that is not the loader's, which is free
/// during notifications. A callback must not change the chain that calls it.
class notifier_chain {
public:
  notifier_chain() = default;
  notifier_chain(notifier_chain const&) = delete;
  notifier_chain& operator=(notifier_chain const&) = delete;

  /// False if the node is in the chain already (EEXIST in the kernel).
  bool add(notifier_node& node) noexcept {
    notifier_node** place = nullptr;
    for (notifier_node** link = &head_;; link = &(*link)->next) {
      if (*link == &node)
        return false;
      if (place == nullptr && (*link == nullptr || (*link)->priority < node.priority))
        place = link;
      if (*link == nullptr)
        break;
    }
    node.next = *place;
    *place = &node;
    return true;
  }

  /// False if the node is not in the chain (ENOENT in the kernel).
  bool remove(notifier_node& node) noexcept {
    for (notifier_node** link = &head_; *link != nullptr; link = &(*link)->next)
      if (*link == &node) {
        *link = node.next;
        node.next = nullptr;
        return true;
      }
    return false;
  }

  /// Calls everybody. The first one to refuse `coming` ends that: those before it are told `going`,
  /// from the head as in the kernel, it and those behind it nothing, and its errno is the answer.
  int notify(module_event event, module& m) noexcept {
    for (notifier_node* node = head_; node != nullptr; node = node->next) {
      int refused = node->call(node->context, event, m);
      if (event != module_event::coming || refused == 0)
        continue;
      for (notifier_node* told = head_; told != node; told = told->next)
        told->call(told->context, module_event::going, m);
      return refused;
    }
    return 0;
  }

private:
  notifier_node* head_ = nullptr;
};
static_assert(notifier_policy<notifier_chain>);

} // namespace kmodld
