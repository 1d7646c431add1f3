// SPDX-License-Identifier: MIT
// Arguments as a step; linux/parse_args_test.cpp has the grammar.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {
struct with_params {
  explicit with_params(std::initializer_list<std::pair<char const*, u8>> params) {
    u32 const data = b.writable(byte_vector(16));
    u32 const ops = b.symbol("test_ops", elf::shn_abs, 0x1000);
    for (auto [name, flags] : params)
      b.param(name, ops, b.section_symbol(data), 0644, -1, flags);
  }
  builder b = simple_builder();
};
} // namespace

TEST_CASE("parse_args: values reach the parameters policy") {
  auto h = make_host();
  loaded(*h, with_params{{"a", 0}, {"b_c", 0}, {"flag", 0}}.b, " a=1  b-c=\"x y\" flag");
  CHECK(h->parameters.values["a"] == "1");
  CHECK(h->parameters.values["b_c"] == "x y");
  CHECK(h->parameters.values["flag"] == "(none)");
}

TEST_CASE("parse_args: errors, their errno and message; the last one counts, all are reported") {
  struct {
    char const* args;
    errc code;
    int number;
    char const* message;
  } const rows[] = {
      {"a=too-large", errc::param_too_large, e_nospc,
       "demo: `too-large' too large for parameter `a'"},
      {"a=out-of-range", errc::param_invalid, e_range,
       "demo: `out-of-range' invalid for parameter `a'"},
      {"a=bad", errc::param_invalid, e_inval, "demo: `bad' invalid for parameter `a'"},
      {"a", errc::param_invalid, e_inval, "demo: `' invalid for parameter `a'"},
      {"a=bad a=too-large a=3", errc::param_too_large, e_nospc,
       "demo: `too-large' too large for parameter `a'"},
  };
  for (auto const& r : rows) {
    auto h = make_host();
    error e = refused(*h, with_params{{"a", 0}}.b, r.code, "parse_args", r.args);
    CHECK(e.os_errno() == r.number);
    CHECK(text_of(e) == r.message);
    CHECK(h->tracer.undone_actions.front() == "module_destroy_params");
    CHECK(h->diagnostics.said(r.message));
  }
  auto h = make_host();
  refused(*h, with_params{{"a", 0}}.b, errc::param_too_large, "parse_args", "a=bad a=too-large");
  CHECK(h->diagnostics.count(errc::param_invalid) == 1);
}

TEST_CASE("parse_args: unknown ones are ignored with a note") {
  auto h = make_host();
  loaded(*h, simple_module(), "x=1 other.y=2 flag");
  CHECK(h->diagnostics.said("demo: unknown parameter 'x' ignored"));
  CHECK(h->diagnostics.said("demo: unknown parameter 'other' ignored"));
  CHECK(h->diagnostics.said("demo: unknown parameter 'flag' ignored"));
}

TEST_CASE("parse_args: what follows -- is not for the module") {
  auto h = make_host();
  loaded(*h, with_params{{"a", 0}}.b, "a=1 -- a=2 b");
  CHECK(h->parameters.values["a"] == "1");
  CHECK(h->diagnostics.said("demo: parameters 'a=2 b' after `--' ignored"));
}

TEST_CASE("parse_args: dyndbg goes to the hook, its errors nowhere") {
  auto h = make_host();
  loaded(*h, simple_module(), "dyndbg dyndbg=-p demo.dyndbg=+pt other.dyndbg=+p");
  CHECK(h->hooks.queries == event_log{"demo: +p", "demo: -p", "demo: +pt"});
  CHECK(h->diagnostics.count(errc::param_ignored) == 0);
}

TEST_CASE("parse_args: async_probe") {
  struct {
    char const* args;
    bool setting, expected;
  } const rows[] = {{"", false, false},
                    {"", true, true},
                    {"async_probe", false, true},
                    {"async_probe=0", true, false},
                    {"async_probe=n", true, false},
                    {"async_probe=what", false, true}};
  for (auto const& r : rows) {
    auto h = make_host();
    h->settings().async_probe = r.setting;
    CHECK(loaded(*h, simple_module(), r.args).async_probe_requested == r.expected);
    CHECK((std::count(h->log.begin(), h->log.end(), "async_synchronize") == 0) == r.expected);
  }
}

TEST_CASE("parse_args: unsafe parameters taint the kernel") {
  auto h = make_host();
  module& m = loaded(*h, with_params{{"a", kernel_param::unsafe}}.b, "a=1");
  CHECK((h->taints() & taint_user) != 0);
  CHECK((m.taints & taint_user) == 0);
  CHECK(h->diagnostics.said("Setting dangerous option a - tainting kernel"));
}

TEST_CASE("parse_args: parameters that name hardware under lockdown") {
  auto h = make_host();
  loaded(*h, with_params{{"a", kernel_param::hardware}}.b, "a=1");
  CHECK(h->unload("demo"));
  h->tracer.on_leave = [&](std::string_view) {
    h->settings().lockdown = true;
  }; // signed, so to say
  CHECK(refused(*h, with_params{{"a", kernel_param::hardware}}.b, errc::param_invalid, "parse_args",
                "a=1")
            .os_errno() == e_perm);
}

TEST_CASE("parse_args: a parameter without name or operations") {
  auto h = make_host();
  builder b = simple_builder();
  b.section("__param", elf::sht_progbits, elf::shf_alloc, byte_vector(40), 8);
  CHECK(refused(*h, b, errc::param_table, "parse_args").os_errno() == e_noexec);
}

} // namespace kmodld::test
