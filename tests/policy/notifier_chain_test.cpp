// SPDX-License-Identifier: MIT
#include <kmodld/policy/notifier_chain.hpp>

#include <kmodld/module.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using kmodld::module_event;

/// A subscriber that writes down what it is told, such as "a:coming", and may refuse.
struct subscriber {
  std::vector<std::string>& trace;
  std::string name;
  int answer = 0;
  kmodld::module* expected = nullptr;
  kmodld::notifier_node node{};

  subscriber(std::vector<std::string>& t, std::string n, int priority, int a = 0)
      : trace{t}, name{std::move(n)}, answer{a} {
    node.call = [](void* context, module_event event, kmodld::module& m) noexcept {
      auto& self = *static_cast<subscriber*>(context);
      char const* const events[] = {"coming", "live", "going"};
      self.trace.push_back(self.name + ":" + events[static_cast<int>(event)]);
      if (self.expected != nullptr)
        CHECK(self.expected == &m);
      return self.answer;
    };
    node.context = this;
    node.priority = priority;
  }
  subscriber(subscriber const&) = delete;
};

using trace_type = std::vector<std::string>;

TEST_CASE("high priority first, equal ones in the order of registration") {
  trace_type trace;
  subscriber low{trace, "low", -5}, a{trace, "a", 0}, b{trace, "b", 0}, c{trace, "c", 0},
      high{trace, "high", 2};
  kmodld::notifier_chain chain;
  for (subscriber* s : {&a, &low, &b, &high, &c})
    CHECK(chain.add(s->node));
  kmodld::module m;
  for (subscriber* s : {&a, &low, &b, &high, &c})
    s->expected = &m;
  CHECK(chain.notify(module_event::live, m) == 0);
  CHECK(trace == trace_type{"high:live", "a:live", "b:live", "c:live", "low:live"});
}

TEST_CASE("a refusal of coming rolls back those before it, from the head") {
  trace_type trace;
  subscriber a{trace, "a", 3}, b{trace, "b", 2}, c{trace, "c", 1, 12}, d{trace, "d", 0};
  kmodld::notifier_chain chain;
  for (subscriber* s : {&d, &c, &b, &a})
    chain.add(s->node);
  kmodld::module m;
  CHECK(chain.notify(module_event::coming, m) == 12);
  CHECK(trace == trace_type{"a:coming", "b:coming", "c:coming", "a:going", "b:going"});

  SUBCASE("the first one refuses: nobody is told going") {
    trace.clear();
    a.answer = 1;
    CHECK(chain.notify(module_event::coming, m) == 1);
    CHECK(trace == trace_type{"a:coming"});
  }
  SUBCASE("answers during the roll-back do not matter") {
    trace.clear();
    b.answer = 7;
    chain.remove(c.node);
    CHECK(chain.notify(module_event::coming, m) == 7);
    CHECK(trace == trace_type{"a:coming", "b:coming", "a:going"});
  }
}

TEST_CASE("results of live and going are ignored") {
  trace_type trace;
  subscriber a{trace, "a", 1, 5}, b{trace, "b", 0, 6};
  kmodld::notifier_chain chain;
  chain.add(a.node);
  chain.add(b.node);
  kmodld::module m;
  CHECK(chain.notify(module_event::live, m) == 0);
  CHECK(chain.notify(module_event::going, m) == 0);
  CHECK(trace == trace_type{"a:live", "b:live", "a:going", "b:going"});
}

TEST_CASE("a node is in the chain once or not at all") {
  trace_type trace;
  subscriber a{trace, "a", 1}, b{trace, "b", 0}, c{trace, "c", 1};
  kmodld::notifier_chain chain;
  CHECK_FALSE(chain.remove(a.node));
  CHECK(chain.add(b.node));
  CHECK(chain.add(a.node));
  CHECK_FALSE(chain.add(b.node));
  CHECK_FALSE(chain.add(a.node));
  CHECK_FALSE(chain.remove(c.node));
  kmodld::module m;
  chain.notify(module_event::coming, m);
  CHECK(trace == trace_type{"a:coming", "b:coming"});

  trace.clear();
  CHECK(chain.remove(a.node));
  CHECK_FALSE(chain.remove(a.node));
  CHECK(chain.add(c.node));
  CHECK(chain.add(a.node));
  chain.notify(module_event::coming, m);
  CHECK(trace == trace_type{"c:coming", "a:coming", "b:coming"});
}

TEST_CASE("an empty chain accepts everything") {
  kmodld::notifier_chain chain;
  kmodld::module m;
  CHECK(chain.notify(module_event::coming, m) == 0);
}

} // namespace
