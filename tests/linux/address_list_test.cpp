// SPDX-License-Identifier: MIT
#include <kmodld/linux/address_list.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <vector>

using namespace kmodld;

TEST_CASE("address_list: what a sorted map says, whatever comes and goes of which kind") {
  address_list list;
  std::map<u64, address_node*> model;
  std::deque<address_node> nodes;
  std::vector<std::pair<address_node*, unsigned>> in;
  std::minstd_rand random{5};
  auto const below = [&](u64 n) { return static_cast<u64>(random()) % n; };
  u64 next[address_list::kinds] = {};
  for (unsigned round = 0; round < 20000; ++round) {
    auto const kind = static_cast<unsigned>(below(address_list::kinds));
    if (in.empty() || below(5) < 3) {
      // One behind the other, as in an arena, or anywhere.
      u64 const at = below(4) != 0 ? kind * 0x10000000 + (next[kind] += 0x1000 * (1 + below(3)))
                                   : below(0x80000) * 0x1000;
      if (!model.emplace(at, nullptr).second)
        continue;
      address_node& node = nodes.emplace_back();
      node.first = {at};
      list.insert(node, kind);
      model[at] = &node;
      in.emplace_back(&node, kind);
    } else {
      std::size_t const i = below(2) == 0 ? in.size() - 1 : below(in.size());
      auto const [node, its_kind] = in[i];
      list.remove(*node, its_kind);
      model.erase(node->first.value);
      if (below(8) == 0)
        list.remove(*node, its_kind); // nothing happens
      for (auto& link : node->after)  // who comes here loses the rest
        link.store(nullptr);
      in.erase(in.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (int k = 0; k < 3; ++k) {
      u64 const a = below(0x80000) * 0x1000 + below(0x1000);
      auto const behind = model.upper_bound(a);
      address_node* const expected = behind == model.begin() ? nullptr : std::prev(behind)->second;
      REQUIRE(list.last_not_after({a}) == expected);
    }
  }
  CHECK(model.size() > 1000);
}
