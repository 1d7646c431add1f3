// SPDX-License-Identifier: MIT
// The script's view of this kernel (see module_script.hpp), and its readers in the timer interrupt.
#include "modules.hpp"
#include "machine.hpp"
#include "module_script.hpp"
#include "modules_glue.hpp"
#include "stack_meter.hpp"

namespace kernel {
namespace {

/// What interrupts found while modules came and went.
struct {
  modules::module_system* system = nullptr;
  u64 in_module = 0, in_kernel = 0; ///< what they interrupted
  u64 found = 0, wrong = 0;         ///< answers
} constinit readers;

// Names what it interrupted, walks the list, looks a symbol up by name and the answer by address.
// The script loads no module but greeter meanwhile.
void read(u64 instruction) {
  symbol_info s;
  bool in_module = instruction >= module_space::first && instruction <= module_space::last;
  ++(in_module ? readers.in_module : readers.in_kernel);
  readers.wrong += !find_symbol_at(instruction, s) || !same(s.module, in_module ? "greeter" : "");
  for (kmodld::module const& m : readers.system->loader.modules())
    readers.wrong += !same(m.name(), "greeter");
  kmodld::exported_symbol greet;
  if (!readers.system->symbols.find("greet", true, greet))
    return;
  bool live = greet.owner->state.load(std::memory_order_acquire) == kmodld::module_state::live;
  if (find_symbol_at(greet.value.value, s))
    ++(same(s.name, "greet") && s.offset == 0 ? readers.found : readers.wrong);
  else
    readers.wrong += live;
}

u64 fresh(u64 const& counter) { return *const_cast<u64 volatile*>(&counter); }

struct script_host {
  modules::module_system& system;
  u64 deepest = 0; ///< bytes of stack of a load

  struct usage_record {
    u64 heap, pages, symbols;
    bool operator==(usage_record const&) const = default;
  };

  int load(bytes image, char const* arguments) {
    stack_meter meter{kernel_stack};
    int error = errno_of(system.loader.load(image, view_of(arguments)));
    u64 depth = meter.depth();
    if (!system.log.quiet && depth > deepest)
      deepest = depth;
    return error;
  }
  int unload(text name) { return errno_of(system.loader.unload(name)); }
  void unload_all() { system.loader.unload_all(); }

  u64 exported(text name) {
    kmodld::exported_symbol found;
    return system.symbols.find(name, true, found) ? found.value.value : 0;
  }
  usage_record usage() {
    return {kernel_heap.used(), module_space::used_pages(), system.symbols.names()};
  }

  bool write_refused(u64 address) { return probe_write(address) == probe_result::write_faulted; }
  call_outcome guarded_call(u64 function, u64 argument) {
    return kernel::guarded_call(function, argument);
  }
  u64 faulting_instruction() { return traps::last_fault.instruction; }
  bool sealed() {
    paging::audit_result a = paging::audit();
    return a.both == 0 && a.executable_aliased == 0;
  }

  bool far(bool on) {
    module_space::start_at(on ? machine::far_modules : 0);
    return machine::far_modules != 0;
  }

  void start_readers() { traps::start_timer(1000, read); }
  void stop_readers() { traps::stop_timer(); }
  u64 reads_in_modules() { return fresh(readers.in_module); }
  u64 reads_in_kernel() { return fresh(readers.in_kernel); }
  u64 symbols_found() { return fresh(readers.found); }
  u64 wrong_reads() { return fresh(readers.wrong); }
  void quiet(bool on) { system.log.quiet = on; }
  u64 stack_depth() { return deepest; }

private:
  template <class Result>
  static int errno_of(Result const& r) {
    return r ? 0 : r.error().os_errno();
  }
};

} // namespace

void load_from_initrd(bytes archive, script& checks) {
  u64 before = kernel_heap.used();
  {
    modules::module_system system;
    readers.system = &system;
    script_host host{system};
    module_script{host, archive, checks}.run();
  }
  checks.check(kernel_heap.used() == before, "the loader gives its own memory back");
}

} // namespace kernel
