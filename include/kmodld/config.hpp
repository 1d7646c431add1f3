// SPDX-License-Identifier: MIT
// What a Config must and may name, its defaults, and the checks that say in one sentence what is
// wrong with it.
//
//   struct my_kernel {
//     using arch            = kmodld::arch::x86_64;
//     using allocator       = my_memory;              // a type, or a reference: my_memory&
//     using symbol_resolver = kmodld::symbol_table<my_memory>&;
//     using protector       = my_page_tables&;
//     using notifier        = kmodld::notifier_chain&;
//   };
#pragma once

#include <kmodld/abi.hpp>
#include <kmodld/policy/allocator.hpp>
#include <kmodld/policy/arch.hpp>
#include <kmodld/policy/diagnostics.hpp>
#include <kmodld/policy/hooks.hpp>
#include <kmodld/policy/introspection.hpp>
#include <kmodld/policy/invoker.hpp>
#include <kmodld/policy/lock.hpp>
#include <kmodld/policy/notifier.hpp>
#include <kmodld/policy/parameters.hpp>
#include <kmodld/policy/percpu.hpp>
#include <kmodld/policy/protector.hpp>
#include <kmodld/policy/reclaimer.hpp>
#include <kmodld/policy/symbol_resolver.hpp>
#include <kmodld/policy/tracer.hpp>
#include <kmodld/policy/verifier.hpp>

#include <type_traits>

namespace kmodld {

/// A host without parameters: every parameter of a module is refused.
struct no_parameters {
  int set(module&, kernel_param const&, std::string_view) noexcept { return e_inval; }
  int get(module&, kernel_param const&, std::span<char>) noexcept { return -e_perm; }
  bool no_argument(module&, kernel_param const&) noexcept { return false; }
  void free(module&, kernel_param const&) noexcept {}
};
static_assert(parameters_policy<no_parameters>);

namespace detail {

/// An optional member type of a Config with its default.
#define KMODLD_OPTIONAL(member, fallback)                                                          \
  template <class C>                                                                               \
  struct member##_of {                                                                             \
    using type = fallback;                                                                         \
  };                                                                                               \
  template <class C>                                                                               \
    requires requires { typename C::member; }                                                      \
  struct member##_of<C> {                                                                          \
    using type = typename C::member;                                                               \
  };
template <class C>
using default_abi = kmodld::abi::linux_of<typename C::arch, kmodld::abi::linux_6_1>;
KMODLD_OPTIONAL(abi, default_abi<C>)
KMODLD_OPTIONAL(lock, no_lock)
KMODLD_OPTIONAL(percpu, uniprocessor)
KMODLD_OPTIONAL(verifier, no_keys_verifier)
KMODLD_OPTIONAL(invoker, direct_invoker)
KMODLD_OPTIONAL(parameters, no_parameters)
KMODLD_OPTIONAL(introspection, no_introspection)
KMODLD_OPTIONAL(tracer, no_tracer)
KMODLD_OPTIONAL(diagnostics, no_diagnostics)
KMODLD_OPTIONAL(reclaimer, no_reclaimer)
KMODLD_OPTIONAL(hooks, no_hooks)
#undef KMODLD_OPTIONAL

template <class T>
using bare = std::remove_cvref_t<T>;

// One concept a member: an error names it, and the assertion's text says the rest in a sentence.
#define KMODLD_NAMES(member)                                                                       \
  template <class C>                                                                               \
  concept names_##member = requires { typename C::member; };
KMODLD_NAMES(arch)
KMODLD_NAMES(allocator)
KMODLD_NAMES(symbol_resolver)
KMODLD_NAMES(protector)
KMODLD_NAMES(notifier)
KMODLD_NAMES(resolver)
KMODLD_NAMES(symbols)
KMODLD_NAMES(per_cpu)
KMODLD_NAMES(locks)
KMODLD_NAMES(mutex)
KMODLD_NAMES(signature)
KMODLD_NAMES(params)
KMODLD_NAMES(sysfs)
KMODLD_NAMES(trace)
KMODLD_NAMES(logger)
KMODLD_NAMES(diagnostic)
KMODLD_NAMES(rcu)
KMODLD_NAMES(hook)
#undef KMODLD_NAMES

/// Policies go into the loader by value or by reference.
template <class T>
inline constexpr bool can_be_member = std::is_reference_v<T> || std::is_move_constructible_v<T>;

/// Whether the abi has what Linux has otherwise on this architecture, or on one that it derives
/// from, and not on another one: plain objects want it, too, for powerpc64 has pages of 64 KiB.
template <class Arch, class Abi>
consteval bool abi_fits() {
  if constexpr (requires { typename Abi::of_arch; })
    return std::is_base_of_v<typename Abi::of_arch, Arch>;
  else
    return !requires { typename Arch::template linux_abi<kmodld::abi::linux_6_1>; };
}

/// Checks one member after the other; the first that is wrong stops the compiler with one sentence.
template <class C>
consteval bool check_config() {
  static_assert(!names_resolver<C> && !names_symbols<C>,
                "kmodld: a Config names its symbols `symbol_resolver`");
  static_assert(!names_per_cpu<C>, "kmodld: a Config names its per-CPU policy `percpu`");
  static_assert(!names_locks<C> && !names_mutex<C>, "kmodld: a Config names its lock `lock`");
  static_assert(!names_signature<C>, "kmodld: a Config names its signature policy `verifier`");
  static_assert(!names_params<C>, "kmodld: a Config names its parameter policy `parameters`");
  static_assert(!names_sysfs<C>, "kmodld: a Config names its sysfs policy `introspection`");
  static_assert(!names_trace<C>, "kmodld: a Config names its tracer `tracer`");
  static_assert(!names_logger<C> && !names_diagnostic<C>,
                "kmodld: a Config names its log `diagnostics`");
  static_assert(!names_rcu<C>, "kmodld: a Config names its reclaimer `reclaimer`");
  static_assert(!names_hook<C>, "kmodld: a Config names its hooks `hooks`");

  static_assert(names_arch<C>,
                "kmodld: Config::arch is missing; name an architecture of kmodld/arch/");
  static_assert(names_allocator<C>,
                "kmodld: Config::allocator is missing; see kmodld/policy/allocator.hpp");
  static_assert(
      names_symbol_resolver<C>,
      "kmodld: Config::symbol_resolver is missing; see kmodld/policy/symbol_resolver.hpp");
  static_assert(names_protector<C>,
                "kmodld: Config::protector is missing; see kmodld/policy/protector.hpp");
  static_assert(names_notifier<C>,
                "kmodld: Config::notifier is missing; see kmodld/policy/notifier.hpp");
  if constexpr (names_arch<C>) {
    using abi = typename abi_of<C>::type;
    static_assert(arch_policy<typename C::arch>,
                  "kmodld: Config::arch is not an architecture; see kmodld/policy/arch.hpp");
    static_assert(abi_fits<typename C::arch, abi>(),
                  "kmodld: Config::abi lacks what Linux has otherwise on this architecture; name "
                  "kmodld::abi::linux_of<arch, ...> of it");
    static_assert(!abi::export_globals || abi::kallsyms,
                  "kmodld: Config::abi has export_globals, which needs its kallsyms");
  }
  if constexpr (names_allocator<C>)
    static_assert(allocator_policy<bare<typename C::allocator>>,
                  "kmodld: Config::allocator is not an allocator_policy; it needs noexcept "
                  "allocate(request, out) -> memory_status and release(kind, region)");
  if constexpr (names_symbol_resolver<C>)
    static_assert(symbol_resolver_policy<bare<typename C::symbol_resolver>>,
                  "kmodld: Config::symbol_resolver is not a symbol_resolver_policy; it needs "
                  "noexcept find(name, gpl_ok, out) -> bool");
  if constexpr (names_protector<C>)
    static_assert(protector_policy<bare<typename C::protector>>,
                  "kmodld: Config::protector is not a protector_policy; it needs noexcept "
                  "protect(batch) -> int and flush_icache(region)");
  if constexpr (names_notifier<C>)
    static_assert(notifier_policy<bare<typename C::notifier>>,
                  "kmodld: Config::notifier is not a notifier_policy; it needs noexcept "
                  "notify(event, module) -> int");
  // Optional parts that are there by name but not by contract would be left out without a word.
  if constexpr (names_symbol_resolver<C>) {
    using R = bare<typename C::symbol_resolver>;
    static_assert(
        !requires { &R::add; } || export_registry<R>,
        "kmodld: Config::symbol_resolver has add but is not an export_registry; it needs "
        "noexcept add(name, symbol) -> bool and remove(name, owner) -> void");
    static_assert(
        !requires { &R::find_batch; } || batch_resolver<R>,
        "kmodld: Config::symbol_resolver has find_batch but is not a batch_resolver; it "
        "needs noexcept find_batch(queries, count) -> void");
    static_assert(
        !requires { &R::bounds; } || bounded_resolver<R>,
        "kmodld: Config::symbol_resolver has bounds but is not a bounded_resolver; it needs "
        "noexcept bounds() const -> reach_window");
    static_assert(
        !requires { &R::prefetch; } || prefetching_resolver<R>,
        "kmodld: Config::symbol_resolver has prefetch but is not a prefetching_resolver; it needs "
        "noexcept prefetch(name)");
  }
  using H = bare<typename hooks_of<C>::type>;
  if constexpr (names_arch<C>)
    static_assert(
        !requires { &H::finalize; } || finalize_hook<H, typename C::arch>,
        "kmodld: Config::hooks has finalize but is not a finalize_hook; see "
        "kmodld/policy/hooks.hpp");
  static_assert(
      !requires { &H::ftrace_init; } || ftrace_hook<H>,
      "kmodld: Config::hooks has ftrace_init but is not an ftrace_hook; see "
      "kmodld/policy/hooks.hpp");
  static_assert(
      !requires { &H::ddebug_add; } || dynamic_debug_hook<H>,
      "kmodld: Config::hooks has ddebug_add but is not a dynamic_debug_hook; see "
      "kmodld/policy/hooks.hpp");
  static_assert(
      !requires { &H::klp_coming; } || livepatch_hook<H>,
      "kmodld: Config::hooks has klp_coming but is not a livepatch_hook; see "
      "kmodld/policy/hooks.hpp");
  if constexpr (names_notifier<C>)
    static_assert(can_be_member<typename C::notifier>,
                  "kmodld: Config::notifier cannot be moved; name a reference to it");
  if constexpr (names_protector<C>)
    static_assert(can_be_member<typename C::protector>,
                  "kmodld: Config::protector cannot be moved; name a reference to it");
  if constexpr (names_symbol_resolver<C>)
    static_assert(can_be_member<typename C::symbol_resolver>,
                  "kmodld: Config::symbol_resolver cannot be moved; name a reference to it");
  if constexpr (names_allocator<C>)
    static_assert(can_be_member<typename C::allocator>,
                  "kmodld: Config::allocator cannot be moved; name a reference to it");
#define KMODLD_MOVABLE(member)                                                                     \
  static_assert(can_be_member<typename member##_of<C>::type>,                                      \
                "kmodld: Config::" #member " cannot be moved; name a reference to it")
  KMODLD_MOVABLE(lock);
  KMODLD_MOVABLE(percpu);
  KMODLD_MOVABLE(verifier);
  KMODLD_MOVABLE(invoker);
  KMODLD_MOVABLE(parameters);
  KMODLD_MOVABLE(introspection);
  KMODLD_MOVABLE(tracer);
  KMODLD_MOVABLE(diagnostics);
  KMODLD_MOVABLE(reclaimer);
  KMODLD_MOVABLE(hooks);
#undef KMODLD_MOVABLE
  static_assert(lock_policy<bare<typename lock_of<C>::type>>,
                "kmodld: Config::lock is not a lock_policy; see kmodld/policy/lock.hpp");
  static_assert(std::is_same_v<bare<typename percpu_of<C>::type>, uniprocessor> ||
                    percpu_policy<bare<typename percpu_of<C>::type>>,
                "kmodld: Config::percpu is not a percpu_policy; see kmodld/policy/percpu.hpp");
  static_assert(
      std::is_same_v<bare<typename verifier_of<C>::type>, no_signatures> ||
          verifier_policy<bare<typename verifier_of<C>::type>>,
      "kmodld: Config::verifier is not a verifier_policy; see kmodld/policy/verifier.hpp");
  static_assert(invoker_policy<bare<typename invoker_of<C>::type>>,
                "kmodld: Config::invoker is not an invoker_policy; see kmodld/policy/invoker.hpp");
  static_assert(parameters_policy<bare<typename parameters_of<C>::type>>,
                "kmodld: Config::parameters is not a parameters_policy; see "
                "kmodld/policy/parameters.hpp");
  static_assert(introspection_policy<bare<typename introspection_of<C>::type>>,
                "kmodld: Config::introspection is not an introspection_policy; see "
                "kmodld/policy/introspection.hpp");
  static_assert(tracer_policy<bare<typename tracer_of<C>::type>>,
                "kmodld: Config::tracer is not a tracer_policy; see kmodld/policy/tracer.hpp");
  static_assert(diagnostics_policy<bare<typename diagnostics_of<C>::type>>,
                "kmodld: Config::diagnostics is not a diagnostics_policy; see "
                "kmodld/policy/diagnostics.hpp");
  using P = bare<typename parameters_of<C>::type>;
  if constexpr (requires { P::has_lock; })
    static_assert(P::has_lock || std::is_same_v<bare<typename lock_of<C>::type>, no_lock>,
                  "kmodld: Config::lock lets loads run at once, but the linux_parameters of "
                  "Config::parameters have no Lock for the values that modules share");
  static_assert(reclaimer_policy<bare<typename reclaimer_of<C>::type>>,
                "kmodld: Config::reclaimer is not a reclaimer_policy; see "
                "kmodld/policy/reclaimer.hpp");
  return true;
}

} // namespace detail

/// The policies of a loader: one member each, by value or by reference as the Config names them.
/// Members that are references must be initialised.
/// An unused optional policy takes no bytes.
template <class C>
struct policies {
  static_assert(detail::check_config<C>());

  typename C::allocator allocator{};
  typename C::symbol_resolver symbol_resolver{};
  typename C::protector protector{};
  typename C::notifier notifier{};
  [[no_unique_address]] typename detail::lock_of<C>::type lock{};
  [[no_unique_address]] typename detail::percpu_of<C>::type percpu{};
  [[no_unique_address]] typename detail::verifier_of<C>::type verifier{};
  [[no_unique_address]] typename detail::invoker_of<C>::type invoker{};
  [[no_unique_address]] typename detail::parameters_of<C>::type parameters{};
  [[no_unique_address]] typename detail::introspection_of<C>::type introspection{};
  [[no_unique_address]] typename detail::tracer_of<C>::type tracer{};
  [[no_unique_address]] typename detail::diagnostics_of<C>::type diagnostics{};
  [[no_unique_address]] typename detail::reclaimer_of<C>::type reclaimer{};
  [[no_unique_address]] typename detail::hooks_of<C>::type hooks{};
};

/// What a kernel knows at run time: its version magic, boot parameters and sysctls.
struct kernel_settings {
  std::string_view vermagic{};         ///< empty: modules of every version
  std::string_view module_blacklist{}; ///< names with commas between (module_blacklist=)
  reach_window module_window{};        ///< where module memory may lie at all
  address ftrace_caller{};             ///< arm, aarch64: what modules' first fixed stub leads to
  address mcount{};                    ///< arm: __gnu_mcount_nc, the second fixed stub
  address kernel_toc{};                ///< powerpc64: r2 of the kernel
  bool modules_disabled = false;       ///< kernel.modules_disabled, nomodule
  bool rodata = true; ///< rodata=off leaves text and data writable, never executable
  u64 hash_seed =
      0x6b6d6f646c64;       ///< of the tables that a hostile module could fill; random if possible
  bool async_probe = false; ///< module.async_probe
  bool lockdown = false;    ///< integrity mode: unsigned modules and hardware parameters
  address ftrace_regs_caller{}; ///< aarch64, 6.1: what the second fixed stub leads to
};

} // namespace kmodld
