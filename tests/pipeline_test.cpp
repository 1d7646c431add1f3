// SPDX-License-Identifier: MIT
// The pipeline by itself: values, order of runs and undos, commit; and a loader whose Config
// inserts, replaces and drops a step.
#include <kmodld/pipeline.hpp>

#include "support/module_builder.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/loader.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace kmodld::test {
namespace {

/// What a pipeline asks of an environment.
struct test_env {
  std::vector<std::string> log{};
  std::string fail_in{};
  std::string refuse_to_enter{};

  errc enter_step(std::string_view step, std::size_t position) {
    log.push_back(std::to_string(position) + ' ' + std::string{step});
    return step == refuse_to_enter ? errc::injected : errc::ok;
  }
  void leave_step(std::string_view step, errc r) {
    log.push_back((r == errc::ok ? "done " : "failed ") + std::string{step});
  }
  errc answer(std::string_view step) const { return step == fail_in ? errc::no_memory : errc::ok; }
};

struct number {
  int n = 0;
};
struct text {
  std::string s{};
};

struct make_number {
  static constexpr std::string_view name = "make_number"sv;
  using yields = types<number>;
  static errc run(test_env& env, number& out) {
    out.n = 7;
    return env.answer(name);
  }
  static void undo(test_env& env, number& n) {
    env.log.push_back("undo make_number " + std::to_string(n.n));
  }
};
struct make_text {
  static constexpr std::string_view name = "make_text"sv;
  using needs = types<number>;
  using yields = types<text>;
  static errc run(test_env& env, number const& n, text& out) {
    out.s = std::to_string(n.n);
    return env.answer(name);
  }
};
struct change_number {
  static constexpr std::string_view name = "change_number"sv;
  using needs = types<text>;
  using mutates = types<number>;
  static errc run(test_env& env, text const& t, number& n) {
    n.n += static_cast<int>(t.s.size());
    return env.answer(name);
  }
  static void undo(test_env& env, number& n) {
    env.log.push_back("undo change_number " + std::to_string(n.n));
    --n.n;
  }
};
struct commit {
  static constexpr std::string_view name = "commit"sv;
  static constexpr bool commits = true;
  using mutates = types<number>;
  static errc run(test_env& env, number&) { return env.answer(name); }
  static void undo(test_env& env, number&) { env.log.push_back("undo commit"); }
};
struct last {
  static constexpr std::string_view name = "last"sv;
  static errc run(test_env& env) { return env.answer(name); }
  static void undo(test_env& env) { env.log.push_back("undo last"); }
};

using four = pipeline<make_number, make_text, change_number, last>;
struct fails_late {
  static constexpr std::string_view name = "fails_late"sv;
  static errc run(test_env& env) { return env.answer(name); }
};
using committing = pipeline<make_number, commit, last, fails_late>;

template <class P>
errc run(test_env& env) {
  typename P::values values;
  return P::run(env, values);
}

using log_type = std::vector<std::string>;

} // namespace

TEST_CASE("steps run in order and pass values on") {
  test_env env;
  four::values values;
  CHECK(four::run(env, values) == errc::ok);
  CHECK(values.get<number>().n == 8);
  CHECK(values.get<text>().s == "7");
  CHECK(env.log == log_type{"0 make_number", "done make_number", "1 make_text", "done make_text",
                            "2 change_number", "done change_number", "3 last", "done last"});
  CHECK(four::size == 4);
  CHECK(four::names[2] == "change_number");
}

TEST_CASE("values start out value-initialised") {
  four::values values;
  CHECK(values.get<number>().n == 0);
  CHECK(values.get<text>().s.empty());
}

TEST_CASE("completed steps are undone newest first, the failing one is not") {
  test_env env{.fail_in = "last"};
  CHECK(run<four>(env) == errc::no_memory);
  CHECK(env.log == log_type{"0 make_number", "done make_number", "1 make_text", "done make_text",
                            "2 change_number", "done change_number", "3 last", "failed last",
                            "undo change_number 8", "undo make_number 7"});

  test_env middle{.fail_in = "change_number"};
  CHECK(run<four>(middle) == errc::no_memory);
  CHECK(middle.log.back() == "undo make_number 8");

  test_env first{.fail_in = "make_number"};
  CHECK(run<four>(first) == errc::no_memory);
  CHECK(first.log == log_type{"0 make_number", "failed make_number"});
}

TEST_CASE("a step that must not be entered does not run and is not left") {
  test_env env{.refuse_to_enter = "make_text"};
  CHECK(run<four>(env) == errc::injected);
  CHECK(env.log ==
        log_type{"0 make_number", "done make_number", "1 make_text", "undo make_number 7"});
}

TEST_CASE("behind a commit only the undo of the commit and of later steps run") {
  test_env before{.fail_in = "commit"};
  CHECK(run<committing>(before) == errc::no_memory);
  CHECK(before.log.back() == "undo make_number 7");

  test_env after{.fail_in = "last"};
  CHECK(run<committing>(after) == errc::no_memory);
  CHECK(after.log.back() == "undo commit");
  CHECK(after.log[after.log.size() - 2] == "failed last");

  test_env later{.fail_in = "fails_late"};
  CHECK(run<committing>(later) == errc::no_memory);
  CHECK(later.log.back() == "undo commit");
  CHECK(later.log[later.log.size() - 2] == "undo last");
}

TEST_CASE("steps are inserted, replaced and dropped by type") {
  using base = pipeline<make_number, change_number, last>;
  using inserted = insert_step<base, change_number, make_text>;
  using replaced = replace_step<base, last, commit>;
  using dropped = drop_step<base, change_number>;
  CHECK(std::is_same_v<inserted, pipeline<make_number, make_text, change_number, last>>);
  CHECK(std::is_same_v<replaced, pipeline<make_number, change_number, commit>>);
  CHECK(std::is_same_v<dropped, pipeline<make_number, last>>);
  CHECK(std::is_same_v<insert_step<base, fails_late, make_text>, base>);
}

namespace {

/// Refuses modules whose licence is not GPL: what a host may want before memory is taken.
struct only_gpl {
  static constexpr std::string_view name = "only_gpl"sv;
  using needs = types<load_info>;
  template <class Env>
  static errc run(Env& env, load_info const& info) noexcept {
    return equal(info.tags.get("license"sv), "GPL"sv)
               ? errc::ok
               : env.fail(errc::not_permitted, {.subject = info.name});
  }
};

/// In place of add_unformed_module: refuses a second module of any name.
struct only_one {
  static constexpr std::string_view name = "add_unformed_module"sv;
  using mutates = types<module_record>;
  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    if (!env.state.modules.empty())
      return env.fail(errc::module_busy);
    return steps::add_unformed_module::run(env, m);
  }
  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    steps::add_unformed_module::undo(env, m);
  }
};

struct quiet_config {
  using arch = kmodld::arch::x86_64;
  using allocator = hosted::arena&;
  using symbol_resolver = no_symbols;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
};
struct changed_config : quiet_config {
  template <class C>
  using pipeline =
      replace_step<insert_step<load_module<C>, steps::layout_and_allocate<C>, only_gpl>,
                   steps::add_unformed_module, only_one>;
};
struct shortened_config : quiet_config {
  template <class C>
  using pipeline = drop_step<drop_step<load_module<C>, steps::parse_args>, steps::blacklisted>;
};

byte_vector object(std::string_view name, std::string_view license = "GPL") {
  module_builder<x86_64_numbers> b{name, license};
  b.init(b.text(bytes_of({0x31, 0xc0, 0xc3})), 0);
  return b.build().bytes;
}

} // namespace

TEST_CASE("a Config inserts and replaces a step") {
  hosted::arena memory;
  REQUIRE(memory.valid());
  loader<changed_config> changed{{memory}};
  auto refused = changed.load(object("mine", "Proprietary"));
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::not_permitted);
  CHECK(decltype(changed)::pipeline_type::names[refused.error().step - 1] == "only_gpl");
  CHECK(decltype(changed)::pipeline_type::size == loader<quiet_config>::pipeline_type::size + 1);
  CHECK(changed.load(object("first")));
  auto second = changed.load(object("second"));
  REQUIRE(!second);
  CHECK(second.error().code == errc::module_busy);
}

TEST_CASE("a Config drops a step") {
  hosted::arena memory;
  loader<quiet_config> whole{{memory}, {.module_blacklist = "mine"}};
  loader<shortened_config> shortened{{memory}, {.module_blacklist = "mine"}};
  auto refused = whole.load(object("mine"));
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::module_blacklisted);
  CHECK(shortened.load(object("mine"), "-- nothing parses this"));
  CHECK(decltype(shortened)::pipeline_type::size == loader<quiet_config>::pipeline_type::size - 2);
}

} // namespace kmodld::test
