// SPDX-License-Identifier: MIT
// Exports that stand for the running kernel: locks (kernel code runs one at a time here, so they
// only exist), time, static keys, CPU features, and the data that inlined kernel functions read.
#include "environment.hpp"
#include "host_data.hpp"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

namespace {

using u64 = std::uint64_t;
constexpr u64 milliseconds_per_jiffy = 4; // CONFIG_HZ=250
constexpr u64 nanoseconds_per_second = 1'000'000'000;

/// struct kernel_param_ops: flags, set, get, free. Modules only take its address; a loader sets
/// parameters.
struct param_ops {
  std::uint32_t flags;
  void *set, *get, *free;
};

/// struct work_struct: data, list, function.
struct work {
  void* fields[3];
  void (*function)(work*);
};

u64 nanoseconds_since_boot() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

u64 seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<u64>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

void sleep_nanoseconds(u64 time) { std::this_thread::sleep_for(std::chrono::nanoseconds(time)); }

} // namespace

extern "C" {

// Locks.
void host_mutex_lock(void*) {}
void host_mutex_unlock(void*) {}
int host_mutex_trylock(void*) { return 1; }
int host_mutex_lock_interruptible(void*) { return 0; }
int host_mutex_lock_killable(void*) { return 0; }
bool host_mutex_is_locked(void*) { return false; }
void host___mutex_init(void*, const char*, void*) {}
void host__raw_spin_lock(void*) {}
void host__raw_spin_unlock(void*) {}
int host__raw_spin_trylock(void*) { return 1; }
void host__raw_spin_lock_irq(void*) {}
void host__raw_spin_unlock_irq(void*) {}
u64 host__raw_spin_lock_irqsave(void*) { return 0; }
void host__raw_spin_unlock_irqrestore(void*, u64) {}
void host__raw_spin_lock_bh(void*) {}
void host__raw_spin_unlock_bh(void*) {}
void host__raw_read_lock(void*) {}
void host__raw_read_unlock(void*) {}
void host__raw_write_lock(void*) {}
void host__raw_write_unlock(void*) {}
void host___init_rwsem(void*, const char*, void*) {}
void host_down_read(void*) {}
void host_up_read(void*) {}
void host_down_write(void*) {}
void host_up_write(void*) {}
void host___rcu_read_lock() {}
void host___rcu_read_unlock() {}
void host_synchronize_rcu() {}
void host_rcu_barrier() {}
void host_call_rcu(void* head, void (*function)(void*)) { function(head); }
void host___local_bh_enable_ip(u64, unsigned) {}
void host_schedule() { std::this_thread::yield(); }
int host___cond_resched() { return 0; }

// Time.
void host_msleep(unsigned milliseconds) { sleep_nanoseconds(u64{milliseconds} * 1'000'000); }
void host_usleep_range_state(u64 least, u64, unsigned) { sleep_nanoseconds(least * 1000); }
void host___udelay(u64 microseconds) { sleep_nanoseconds(microseconds * 1000); }
void host___ndelay(u64 nanoseconds) { sleep_nanoseconds(nanoseconds); }
void host___const_udelay(u64 scaled) { sleep_nanoseconds((scaled >> 32) * 1000); } // in 2^-32 us
u64 host_ktime_get() { return nanoseconds_since_boot(); }
u64 host_ktime_get_raw() { return nanoseconds_since_boot(); }
u64 host_ktime_get_with_offset(int) { return nanoseconds_since_boot(); }
u64 host_ktime_get_real_seconds() { return seconds_since_1970(); }
u64 host_ktime_get_seconds() { return nanoseconds_since_boot() / nanoseconds_per_second; }
unsigned host_jiffies_to_msecs(u64 count) {
  return static_cast<unsigned>(count * milliseconds_per_jiffy);
}
unsigned host_jiffies_to_usecs(u64 count) {
  return static_cast<unsigned>(count * milliseconds_per_jiffy * 1000);
}
u64 host___msecs_to_jiffies(unsigned time) {
  return (time + milliseconds_per_jiffy - 1) / milliseconds_per_jiffy;
}

// Deferred work is done at once.
bool host_queue_work_on(int, void*, work* item) {
  item->function(item);
  return true;
}
bool host_cancel_work_sync(work*) { return false; }

// Static keys: only the count changes, the branches stay as compiled unless the loader patches
// them.
void host_static_key_enable(int* key) { *key = 1; }
void host_static_key_disable(int* key) { *key = 0; }
void host_static_key_slow_inc(int* key) { ++*key; }
void host_static_key_slow_dec(int* key) { --*key; }
int host_static_key_count(const int* key) { return *key; }

// CPU. The vector registers are the process's own: nothing to save before kernel code uses them.
bool host_irq_fpu_usable() { return true; }
int host_cpu_has_xfeatures(u64, const char** missing) {
  if (missing != nullptr)
    *missing = "none enabled";
  return 0;
}
const void* host_x86_match_cpu(const void*) { return nullptr; }
void host_kernel_fpu_begin_mask(unsigned) {}

// Modules are counted by their loader; these counts come from inlined kernel code without an owner.
void host___module_get(void*) {}
bool host_try_module_get(void*) { return true; }
void host_module_put(void*) {}

// Data.
void* host_data_system_wq = nullptr;
int host_data_fips_enabled = 0;
volatile u64 host_data_jiffies = 0;
extern volatile u64 host_data_jiffies_64 __attribute__((alias("host_data_jiffies")));
u64 host_data_loops_per_jiffy = 1 << 20;
unsigned host_data_cpu_khz = 1'000'000;
unsigned host_data_tsc_khz = 1'000'000;
alignas(64) std::byte host_data_boot_cpu_data[512];
unsigned host_data_nr_cpu_ids = 1;
int host_data___num_online_cpus = 1;
u64 host_data___cpu_possible_mask[128] = {1};
u64 host_data___cpu_online_mask[128] = {1};
u64 host_data___cpu_present_mask[128] = {1};
u64 host_data___per_cpu_offset[8192];
u64 host_data_page_offset_base = 0; // "physical" addresses are the process's own
u64 host_data_vmalloc_base = 0;
u64 host_data_vmemmap_base = 0;
u64 host_data_phys_base = 0;
alignas(4096) std::byte host_data_empty_zero_page[4096];
int host_data_system_state = 2; // SYSTEM_RUNNING
param_ops host_data_param_ops_byte, host_data_param_ops_short, host_data_param_ops_ushort,
    host_data_param_ops_int, host_data_param_ops_uint, host_data_param_ops_long,
    host_data_param_ops_ulong, host_data_param_ops_ullong, host_data_param_ops_hexint,
    host_data_param_ops_bool, host_data_param_ops_bool_enable_only, host_data_param_ops_invbool,
    host_data_param_ops_bint, host_data_param_ops_charp, host_data_param_ops_string,
    host_data_param_array_ops;

} // extern "C"

namespace linux_like {

void set_cpu_features(cpu_features features) {
  std::uint32_t words[22] = {};
  if (features == cpu_features::native) {
    const auto set = [&words](std::size_t word, unsigned bit, bool present) {
      if (present)
        words[word] |= 1u << bit;
    };
    __builtin_cpu_init();
    const bool avx = __builtin_cpu_supports("avx") != 0;
    const bool avx2 = __builtin_cpu_supports("avx2") != 0;
    set(0, 23, true); // MMX, SSE and SSE2 belong to x86_64
    set(0, 25, true);
    set(0, 26, true);
    set(4, 9, __builtin_cpu_supports("ssse3") != 0);
    set(4, 27, avx); // OSXSAVE: the system keeps the wide registers
    set(4, 28, avx);
    set(9, 5, avx2);
  }
  std::memcpy(host_data_boot_cpu_data + capability_offset, words, sizeof words);
}

} // namespace linux_like
