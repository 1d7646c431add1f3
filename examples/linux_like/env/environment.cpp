// SPDX-License-Identifier: MIT
// %gs and the per-CPU area (layout: percpu_layout.inc), the clock thread, guarded calls by signals.
#include "environment.hpp"

#include "exports.hpp"
#include "host_data.hpp"
#include "log.hpp"
#include "percpu_layout.inc"

#include <asm/prctl.h>
#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" std::byte host_percpu_area[PERCPU_SIZE];

namespace linux_like {
namespace {

constexpr std::uintptr_t reach = std::uintptr_t{1} << 31;
constexpr int jiffies_per_second = 250; // CONFIG_HZ of Debian's kernels

alignas(64) std::byte idle_task[16384]; // what `current` points to: a task_struct of zeros

sigjmp_buf* guard;
bool (*warning_test)(std::uint64_t address);
char guard_reason[160];

template <class T>
void put(std::size_t offset, T value) {
  std::memcpy(host_percpu_area + offset, &value, sizeof value);
}

void on_fault(int number, siginfo_t* info, void* context) {
  if (guard == nullptr) {
    std::signal(number, SIG_DFL);
    return; // the instruction faults again, with the default action
  }
  auto* machine = static_cast<ucontext_t*>(context);
  auto& at = machine->uc_mcontext.gregs[REG_RIP];
  if (number == SIGILL && warning_test != nullptr && warning_test(static_cast<std::uint64_t>(at))) {
    at += 2; // the length of ud2
    return;
  }
  std::snprintf(guard_reason, sizeof guard_reason, "%s at %#llx, address %p", sigabbrev_np(number),
                static_cast<unsigned long long>(machine->uc_mcontext.gregs[REG_RIP]),
                info->si_addr);
  siglongjmp(*guard, 1);
}

} // namespace

environment::environment() {
  for (const host_export& entry : exports())
    if (reinterpret_cast<std::uintptr_t>(entry.address) >= reach)
      throw std::runtime_error("exports lie above 2 GiB: link this program with -no-pie");

  const auto base = reinterpret_cast<std::uintptr_t>(host_percpu_area);
  const auto task = reinterpret_cast<std::uintptr_t>(idle_task);
  put(PERCPU_CANARY, std::uint64_t{0x6b6d6f646c640a00});
  put(PERCPU___preempt_count, std::uint32_t{0x80000000}); // bit 31 set: no rescheduling is wanted
  put(PERCPU_current_task, task);
  put(PERCPU_this_cpu_off, base);
  put(PERCPU_pcpu_hot, task);
  put(PERCPU_pcpu_hot + 8, std::uint32_t{0x80000000});
  host_data___per_cpu_offset[0] = base;
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, base) != 0)
    throw std::runtime_error("arch_prctl(ARCH_SET_GS) failed");

  clock_ = std::jthread([](const std::stop_token& stop) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      next += std::chrono::microseconds(1'000'000 / jiffies_per_second);
      std::this_thread::sleep_until(next);
      __atomic_fetch_add(&host_data_jiffies, 1, __ATOMIC_RELAXED);
    }
  });
}

environment::~environment() = default;

std::byte* percpu_base() { return host_percpu_area; }

percpu_window percpu_for_modules() { return {PERCPU_MODULES, PERCPU_SIZE}; }

bool run_guarded(const std::function<void()>& code, std::string& oops) {
  constexpr int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  struct sigaction action{}, before[std::size(faults)];
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < std::size(faults); ++i)
    sigaction(faults[i], &action, &before[i]);
  sigjmp_buf here;
  sigjmp_buf* const outer = guard;
  volatile bool finished = false;
  if (sigsetjmp(here, 1) == 0) {
    guard = &here;
    code();
    finished = true;
  }
  guard = outer;
  for (std::size_t i = 0; i < std::size(faults); ++i)
    sigaction(faults[i], &before[i], nullptr);
  if (!finished)
    oops = guard_reason;
  return finished;
}

void set_warning_test(bool (*is_warning)(std::uint64_t address)) { warning_test = is_warning; }

void oops(std::string reason) {
  log(0, reason);
  if (guard == nullptr)
    std::abort();
  std::snprintf(guard_reason, sizeof guard_reason, "%s", reason.c_str());
  std::string().swap(reason); // the jump destroys nothing
  siglongjmp(*guard, 1);
}

} // namespace linux_like
