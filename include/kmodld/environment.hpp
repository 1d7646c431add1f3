// SPDX-License-Identifier: MIT
// What every step can reach: the loader's policies and lasting state, and the one load it serves.
#pragma once

#include <kmodld/config.hpp>
#include <kmodld/linux/module_list.hpp>
#include <kmodld/linux/taint.hpp>

namespace kmodld {

/// Flags of finit_module.
struct load_flags {
  bool ignore_modversions = false; ///< MODULE_INIT_IGNORE_MODVERSIONS
  bool ignore_vermagic = false;    ///< MODULE_INIT_IGNORE_VERMAGIC
  std::string_view name{};         ///< for objects that have none of their own (abi::plain)
};

/// What lasts from load to load: Linux's global state of kernel/module, here one object a loader.
template <class Config>
struct loader_state {
  policies<Config> policy;
  kernel_settings settings;
  module_list modules{};
  std::atomic<u32> taints{0};   ///< the kernel's
  std::atomic<u32> removals{0}; ///< how often exports were withdrawn; changes under the lock
  std::atomic<bool> logged_unsigned{false}; ///< printed once a boot
  std::atomic<bool> logged_livepatch{false};
  char last_unloaded[module::name_capacity] = {};
  u32 last_unloaded_taints = 0;

  // Each record and each scratch block begins with where it came from; what follows is aligned for
  // any scalar and for a module.
  static constexpr std::size_t block_align = alignof(module) > alignof(std::max_align_t)
                                                 ? alignof(module)
                                                 : alignof(std::max_align_t);
  struct alignas(block_align) block {
    region memory;
    block* next;
  };

  /// Memory of kind record or scratch, aligned for any scalar; null if there is none.
  void* allocate(memory_kind kind, u64 size, block** list = nullptr, bool zeroed = true) noexcept {
    region r;
    if (size > ~u64{0} - sizeof(block) || size + sizeof(block) > ~std::size_t{0} ||
        policy.allocator.allocate({kind, size + sizeof(block), block_align, {}, zeroed}, r) !=
            memory_status::ok)
      return nullptr;
    auto* b = ::new (static_cast<void*>(r.host)) block{r, nullptr};
    if (list != nullptr) {
      b->next = *list;
      *list = b;
    }
    return b + 1;
  }
  void release(memory_kind kind, void* p) noexcept {
    if (p != nullptr)
      policy.allocator.release(kind, (static_cast<block*>(p) - 1)->memory);
  }
  void* new_record(u64 size) noexcept { return allocate(memory_kind::record, size); }
  void free_record(void const* p) noexcept { release(memory_kind::record, const_cast<void*>(p)); }

  /// A copy of `s` in a record, NUL-terminated; null data if there is no memory.
  std::span<char> duplicate(std::string_view s) noexcept {
    auto* p = static_cast<char*>(new_record(u64{s.size()} + 1));
    if (p == nullptr)
      return {};
    copy_text({p, s.size() + 1}, s);
    return {p, s.size()};
  }
};

/// One load.
template <class Config>
class environment {
public:
  using config = Config;
  using arch = typename Config::arch;
  using format = typename arch::format;
  using abi = typename detail::abi_of<Config>::type;
  using state_type = loader_state<Config>;

  static constexpr bool smp =
      !std::is_same_v<detail::bare<typename detail::percpu_of<Config>::type>, uniprocessor>;
  using hooks_type = detail::bare<typename detail::hooks_of<Config>::type>;

  environment(state_type& s, byte_view file, std::string_view arguments, load_flags f) noexcept
      : state{s}, image{file}, args{arguments}, flags{f} {}
  environment(environment const&) = delete;
  environment& operator=(environment const&) = delete;
  ~environment() { free_scratch(); }

  state_type& state;
  byte_view image;
  std::string_view args;
  load_flags flags;
  std::string_view module_name; ///< for messages, as soon as it is known
  kmodld::error err;            ///< the first cause, or the last where Linux goes on
  module* held = nullptr;       ///< live; the reference that init had is the caller's now

  policies<Config>& policy() noexcept { return state.policy; }
  hooks_type& hooks() noexcept { return state.policy.hooks; }

  /// What an error or note is about beside its code.
  struct details {
    std::string_view subject = {};
    std::string_view second = {};
    u64 n0 = 0, n1 = 0;
    u32 section = 0, index = 0;
  };

  /// Records the load's error and reports it.
  [[gnu::noinline]] errc fail(errc code, details const& d) noexcept {
    fill(err, code, d);
    policy().diagnostics.report(err);
    return code;
  }
  // What fits registers is passed in them: there are many calls.
  [[gnu::noinline]] errc fail(errc code) noexcept { return fail(code, details{}); }
  [[gnu::noinline]] errc fail(errc code, std::string_view subject, u64 n0 = 0) noexcept {
    return fail(code, {.subject = subject, .n0 = n0});
  }
  /// There is no memory of this size for something.
  errc fail_no_memory(std::string_view what, u64 size) noexcept {
    return fail(errc::no_memory, what, size);
  }
  /// Completes and reports an error that a part without names has put into err.
  errc fail_with_names(std::string_view subject = {}) noexcept {
    err.step = position_;
    err.set_names(module_name, subject);
    policy().diagnostics.report(err);
    return err.code;
  }
  /// The same for one that is reported already.
  errc fail_with(kmodld::error const& e) noexcept {
    err = e;
    err.step = position_;
    return err.code;
  }
  /// Reports something that is not the end of the load.
  [[gnu::noinline]] void note(errc code) noexcept { note(code, details{}); }
  [[gnu::noinline]] void note(errc code, details const& d) noexcept {
    if constexpr (!std::is_same_v<detail::bare<typename detail::diagnostics_of<Config>::type>,
                                  no_diagnostics>) {
      kmodld::error n;
      fill(n, code, d);
      policy().diagnostics.report(n);
    }
  }
  void undone(std::string_view action) noexcept { policy().tracer.undone(action); }

  errc enter_step(std::string_view step, std::size_t position) noexcept {
    position_ = static_cast<u8>(position + 1);
    int injected = policy().tracer.enter(step);
    return injected == 0
               ? errc::ok
               : fail(errc::injected, {.subject = step, .n0 = static_cast<u64>(injected)});
  }
  void leave_step(std::string_view step, errc result) noexcept {
    policy().tracer.leave(step, result);
  }

  /// `count` objects that live until free_copy; empty if there is no memory for them. Where they
  /// are not zeroed the step writes each before it is read.
  template <class T>
  std::span<T> scratch(u64 count, bool zeroed = true) noexcept {
    if (count > ~std::size_t{0} / sizeof(T))
      return {};
    void* p = state.allocate(memory_kind::scratch, count * sizeof(T), &scratch_, zeroed);
    return p == nullptr ? std::span<T>{}
                        : std::span<T>{static_cast<T*>(p), static_cast<std::size_t>(count)};
  }
  void free_scratch() noexcept {
    while (scratch_ != nullptr) {
      auto* b = scratch_;
      scratch_ = b->next;
      policy().allocator.release(memory_kind::scratch, b->memory);
    }
  }

  /// For tables of this load: differs from load to load and is not known to the module's author.
  u64 hash_seed() const noexcept {
    return state.settings.hash_seed ^ reinterpret_cast<std::uintptr_t>(image.data());
  }

  /// Taints the kernel, and the module if there is one.
  void taint(module* m, u32 flag) noexcept {
    state.taints.fetch_or(flag, std::memory_order_relaxed);
    if (m != nullptr)
      m->taints |= flag;
    else
      early_taints |= flag;
  }
  bool kernel_tainted(u32 flag) const noexcept {
    return (state.taints.load(std::memory_order_relaxed) & flag) != 0;
  }
  u32 early_taints = 0; ///< of the module, before it has a record

  /// try_to_force_load: something is missing; go on, tainted, if the host allows it.
  bool force_load(module* m, std::string_view reason) noexcept {
    if constexpr (!abi::force_load)
      return false;
    if (!kernel_tainted(taint_forced))
      note(errc::taint_forced, {.subject = reason});
    taint(m, taint_forced);
    return true;
  }

private:
  void fill(kmodld::error& e, errc code, details const& d) const noexcept {
    e = {};
    e.code = code;
    e.step = position_;
    e.section = d.section;
    e.index = d.index;
    e.number[0] = d.n0;
    e.number[1] = d.n1;
    e.set_names(module_name, d.subject, d.second);
  }

  typename state_type::block* scratch_ = nullptr;
  u8 position_ = 0;
};

} // namespace kmodld
