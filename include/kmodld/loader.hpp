// SPDX-License-Identifier: MIT
// loader<Config>: load, unload, find. All lasting state is in the object; two loaders can live in
// one program.
#pragma once

#include <kmodld/load_module.hpp>
#include <kmodld/steps/delete_module.hpp>

namespace kmodld {

/// A counted reference to a module: while it lives the module cannot be unloaded but by force.
/// Movable; null after a move or reset().
class module_ref {
public:
  module_ref() noexcept = default;
  /// try_module_get, for modules that are live; null for others.
  explicit module_ref(module* m) noexcept : module_{take(m) ? m : nullptr} {}
  /// Takes over a reference that is counted already.
  static module_ref adopt(module* m) noexcept {
    module_ref r;
    r.module_ = m;
    return r;
  }
  module_ref(module_ref&& o) noexcept : module_{std::exchange(o.module_, nullptr)} {}
  module_ref& operator=(module_ref&& o) noexcept {
    if (this != &o) {
      reset();
      module_ = std::exchange(o.module_, nullptr);
    }
    return *this;
  }
  ~module_ref() { reset(); }

  explicit operator bool() const noexcept { return module_ != nullptr; }
  module& operator*() const noexcept { return *module_; }
  module* operator->() const noexcept { return module_; }
  module* get() const noexcept { return module_; }

  /// module_put.
  void reset() noexcept {
    if (module* m = release(); m != nullptr)
      m->refcnt.fetch_sub(1, std::memory_order_release);
  }
  /// Gives the module up without module_put: the opposite of adopt().
  module* release() noexcept { return std::exchange(module_, nullptr); }

private:
  static bool take(module* m) noexcept {
    if (m == nullptr)
      return false;
    u32 count = m->refcnt.load(std::memory_order_relaxed);
    do
      // Before LIVE a failing init still takes the record away, whoever holds it.
      if (count == 0 || m->state.load(std::memory_order_acquire) != module_state::live)
        return false;
    while (!m->refcnt.compare_exchange_weak(count, count + 1, std::memory_order_acquire));
    return true;
  }

  module* module_ = nullptr;
};

template <class Config>
class loader {
public:
  using config = Config;
  using format = typename Config::arch::format;
  using pipeline_type = typename detail::pipeline_of<Config>::type;

  explicit loader(kmodld::policies<Config> p = {}, kernel_settings s = {}) noexcept
      : state_{static_cast<kmodld::policies<Config>&&>(p), s} {}
  loader(loader const&) = delete;
  loader& operator=(loader const&) = delete;

  /// Unloads what is still loaded, users first; modules without exit are given up by force.
  ~loader() {
    state_.settings.modules_disabled = false; // keeps users out, not this
    unload_all(true);
  }

  /// init_module: loads the object in `image`, which is only read, and is not needed afterwards.
  /// `args` sets its parameters. The error says which step failed; everything is given back.
  result<module_ref> load(byte_view image, std::string_view args = {},
                          load_flags flags = {}) noexcept {
    environment<Config> env{state_, image, args, flags};
    if (state_.settings.modules_disabled) {
      static_cast<void>(env.fail(errc::not_permitted));
      return env.err;
    }
    typename pipeline_type::values values;
    if (pipeline_type::run(env, values) != errc::ok) {
      state_.policy.lock.wake();
      collect();
      return env.err;
    }
    if (env.held != nullptr)
      return module_ref::adopt(env.held);
    return module_ref{values.template get<module_record>().record};
  }

  /// delete_module.
  result<void> unload(std::string_view name, unload_flags flags = {}) noexcept {
    return unload(name, flags, nullptr);
  }

  /// Gives the reference up and unloads its module, not another one that has got its name. On error
  /// the module stays, the reference too. ENOENT if the reference is null.
  result<void> unload(module_ref& ref, unload_flags flags = {}) noexcept {
    std::string_view const name = ref ? ref->name() : std::string_view{};
    result<void> done = unload(name, flags, ref.get());
    if (done)
      ref.release();
    return done;
  }

  /// What a symbol of the module is, as pointer: `symbol<int(int)>(*m, "run")`, `symbol<int>(*m,
  /// "count")`; null if there is none. For hosts whose pointers are addresses; the type is the
  /// caller's word.
  template <class T>
  static T* symbol(module const& m, std::string_view name) noexcept {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(lookup_name<format>(m, name).value));
  }

  /// The live module of this name; null if there is none.
  module_ref find(std::string_view name) noexcept {
    lock_guard lock{state_.policy.lock};
    return module_ref{state_.modules.find(name, false)};
  }

  /// Keeps others from setting or reading the module's parameters while it lives: for hosts that do
  /// it themselves, such as by sysfs_tree. Not with the loader's lock held.
  [[nodiscard]] auto hold_parameters(module& m) noexcept {
    return steps::param_lock<detail::bare<typename detail::lock_of<Config>::type>>{
        state_.policy.lock, m};
  }

  /// Sets a parameter of a loaded module as a write to sysfs does; `-` and `_` are one in names.
  result<void> set_parameter(module& m, std::string_view name, std::string_view value) noexcept {
    environment<Config> env{state_, {}, {}, {}};
    env.module_name = m.name();
    kernel_param p;
    int status = e_noent;
    // From here on: the names, too, may be in memory that init leaves behind.
    auto const lock = hold_parameters(m);
    if (find_parameter(m, name, p)) {
      status = (p.flags & kernel_param::hardware) != 0 && state_.settings.lockdown
                   ? int{e_perm}
                   : state_.policy.parameters.set(m, p, value);
      if (status == 0 && (p.flags & kernel_param::unsafe) != 0)
        env.taint(nullptr, taint_user);
    }
    if (status == 0)
      return {};
    static_cast<void>(
        status == e_noent
            ? env.fail(errc::param_unknown, name)
            : env.fail(errc::param_invalid,
                       {.subject = name, .second = value, .n0 = static_cast<u64>(status)}));
    return env.err;
  }

  /// Writes a parameter's value and a newline into `out`; its length, or a negative errno.
  int get_parameter(module& m, std::string_view name, std::span<char> out) noexcept {
    kernel_param p;
    auto const lock = hold_parameters(m);
    if (!find_parameter(m, name, p))
      return -e_noent;
    return state_.policy.parameters.get(m, p, out);
  }

  /// Writes `name+0x12/0x40 [module]` for an address in a module; the length, 0 if it is in none.
  /// Takes no lock: for traps, too.
  std::size_t symbolise(address where, std::span<char> out) noexcept {
    read_guard reading{state_.policy.reclaimer};
    symbol_at at;
    return find_symbol_at<format>(state_.modules, where, at, abi::kallsyms_all)
               ? format_symbol(at, out)
               : 0;
  }

  /// The fixup for a fault at `insn` in a module (search_module_extables); 0 if there is none.
  address find_fixup(address insn) noexcept {
    read_guard reading{state_.policy.reclaimer};
    module* const m = state_.modules.find_containing(insn);
    module_table const* const table =
        m == nullptr ? nullptr : m->extable.load(std::memory_order_acquire);
    exception found;
    return table != nullptr && exception_table<format, abi::extable>{*table}.find(insn, found)
               ? found.fixup
               : address{};
  }

  /// For readers between read_enter and read_leave of the reclaimer.
  module_list const& modules() const noexcept { return state_.modules; }
  kmodld::policies<Config>& policies() noexcept { return state_.policy; }
  kernel_settings& settings() noexcept { return state_.settings; }
  u32 taints() const noexcept { return state_.taints.load(std::memory_order_relaxed); }
  std::string_view last_unloaded() const noexcept { return c_string(state_.last_unloaded); }
  u32 last_unloaded_taints() const noexcept { return state_.last_unloaded_taints; }

  /// Newest first, over and over until nothing more goes; then by force.
  void unload_all(bool at_exit = false) noexcept {
    for (bool force : {false, true})
      for (bool progress = true; progress;) {
        progress = false;
        for (module& m : state_.modules)
          if (unload(m.name(), {.force = force, .at_exit = force && at_exit}).has_value()) {
            progress = true;
            break;
          }
      }
  }

private:
  using abi = typename detail::abi_of<Config>::type;

  /// `held`: a module that the caller has one reference to, which is given up if it is unloaded.
  result<void> unload(std::string_view name, unload_flags flags, module* held) noexcept {
    environment<Config> env{state_, {}, {}, {}};
    if (steps::delete_module(env, name, flags, held) != errc::ok)
      return env.err;
    collect();
    return {};
  }

  static bool find_parameter(module const& m, std::string_view name, kernel_param& p) noexcept {
    kernel_params<format> const all{m, m.sections.kp};
    for (u32 i = 0; i < all.size(); ++i)
      if (all.get(i, p) && same_parameter_name(name, p.name))
        return true;
    return false;
  }

  /// Lets a resolver with readers reuse what was removed.
  void collect() noexcept {
    if constexpr (requires { state_.policy.symbol_resolver.collect(state_.policy.lock); })
      state_.policy.symbol_resolver.collect(state_.policy.lock);
  }

  loader_state<Config> state_;
};

} // namespace kmodld
