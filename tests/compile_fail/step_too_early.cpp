// expect: kmodld: a step needs a value that no earlier step yields
// SPDX-License-Identifier: MIT
// A pipeline in which a step stands before the one that yields what it needs.
#include <kmodld/pipeline.hpp>

using namespace kmodld;

struct environment_of_test {
  errc enter_step(std::string_view, std::size_t) noexcept { return errc::ok; }
  void leave_step(std::string_view, errc) noexcept {}
};
struct layout_value {};
struct makes_layout {
  static constexpr std::string_view name = "makes_layout"sv;
  using yields = types<layout_value>;
  static errc run(environment_of_test&, layout_value&) noexcept { return errc::ok; }
};
struct uses_layout {
  static constexpr std::string_view name = "uses_layout"sv;
  using needs = types<layout_value>;
  static errc run(environment_of_test&, layout_value const&) noexcept { return errc::ok; }
};

#ifdef GOOD
using steps_in_order = pipeline<makes_layout, uses_layout>;
#else
using steps_in_order = pipeline<uses_layout, makes_layout>;
#endif

errc use(environment_of_test& env) {
  steps_in_order::values values;
  return steps_in_order::run(env, values);
}
