// SPDX-License-Identifier: MIT
// The surroundings that kernel code expects of the CPU and of time: %gs with its stack canary,
// jiffies that advance, CPU features, a stop when code oopses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace linux_like {

/// Alive while kernel code may run, one at a time. Points %gs of the calling thread (and of threads
/// it starts afterwards) to the per-CPU area and starts the clock. Throws std::runtime_error if the
/// system refuses or if the exports lie above 2 GiB (a PIE).
class environment {
public:
  environment();
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

private:
  std::jthread clock_;
};

/// Host address that %gs points to, for what a loader copies there (`.data..percpu` of modules).
std::byte* percpu_base();
/// Offsets [begin, end) of the per-CPU area that are free for modules' static per-CPU variables. A
/// variable's symbol value is the offset, not the address.
struct percpu_window {
  std::uint32_t begin, end;
};
percpu_window percpu_for_modules();

/// Which features `boot_cpu_data` shows: none (modules then take their generic C code), or those of
/// this machine that modules of pure computation ask for: SSE2 up to AVX2 (XSAVE state enabled by
/// the system).
enum class cpu_features { none, native };
void set_cpu_features(cpu_features features);

/// Runs kernel code; false and the reason in `oops` if it faulted, hit BUG (ud2), divided by zero
/// or panicked. Only frames of kernel code and of exports are abandoned; locks they held and memory
/// they owned stay so.
bool run_guarded(const std::function<void()>& code, std::string& oops);

/// WARN is a ud2 that the trap handler steps over: `is_warning` says of an address whether the bug
/// table of a module lists it so (flag BUGFLAG_WARNING). Called from a signal handler in
/// run_guarded; without it every ud2 is a BUG.
void set_warning_test(bool (*is_warning)(std::uint64_t address));

/// Ends kernel code that cannot go on: back to run_guarded, or abort() outside of one. Logs
/// `reason` first.
[[noreturn]] void oops(std::string reason);

} // namespace linux_like
