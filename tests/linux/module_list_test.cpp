// SPDX-License-Identifier: MIT
#include <kmodld/linux/module_list.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace kmodld;

namespace {

struct named_module : module {
  explicit named_module(std::string_view name, u64 core = 0, u64 init = 0,
                        module_state s = module_state::live) {
    copy_text(name_text, name);
    state = s;
    add(memory_kind::core, core);
    add(memory_kind::init, init);
  }
  void add(memory_kind kind, u64 start) {
    if (start != 0)
      memories[memory_count++] = {{{start}, nullptr, 0x1000}, kind, 0x1000, 0x1000, 0x1000};
  }
};

std::string names(module_list const& list) {
  std::string all;
  for (module& m : list)
    all += std::string{m.name()} + " ";
  return all;
}

} // namespace

TEST_CASE("module_list: newest first, removal anywhere") {
  module_list list;
  CHECK(list.empty());
  CHECK(list.find("a", true) == nullptr);
  CHECK(list.find_containing({0}) == nullptr);
  named_module a{"a"}, b{"b"}, c{"c"};
  list.push_front(a);
  list.push_front(b);
  list.push_front(c);
  CHECK(names(list) == "c b a ");
  CHECK(!list.empty());
  list.remove(b);
  CHECK(names(list) == "c a ");
  list.remove(b);
  CHECK(names(list) == "c a ");
  list.remove(c);
  CHECK(names(list) == "a ");
  list.remove(a);
  CHECK(list.empty());
}

TEST_CASE("module_list: a reader on a removed module finds the rest") {
  module_list list;
  named_module a{"a"}, b{"b"}, c{"c"};
  list.push_front(a);
  list.push_front(b);
  list.push_front(c);
  auto reader = list.begin();
  ++reader;
  REQUIRE(&*reader == &b);
  list.remove(b);
  CHECK(reader->name() == "b");
  ++reader;
  CHECK(&*reader == &a);
  ++reader;
  CHECK(reader == list.end());
}

TEST_CASE("module_list: names are compared byte for byte; unformed ones are found on request") {
  module_list list;
  named_module a{"snd_pcm"}, b{"snd_pcm_oss", 0, 0, module_state::unformed};
  list.push_front(a);
  list.push_front(b);
  CHECK(list.find("snd_pcm", false) == &a);
  CHECK(list.find("snd-pcm", false) == nullptr);
  CHECK(list.find("snd", true) == nullptr);
  CHECK(list.find("snd_pcm_oss", false) == nullptr);
  CHECK(list.find("snd_pcm_oss", true) == &b);
  for (module_state s : {module_state::coming, module_state::going, module_state::live}) {
    b.state = s;
    CHECK(list.find("snd_pcm_oss", false) == &b);
  }
}

TEST_CASE("module_list: addresses, at both ends of each memory") {
  module_list list;
  named_module a{"a", 0xffffffffc0000000, 0xffffffffc0004000};
  named_module b{"b", 0xffffffffc0002000};
  named_module top{"top", ~u64{0} - 0xfff};
  list.push_front(a);
  list.push_front(b);
  CHECK(list.find_containing({0xffffffffbfffffff}) == nullptr);
  CHECK(list.find_containing({0xffffffffc0000000}) == &a);
  CHECK(list.find_containing({0xffffffffc0000fff}) == &a);
  CHECK(list.find_containing({0xffffffffc0001000}) == nullptr);
  CHECK(list.find_containing({0xffffffffc0001fff}) == nullptr);
  CHECK(list.find_containing({0xffffffffc0002000}) == &b);
  CHECK(list.find_containing({0xffffffffc0004fff}) == &a);
  CHECK(list.find_containing({0xffffffffc0005000}) == nullptr);
  CHECK(list.find_containing({~u64{0}}) == nullptr);
  list.push_front(top);
  CHECK(list.find_containing({~u64{0}}) == &top);
  CHECK(list.find_containing({0}) == nullptr);

  b.state = module_state::unformed;
  CHECK(list.find_containing({0xffffffffc0002000}) == nullptr);
  a.memories[1].memory.size = 0;
  CHECK(list.find_containing({0xffffffffc0004000}) == nullptr);
  list.remove(a);
  CHECK(list.find_containing({0xffffffffc0000000}) == nullptr);
}

TEST_CASE("module_list: many modules, each address in its own, whatever comes and goes") {
  module_list list;
  std::vector<std::unique_ptr<named_module>> all;
  for (u64 i = 0; i < 3000; ++i) // two memories each, out of order and next to each other
    all.push_back(std::make_unique<named_module>("m" + std::to_string(i),
                                                 0x100000 + (i * 1777 % 3000) * 0x2000,
                                                 0x101000 + (i * 1777 % 3000) * 0x2000));
  auto const check = [&](u64 i, bool there) {
    for (u64 m : {u64{0}, u64{1}}) {
      address const first = all[i]->memories[m].memory.target;
      module* const expected = there ? all[i].get() : nullptr;
      CHECK(list.find_containing(first) == expected);
      CHECK(list.find_containing(first + 0xfff) == expected);
    }
  };
  for (auto& m : all)
    list.push_front(*m);
  for (u64 i = 0; i < 3000; ++i)
    check(i, true);
  for (u64 i = 0; i < 3000; i += 3)
    list.remove(*all[i]);
  for (u64 i = 0; i < 3000; ++i)
    check(i, i % 3 != 0);
  for (u64 i = 0; i < 3000; i += 3)
    list.push_front(*all[i]);
  for (u64 i = 0; i < 3000; ++i)
    check(i, true);
}

TEST_CASE("module_list: memory that was given back is another module's") {
  module_list list;
  named_module old{"old", 0x10000, 0x20000}, fresh{"fresh", 0x20000};
  list.push_front(old);
  CHECK(list.find_containing({0x20010}) == &old);
  list.forget(old, 1);
  old.memory_count = 1;
  CHECK(list.find_containing({0x20010}) == nullptr);
  list.push_front(fresh);
  CHECK(list.find_containing({0x20010}) == &fresh);
  list.remove(old);
  CHECK(list.find_containing({0x20010}) == &fresh);
  CHECK(list.find_containing({0x10010}) == nullptr);
}

TEST_CASE("module_list: readers beside a writer always see the modules that stay") {
  module_list list;
  named_module oldest{"oldest", 0x10000};
  list.push_front(oldest);
  std::vector<named_module*> pool;
  for (u64 i = 1; i <= 8; ++i)
    pool.push_back(new named_module{"m" + std::to_string(i), 0x10000 + 0x10000 * i});
  std::atomic<bool> stop{false};
  std::atomic<u64> wrong{0}, rounds{0};
  std::thread reader{[&] {
    while (!stop) {
      std::size_t seen = 0;
      bool found = false;
      for (module& m : list) {
        found = found || &m == &oldest;
        // A removed module that comes back moves its reader to the front: a grace period would
        // prevent that; without one the walk must still end.
        if (++seen > 100000)
          break;
      }
      wrong += !found || list.find_containing({0x10010}) != &oldest;
      ++rounds;
    }
  }};
  for (int i = 0; i < 2000 || rounds < 100; ++i) {
    for (named_module* m : pool)
      list.push_front(*m);
    for (named_module* m : pool)
      list.remove(*m);
  }
  stop = true;
  reader.join();
  CHECK(wrong == 0);
  CHECK(names(list) == "oldest ");
  for (named_module* m : pool)
    delete m;
}
