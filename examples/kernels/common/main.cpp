// SPDX-License-Identifier: MIT
// The kernel's main function: starts the machine, then runs the script. Each line of the script is
// a check; QEMU's exit status says whether all of them held.
#include "frames.hpp"
#include "heap.hpp"
#include "machine.hpp"
#include "module_space.hpp"
#include "modules.hpp"
#include "paging.hpp"
#include "script.hpp"
#include "stack_meter.hpp"
#include "string.hpp"
#include "symbols.hpp"
#include "traps.hpp"

namespace kernel {
namespace {

constexpr u64 heap_base = 0xffffc90000000000;
constexpr u64 heap_size = u64{16} << 20;

constinit boot_info boot;
constinit script checks;
constinit int written_twice = 0;

bool start_heap() {
  for (u64 at = heap_base; at < heap_base + heap_size; at += page_size)
    if (u64 frame = frames.allocate();
        frame == frame_allocator::none || !paging::map(at, frame, read_write))
      return false;
  kernel_heap.add_memory(reinterpret_cast<void*>(heap_base), heap_size);
  return true;
}

void start_frames() {
  for (u64 i = 0; i < boot.usable_count; ++i)
    frames.add(boot.usable[i].first, boot.usable[i].last);
  frames.reserve(0, address_of(kernel_end) - machine::kernel_base);
  frames.reserve(boot.initrd.first, boot.initrd.last);
}

void check_page_tables() {
  paging::audit_result a = paging::audit();
  print(a.pages, " pages mapped, ", a.writable, " writable, ", a.executable, " executable\n");
  checks.check(a.executable != 0 && a.both == 0, "no page is writable and executable");
  checks.check(a.executable_aliased == 0, "no executable frame is writable elsewhere");
}

void check_own_protection() {
  checks.check(probe_write(address_of(text_start)) == probe_result::write_faulted &&
                   traps::last_fault.write_refused(),
               "a write to the kernel's text faults");
  checks.check(probe_write(address_of(rodata_start)) == probe_result::write_faulted,
               "a write to the kernel's constants faults");
  auto alias = reinterpret_cast<u64>(paging::direct(address_of(text_start) - machine::kernel_base));
  checks.check(probe_write(alias) == probe_result::write_faulted,
               "a write to the kernel's text through the direct map faults");
  checks.check(probe_write(address_of(&written_twice)) == probe_result::written,
               "a write to the kernel's data does not");
  checks.check(probe_write(8) == probe_result::unreadable, "low memory is not mapped");
  checks.check(probe_write(address_of(kernel_stack_guard)) == probe_result::unreadable,
               "nor is the page under the stack");
}

void check_heap() {
  u64 before = kernel_heap.used();
  void* held[64];
  bool sound = true;
  for (u64 i = 0; i < 64; ++i) {
    u64 align = u64{16} << (i & 7);
    held[i] = kernel_heap.allocate(i * 37, align);
    sound = sound && held[i] != nullptr && (reinterpret_cast<u64>(held[i]) & (align - 1)) == 0;
    if (sound)
      memset(held[i], static_cast<int>(i), i * 37);
  }
  for (u64 i = 0; i < 64; ++i) {
    u64 at = (i * 29) & 63;
    auto const* b = static_cast<unsigned char const*>(held[at]);
    for (u64 n = 0; sound && n < at * 37; ++n)
      sound = b[n] == at;
    kernel_heap.release(held[at]);
  }
  void* all = kernel_heap.allocate(heap_size - 16);
  checks.check(sound && kernel_heap.used() == before + heap_size,
               "the heap merges what comes back");
  kernel_heap.release(all);
  checks.check(kernel_heap.allocate(heap_size) == nullptr, "and refuses what it has not");
}

// Code written into fresh memory at run time, as a loader would.
void check_module_space() {
  using machine::add_seven;
  u64 free_frames = frames.free_count();
  u64 code = module_space::allocate(2 * page_size);
  u64 second = module_space::allocate(1, u64{64} << 10);
  checks.check(code != 0 && second > code + 2 * page_size && (second & 0xffff) == 0,
               "module memory at ", hex(code), " and ", hex(second));
  memcpy(reinterpret_cast<void*>(code), add_seven, sizeof add_seven);
  print("expected: a trap on fetching from a writable page\n");
  checks.check(guarded_call(code, 35).faulted != 0 && traps::last_fault.fetch_refused(),
               "writable memory does not run");
  u64 alias = reinterpret_cast<u64>(paging::direct(paging::lookup(code).frame));
  checks.check(probe_write(alias) == probe_result::written, "its direct map is writable");
  machine::sync_instructions(code, sizeof add_seven);
  paging::protect(code, 2, read_execute);
  checks.check(guarded_call(code, 35).value == 42, "it runs when sealed");
  checks.check(probe_write(code) == probe_result::write_faulted, "and cannot be written any more");
  checks.check(probe_write(alias) == probe_result::write_faulted, "nor through the direct map");
  check_page_tables();
  module_space::release(code, 2 * page_size);
  module_space::release(second, 1);
  checks.check(probe_write(code) == probe_result::unreadable, "released memory is gone");
  checks.check(module_space::used_pages() == 0 && probe_write(alias) == probe_result::written,
               "its frames are plain memory again");
  // Page tables of the window stay, so that one more round must not take anything.
  u64 after = frames.free_count();
  module_space::release(module_space::allocate(5), 5);
  checks.check(frames.free_count() == after && free_frames - after <= 3, "no frame is lost");
  checks.check(module_space::allocate(module_space::size) == 0, "more than the window is refused");
}

void check_symbols() {
  u64 inside = kernel_symbol("guarded_call") + 4;
  symbol_info s;
  checks.check(find_symbol_at(inside, s) && same(s.name, "guarded_call") && s.offset == 4,
               "the kernel knows its symbols: ", s);
  checks.check(!find_symbol_at(heap_base, s), "and not what is none");
}

// Goes deeper than any stack; the addition after the call keeps it from becoming a loop.
constinit u64 volatile depth_limit = ~u64{0};
[[gnu::noinline]] u64 recurse(u64 n) { return n == depth_limit ? 0 : recurse(n + 1) + depth_limit; }

void check_stack() {
  print("expected: a trap on the page under the stack\n");
  symbol_info s;
  checks.check(guarded_call(reinterpret_cast<u64>(recurse), 1).faulted != 0 &&
                   find_symbol_at(traps::last_reported, s) && same(s.name, "kernel::recurse"),
               "a stack overflow is caught where it happens");
  stack_meter meter{kernel_stack};
  kernel_heap.release(kernel_heap.allocate(1));
  u64 depth = meter.depth();
  checks.check(depth < 512, "the heap needs ", depth, " bytes of stack");
}

constinit u64 sampled = 0, known = 0;

void sample(u64 instruction) {
  symbol_info s;
  ++sampled;
  known += find_symbol_at(instruction, s);
}

void check_timer() {
  traps::start_timer(1000, sample);
  while (*const_cast<u64 volatile*>(&sampled) < 5)
    machine::wait_for_interrupt();
  traps::stop_timer();
  checks.check(known == sampled, "timer interrupts name what they interrupt");
}

bytes initrd() { return {paging::direct(boot.initrd.first), boot.initrd.last - boot.initrd.first}; }

void run_script() {
  check_page_tables();
  check_own_protection();
  check_heap();
  check_module_space();
  check_symbols();
  check_stack();
  check_timer();
  load_from_initrd(initrd(), checks);
}

} // namespace
} // namespace kernel

extern "C" void kernel_main(kernel::u64 start_info) {
  using namespace kernel;
  traps::start();
  if (!boot.read(start_info)) {
    print("the boot loader left nothing that is known here\n");
    machine::leave(false);
  }
  print("\nkmodld example kernel, ", machine::name, '\n');
  start_frames();
  u64 memory = frames.free_count();
  paging::start(boot);
  if (!start_heap())
    machine::leave(false);
  print(memory, " free frames, initrd of ", boot.initrd.last - boot.initrd.first, " bytes\n");
  run_script();
  checks.print_summary();
  machine::leave(checks.succeeded());
}
