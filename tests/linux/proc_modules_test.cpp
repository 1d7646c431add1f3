// SPDX-License-Identifier: MIT
#include <kmodld/linux/proc_modules.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace kmodld;

namespace {

struct listed : module {
  explicit listed(std::string_view name, u32 taint = 0, module_state s = module_state::live) {
    copy_text(name_text, name);
    state = s;
    taints = taint;
    refcnt = 1;
    memories[0] = {{{0xffffffffc0201000}, nullptr, 0x3000}, memory_kind::core, 0, 0, 0};
    memories[1] = {{{0xffffffffc0208000}, nullptr, 0x1000}, memory_kind::init, 0, 0, 0};
    memory_count = 2;
  }
};

std::string line(module const& m, bool show = true, int bits = 64) {
  char text[256];
  return {text, format_proc_modules_line(m, text, show, bits)};
}

} // namespace

TEST_CASE("proc_modules: the example of the manual") {
  listed m{"dummy", taint_unsigned};
  CHECK(line(m) == "dummy 16384 0 - Live 0xffffffffc0201000 (E)\n");
  CHECK(line(m, false) == "dummy 16384 0 - Live 0x0000000000000000 (E)\n");
  m.memories[1].memory.size = 0;
  m.taints = 0;
  CHECK(line(m) == "dummy 12288 0 - Live 0xffffffffc0201000\n");
  m.memories[0].memory.target = {0xbf000000};
  CHECK(line(m, true, 32) == "dummy 12288 0 - Live 0xbf000000\n");
}

TEST_CASE("proc_modules: states and their marks") {
  listed m{"m", 0, module_state::coming};
  m.refcnt = 2;
  CHECK(line(m) == "m 16384 1 - Loading 0xffffffffc0201000\n");
  m.taints = taint_proprietary | taint_out_of_tree | taint_unsigned;
  CHECK(line(m) == "m 16384 1 - Loading 0xffffffffc0201000 (POE+)\n");
  m.state = module_state::going;
  m.refcnt = 0;
  CHECK(line(m) == "m 16384 -1 - Unloading 0xffffffffc0201000 (POE-)\n");
}

TEST_CASE("proc_modules: users and permanence") {
  listed m{"used"}, a{"a"}, b{"b_b"};
  module_use first{&a, &m, nullptr, nullptr}, second{&b, &m, &first, nullptr};
  m.source_list = &second;
  m.refcnt = 3;
  CHECK(line(m) == "used 16384 2 b_b,a, Live 0xffffffffc0201000\n");
  m.init = {0xffffffffc0208000};
  CHECK(line(m) == "used 16384 2 b_b,a,[permanent], Live 0xffffffffc0201000\n");
  m.source_list = nullptr;
  CHECK(line(m) == "used 16384 2 [permanent], Live 0xffffffffc0201000\n");
  m.exit = {0xffffffffc0201010};
  CHECK(line(m) == "used 16384 2 - Live 0xffffffffc0201000\n");
  m.init = {};
  CHECK(line(m) == "used 16384 2 - Live 0xffffffffc0201000\n");
}

TEST_CASE("proc_modules: seven memories") {
  listed m{"seven"};
  m.memory_count = 0;
  u64 start = 0x10000;
  for (memory_kind kind : {memory_kind::data, memory_kind::text, memory_kind::init_text,
                           memory_kind::init_data, memory_kind::init_rodata}) {
    m.memories[m.memory_count++] = {{{start}, nullptr, 0x1000}, kind, 0, 0, 0};
    start += 0x10000;
  }
  CHECK(line(m) == "seven 20480 0 - Live 0x0000000000020000\n");
  CHECK(memory_size(m, false) == 0x2000);
  CHECK(memory_size(m, true) == 0x3000);
}

TEST_CASE("proc_modules: a line too long for its buffer is cut and counted") {
  listed m{"dummy"};
  char text[10];
  CHECK(format_proc_modules_line(m, text) == 40);
  CHECK(std::string{text} == "dummy 163");
}

TEST_CASE("proc_modules: the file: newest first, unformed hidden") {
  module_list list;
  listed a{"a"}, b{"b", 0, module_state::unformed}, c{"c", 0, module_state::coming};
  for (module* m : {&a, &b, &c})
    list.push_front(*m);
  std::string text;
  proc_modules(list, [&](std::string_view piece) { text += piece; });
  CHECK(text == line(c) + line(a));
}

TEST_CASE("proc_modules: what an oops says") {
  module_list list;
  unloaded_modules<2> gone;
  auto oops = [&] {
    std::string text;
    modules_linked_in(list, gone, [&](std::string_view piece) { text += piece; });
    return text;
  };
  CHECK(oops() == "Modules linked in:\n");
  listed a{"a"}, b{"b", taint_out_of_tree | taint_unsigned, module_state::coming};
  listed c{"c", 0, module_state::going}, d{"d", 0, module_state::unformed}, e{"e", taint_staging};
  for (module* m : {&a, &b, &c, &d, &e})
    list.push_front(*m);
  CHECK(oops() == "Modules linked in: e(C) c(-) b(OE+) a\n");

  gone.note_last(a);
  gone.note_tainted(a);
  CHECK(oops() == "Modules linked in: e(C) c(-) b(OE+) a [last unloaded: a]\n");
  gone.note_last(b);
  gone.note_tainted(b);
  gone.note_tainted(e);
  gone.note_tainted(b);
  CHECK(oops() == "Modules linked in: e(C) c(-) b(OE+) a\n"
                  "Unloaded tainted modules: e(C):1 b(OE):2 [last unloaded: b(OE)]\n");
  listed other{"b", taint_staging};
  gone.note_tainted(other);
  CHECK(gone.tainted().size() == 2);
  REQUIRE(gone.last() != nullptr);
  CHECK(gone.last()->name() == "b");
}
