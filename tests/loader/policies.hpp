// SPDX-License-Identifier: MIT
// Policies of a made-up host that record what they are asked and can be told to fail. No code of a
// module runs: init and exit answer what the test says, and target addresses are not pointers.
#pragma once

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/config.hpp>
#include <kmodld/error_text.hpp>
#include <kmodld/hosted/counting_allocator.hpp>
#include <kmodld/linux/param_types.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kmodld::test {

/// What happened, in order: "notify COMING demo", "finalize demo", "init demo" ...
using event_log = std::vector<std::string>;

/// Counts what the loader promises never to do.
struct promises {
  int lock_depth = 0;
  unsigned broken = 0;
  void check(bool kept) { broken += kept ? 0 : 1; }
  void unlocked() { check(lock_depth == 0); }
};

struct test_lock {
  promises* p = nullptr;
  std::function<wait_status()> on_wait{}; ///< not given: nobody else is there, time is over
  unsigned waits = 0, wakes = 0;

  void lock() noexcept {
    p->check(p->lock_depth == 0);
    ++p->lock_depth;
  }
  void unlock() noexcept {
    p->check(p->lock_depth == 1);
    --p->lock_depth;
  }
  wait_status wait(bool) noexcept {
    p->check(p->lock_depth == 1);
    ++waits;
    if (!on_wait)
      return wait_status::timed_out;
    p->lock_depth = 0;
    wait_status answer = on_wait();
    p->lock_depth = 1;
    return answer;
  }
  void wake() noexcept { ++wakes; }
};

/// Permissions by target address. A range is forgotten when its memory is given back.
struct test_protector {
  promises* p = nullptr;
  unsigned fail_in = 0; ///< the n-th batch from now fails
  int fail_with = e_nomem;
  std::map<u64, protection> ranges{};
  std::vector<std::vector<protection>> batches{};
  std::vector<region> flushed{};

  int protect(std::span<protection const> batch) noexcept {
    batches.emplace_back(batch.begin(), batch.end());
    if (fail_in != 0 && --fail_in == 0)
      return fail_with;
    for (protection const& r : batch) {
      p->check(r.memory.target.value % 4096 == 0 && r.memory.size % 4096 == 0);
      ranges[r.memory.target.value] = r;
    }
    return 0;
  }
  void flush_icache(region r) noexcept { flushed.push_back(r); }
  void forget(region const& freed) {
    std::erase_if(ranges, [&](auto const& r) { return freed.contains(address{r.first}); });
  }
};

/// Target addresses where an x86-64 kernel has its modules, each region followed by a guard page;
/// host memory of exactly the size asked for, so that a sanitiser sees reads beyond it.
struct test_memory {
  promises* p = nullptr;
  test_protector* protector = nullptr;
  u64 next = 0xffffffffc0201000;

  static std::align_val_t alignment(memory_kind kind) {
    return std::align_val_t{kind <= memory_kind::init ? 4096u : 16u};
  }
  memory_status allocate(memory_request const& q, region& out) noexcept {
    bool const small = q.kind > memory_kind::init;
    p->check(q.size != 0 && is_power_of_two(q.align) && (small || p->lock_depth == 0));
    address const target{small ? 0 : next};
    if (!small && !q.reach.holds(target, q.size))
      return memory_status::out_of_reach;
    if (!small)
      next += round_up(q.size, u64{4096}) + 4096;
    auto const size = static_cast<std::size_t>(q.size);
    auto* host = static_cast<std::byte*>(::operator new(size, alignment(q.kind)));
    std::memset(host, 0, size);
    out = {target, host, q.size};
    return memory_status::ok;
  }
  void release(memory_kind kind, region given) noexcept {
    if (kind <= memory_kind::init) {
      p->unlocked();
      protector->forget(given);
    }
    ::operator delete(given.host, alignment(kind));
  }
};

/// Name -> exports, oldest first.
struct test_symbols {
  promises* p = nullptr;
  std::map<std::string, std::vector<exported_symbol>, std::less<>> table{};
  unsigned fail_add_in = 0;
  u64 next = 0xffffffff81000000;
  std::vector<std::string> announced{}; ///< by prefetch()

  bool find(std::string_view name, bool gpl_ok, exported_symbol& out) noexcept {
    p->check(p->lock_depth == 1);
    if (auto found = table.find(name); found != table.end())
      for (exported_symbol const& s : found->second)
        if (gpl_ok || !s.gpl_only) {
          out = s;
          return true;
        }
    return false;
  }
  void prefetch(std::string_view name) noexcept {
    p->check(p->lock_depth == 1);
    announced.emplace_back(name);
  }
  bool add(std::string_view name, exported_symbol const& s) noexcept {
    p->check(p->lock_depth == 1);
    if (fail_add_in != 0 && --fail_add_in == 0)
      return false;
    table[std::string{name}].push_back(s);
    return true;
  }
  void remove(std::string_view name, module const& owner) noexcept {
    p->check(p->lock_depth == 1);
    auto found = table.find(name);
    p->check(found != table.end());
    if (found != table.end() &&
        std::erase_if(found->second, [&](auto const& s) { return s.owner == &owner; }) != 0 &&
        found->second.empty())
      table.erase(found);
  }

  /// An export of the kernel.
  exported_symbol& kernel(std::string name, bool gpl = false) {
    next += 16;
    auto& list = table[std::move(name)];
    return list.emplace_back(exported_symbol{.value = {next}, .gpl_only = gpl});
  }
  unsigned exports_of(module const* owner) const {
    unsigned n = 0;
    for (auto const& [name, list] : table)
      for (exported_symbol const& s : list)
        n += s.owner == owner ? 1 : 0;
    return n;
  }
  unsigned exports_of_modules() const {
    unsigned n = 0;
    for (auto const& [name, list] : table)
      for (exported_symbol const& s : list)
        n += s.owner != nullptr ? 1 : 0;
    return n;
  }
};

inline char const* event_name(module_event e) {
  constexpr char const* names[] = {"COMING", "LIVE", "GOING"};
  return names[static_cast<int>(e)];
}

struct test_notifier {
  promises* p = nullptr;
  event_log* log = nullptr;
  int refuse = 0; ///< the answer to COMING, also to the other events, which must not matter
  std::map<std::string, int, std::less<>> told{}; ///< COMING accepted minus GOING, by module

  int notify(module_event event, module& m) noexcept {
    p->unlocked();
    log->push_back(std::string{"notify "} + event_name(event) + ' ' + std::string{m.name()});
    if (event == module_event::coming && refuse == 0)
      ++told[std::string{m.name()}];
    else if (event == module_event::going)
      --told[std::string{m.name()}];
    return refuse;
  }
  bool balanced() const {
    return std::all_of(told.begin(), told.end(), [](auto const& t) { return t.second == 0; });
  }
};

struct test_percpu {
  bool fail = false;
  u64 base = 0x18000;
  std::map<u64, u64> live{};
  std::map<u64, std::vector<std::byte>> initial{};
  u64 last_align = 0;
  promises* p = nullptr;

  address allocate(u64 size, u64 align) noexcept {
    last_align = align;
    p->check(size != 0 && is_power_of_two(align) && align <= 4096);
    if (fail)
      return {};
    base = round_up(base + 64, align);
    live[base] = size;
    return {base};
  }
  void release(address a, u64 size) noexcept {
    auto found = live.find(a.value);
    p->check(found != live.end() && found->second == size);
    live.erase(a.value);
  }
  void initialise(address a, byte_view bytes) noexcept {
    p->check(live.contains(a.value) && bytes.size() <= live[a.value]);
    initial[a.value].assign(bytes.begin(), bytes.end());
  }
};

struct test_verifier {
  errc verdict = errc::signature_no_key;
  bool enforce = false;
  u64 content = 0, signature = 0;
  unsigned calls = 0;

  errc verify(byte_view c, byte_view s) noexcept {
    ++calls;
    content = c.size();
    signature = s.size();
    return verdict;
  }
  bool enforced() noexcept { return enforce; }
};

struct test_invoker {
  promises* p = nullptr;
  event_log* log = nullptr;
  int answer = 0;
  std::function<void(module&)> during_init{};
  std::vector<address> called{};

  int init(module& m, address f) noexcept {
    p->unlocked();
    called.push_back(f);
    log->push_back("init " + std::string{m.name()});
    if (during_init)
      during_init(m);
    return answer;
  }
  void exit(module& m, address f) noexcept {
    p->unlocked();
    called.push_back(f);
    log->push_back("exit " + std::string{m.name()});
  }
  void construct(module& m, address f) noexcept {
    called.push_back(f);
    log->push_back("construct " + std::string{m.name()});
  }
};

/// Remembers texts; sets an int where the operations are those of `int_ops`. The value says which
/// errno set() answers: "too-large", "out-of-range", "bad".
struct test_parameters {
  event_log* log = nullptr;
  address int_ops{};
  std::map<std::string, std::string, std::less<>> values{};
  std::map<std::string, int, std::less<>> allocated{}; ///< by "module.name": set, not yet freed
  unsigned freed = 0;

  int set(module& m, kernel_param const& p, std::string_view value) noexcept {
    if (int_ops && p.ops == int_ops)
      return set_number<elf::elf64_le>(m, param_type::int_, p.arg, value);
    if (value == "too-large")
      return e_nospc;
    if (value == "out-of-range")
      return e_range;
    if (value == "bad")
      return e_inval;
    values[std::string{p.name}] = value.data() == nullptr ? "(none)" : std::string{value};
    allocated[std::string{m.name()} + '.' + std::string{p.name}] = 1;
    return 0;
  }
  int get(module&, kernel_param const&, std::span<char>) noexcept { return 0; }
  bool no_argument(module&, kernel_param const& p) noexcept { return starts_with(p.name, "flag"); }
  void free(module& m, kernel_param const& p) noexcept {
    ++freed;
    allocated.erase(std::string{m.name()} + '.' + std::string{p.name});
  }
};

struct test_introspection {
  promises* p = nullptr;
  event_log* log = nullptr;
  int fail_with = 0;
  sysfs_part fail_part{};
  std::set<std::pair<std::string, sysfs_part>> tree{};

  int create(sysfs_part part, module& m) noexcept {
    p->unlocked();
    if (fail_with != 0 && part == fail_part)
      return fail_with;
    p->check(tree.emplace(m.name(), part).second);
    return 0;
  }
  void remove(sysfs_part part, module& m) noexcept {
    p->unlocked();
    tree.erase({std::string{m.name()}, part});
    removed.push_back(part);
  }
  void announce(module& m) noexcept { log->push_back("announce " + std::string{m.name()}); }
  std::vector<sysfs_part> removed{};
};

struct test_tracer {
  std::string fail_step{}; ///< enter() of this step answers fail_with
  int fail_with = e_io;
  std::function<void(std::string_view)> on_leave{};
  event_log entered{}, undone_actions{};

  int enter(std::string_view step) noexcept {
    entered.emplace_back(step);
    return step == fail_step ? fail_with : 0;
  }
  void leave(std::string_view step, errc) noexcept {
    if (on_leave)
      on_leave(step);
  }
  void undone(std::string_view action) noexcept { undone_actions.emplace_back(action); }
};

inline std::string text_of(error const& e) {
  char out[512];
  return {out, std::min(format(e, out), sizeof out - 1)};
}

struct test_diagnostics {
  std::vector<error> all{};

  void report(error const& e) noexcept { all.push_back(e); }
  unsigned count(errc code) const {
    return static_cast<unsigned>(
        std::count_if(all.begin(), all.end(), [&](error const& e) { return e.code == code; }));
  }
  bool said(std::string_view text) const {
    return std::any_of(all.begin(), all.end(), [&](error const& e) { return text_of(e) == text; });
  }
};

struct test_reclaimer {
  promises* p = nullptr;
  unsigned grace_periods = 0;
  void read_enter() noexcept {}
  void read_leave() noexcept {}
  void synchronize() noexcept {
    p->unlocked();
    ++grace_periods;
  }
};

/// All hooks. Each failure is told by its errno; what was registered must be taken back once.
struct test_hooks {
  promises* p = nullptr;
  event_log* log = nullptr;
  int finalize_error = 0, ftrace_error = 0, ddebug_error = 0, klp_error = 0, klp_find_error = 0;
  std::set<std::string> finalized{};
  event_log queries{}, klp_asked{};
  std::function<void(module&)> on_ddebug_remove{}; ///< a look at a module that is being freed

  void note(char const* what, module& m) { log->push_back(what + (' ' + std::string{m.name()})); }

  int finalize(module& m) noexcept {
    note("finalize", m);
    if (finalize_error == 0)
      finalized.emplace(m.name());
    return finalize_error;
  }
  void cleanup(module& m) noexcept {
    p->check(finalized.erase(std::string{m.name()}) == 1);
    note("cleanup", m);
  }
  int ftrace_init(module& m) noexcept {
    note("ftrace_init", m);
    return ftrace_error;
  }
  void ftrace_enable(module& m) noexcept { note("ftrace_enable", m); }
  void ftrace_release(module& m) noexcept { note("ftrace_release", m); }
  int ddebug_add(module& m) noexcept {
    note("ddebug_add", m);
    return ddebug_error;
  }
  int ddebug_query(module& m, std::string_view q) noexcept {
    queries.push_back(std::string{m.name()} + ": " + std::string{q});
    return e_inval; // must not matter
  }
  void ddebug_remove(module& m) noexcept {
    note("ddebug_remove", m);
    if (auto look = on_ddebug_remove)
      look(m);
  }
  int klp_coming(module& m) noexcept {
    note("klp_coming", m);
    return klp_error;
  }
  void klp_going(module& m) noexcept { note("klp_going", m); }
  int klp_find(std::string_view object, std::string_view name, u64 position,
               address& out) noexcept {
    klp_asked.push_back(std::string{object} + ' ' + std::string{name} + ' ' +
                        std::to_string(position));
    out = {0xffffffff81abc000};
    return klp_find_error;
  }
  void audit(std::string_view name) noexcept { log->push_back("audit " + std::string{name}); }
  void trace_load(module& m) noexcept { note("trace_load", m); }
  void trace_free(module& m) noexcept { note("trace_free", m); }
  void async_synchronize() noexcept { log->push_back("async_synchronize"); }
};

} // namespace kmodld::test
