// SPDX-License-Identifier: MIT
// Runs steps in order and undoes completed ones in reverse: the goto ladder of load_module, derived
// from what each step acquires.
//
// A step is a struct with
//   static constexpr std::string_view name;
//   using needs   = types<...>;   // values of earlier steps, read
//   using mutates = types<...>;   // values of earlier steps, changed
//   using yields  = types<...>;   // values it writes, once
//   static errc run(Env&, needs const&..., mutates&..., yields&...);
//   static void undo(Env&, mutates&..., yields&...);      // if it acquires anything
//   static constexpr bool commits = true;                 // from here nothing earlier is undone
// Absent lists are empty. A failing step is not undone itself: what it leaves behind must be
// released by an earlier step's undo, and its header says so. The undo of a step that commits
// stands for all earlier ones: it is the last that runs.
//
// It is flat: one object with a slot for every value, one fold over the steps, undo by index.
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/text.hpp>

#include <type_traits>
#include <utility>

namespace kmodld {

template <class... T>
struct types {};

namespace detail {

template <class T>
struct value_slot {
  T value{};
};

template <class S>
concept has_needs = requires { typename S::needs; };
template <class S>
concept has_mutates = requires { typename S::mutates; };
template <class S>
concept has_yields = requires { typename S::yields; };
template <class S>
concept has_commit = requires { requires S::commits; };

template <class S>
struct lists {
  static constexpr auto needs() {
    if constexpr (has_needs<S>)
      return typename S::needs{};
    else
      return types<>{};
  }
  static constexpr auto mutates() {
    if constexpr (has_mutates<S>)
      return typename S::mutates{};
    else
      return types<>{};
  }
  static constexpr auto yields() {
    if constexpr (has_yields<S>)
      return typename S::yields{};
    else
      return types<>{};
  }
};

template <class... A, class... B>
constexpr types<A..., B...> join(types<A...>, types<B...>) noexcept {
  return {};
}
template <class A>
constexpr A join(A a) noexcept {
  return a;
}
template <class A, class B, class... R>
constexpr auto join(A a, B b, R... r) noexcept {
  return join(decltype(join(a, b)){}, r...);
}

template <class List>
struct slots_of;
template <class... T>
struct slots_of<types<T...>> : value_slot<T>... {
  template <class V>
  V& get() noexcept {
    return static_cast<value_slot<V>&>(*this).value;
  }
  template <class V>
  static constexpr bool has = (std::is_same_v<V, T> || ...);
};

/// Instantiated for every value that a step asks for: a wrong order is told by this name.
template <class Step, class Value, bool Yielded>
struct order_of {
  static_assert(Yielded, "kmodld: a step needs a value that no earlier step yields "
                         "(order_of<Step, Value, false> above names both)");
  static constexpr bool good = Yielded;
};

} // namespace detail

template <class... Steps>
class pipeline {
  static constexpr std::size_t step_count = sizeof...(Steps);
  using all_yields = decltype(detail::join(types<>{}, detail::lists<Steps>::yields()...));

  template <class Step, class Earlier, class... N, class... M>
  static consteval bool check_step(types<N...>, types<M...>) {
    using earlier = detail::slots_of<Earlier>;
    return (detail::order_of<Step, N, earlier::template has<N>>::good && ... && true) &&
           (detail::order_of<Step, M, earlier::template has<M>>::good && ... && true);
  }

  template <class Earlier>
  static consteval bool check() {
    return true;
  }
  template <class Earlier, class First, class... Rest>
  static consteval bool check() {
    using list = detail::lists<First>;
    return check_step<First, Earlier>(list::needs(), list::mutates()) &&
           check<decltype(detail::join(Earlier{}, list::yields())), Rest...>();
  }

public:
  /// All values of one run; value-initialised.
  using values = detail::slots_of<all_yields>;

  static constexpr std::size_t size = step_count;
  static constexpr std::string_view names[step_count == 0 ? 1 : step_count] = {Steps::name...};

  /// Runs all steps. On failure undoes the completed ones down to the last that commits, newest
  /// first, and returns the failing step's code.
  template <class Env>
  static errc run(Env& env, values& v) noexcept {
    static_assert(check<types<>, Steps...>());
    progress p;
    static_cast<void>((advance<Steps>(env, v, p) && ...));
    if (p.result != errc::ok)
      undo(env, v, p.done, p.committed);
    return p.result;
  }

private:
  struct progress {
    std::size_t done = 0;      ///< steps completed
    std::size_t committed = 0; ///< position of the last that commits
    errc result = errc::ok;
  };

  template <class Step, class Env>
  static bool advance(Env& env, values& v, progress& p) noexcept {
    p.result = run_one<Step>(env, v, p.done);
    if (p.result != errc::ok)
      return false;
    if constexpr (detail::has_commit<Step>)
      p.committed = p.done;
    ++p.done;
    return true;
  }

  // Not inlined: the stack of a run is that of the deepest step, not the sum of all.
  template <class Step, class Env>
  [[gnu::noinline]] static errc run_one(Env& env, values& v, std::size_t position) noexcept {
    if (errc refused = env.enter_step(Step::name, position); refused != errc::ok)
      return refused;
    using list = detail::lists<Step>;
    errc result = call<Step>(env, v, list::needs(), list::mutates(), list::yields());
    env.leave_step(Step::name, result);
    return result;
  }

  template <class Step, class Env, class... N, class... M, class... Y>
  static errc call(Env& env, values& v, types<N...>, types<M...>, types<Y...>) noexcept {
    return Step::run(env, std::as_const(v.template get<N>())..., v.template get<M>()...,
                     v.template get<Y>()...);
  }

  template <class Step, class Env, class... M, class... Y>
  static void call_undo(Env& env, values& v, types<M...>, types<Y...>) noexcept {
    Step::undo(env, v.template get<M>()..., v.template get<Y>()...);
  }

  template <class Step, class Env>
  [[gnu::noinline]] static void undo_one(Env& env, values& v) noexcept {
    call_undo<Step>(env, v, detail::lists<Step>::mutates(), detail::lists<Step>::yields());
  }

  template <class Step, class Env, class... M, class... Y>
  static consteval bool undoes(types<M...>, types<Y...>) noexcept {
    return requires(Env& env, values& v) {
      Step::undo(env, v.template get<M>()..., v.template get<Y>()...);
    };
  }

  /// Null for a step that acquires nothing.
  template <class Step, class Env>
  static constexpr auto undo_of() noexcept -> void (*)(Env&, values&) noexcept {
    using list = detail::lists<Step>;
    if constexpr (undoes<Step, Env>(list::mutates(), list::yields()))
      return &undo_one<Step, Env>;
    else
      return nullptr;
  }

  template <class Env>
  static void undo(Env& env, values& v, std::size_t done, std::size_t committed) noexcept {
    using action = void (*)(Env&, values&) noexcept;
    static constexpr action table[] = {undo_of<Steps, Env>()...};
    for (std::size_t i = done; i > committed; --i)
      if (table[i - 1] != nullptr)
        table[i - 1](env, v);
  }
};

namespace detail {

template <class Before, class New, class List, class Out>
struct insert_impl;
template <class B, class N, class... O>
struct insert_impl<B, N, pipeline<>, pipeline<O...>> {
  using type = pipeline<O...>;
};
template <class B, class N, class F, class... R, class... O>
struct insert_impl<B, N, pipeline<F, R...>, pipeline<O...>> {
  using out = std::conditional_t<std::is_same_v<B, F>, pipeline<O..., N, F>, pipeline<O..., F>>;
  using type = typename insert_impl<B, N, pipeline<R...>, out>::type;
};

template <class Old, class New, class List>
struct replace_impl;
template <class Old, class New, class... S>
struct replace_impl<Old, New, pipeline<S...>> {
  using type = pipeline<std::conditional_t<std::is_same_v<Old, S>, New, S>...>;
};

template <class Old, class List, class Out>
struct drop_impl;
template <class Old, class... O>
struct drop_impl<Old, pipeline<>, pipeline<O...>> {
  using type = pipeline<O...>;
};
template <class Old, class F, class... R, class... O>
struct drop_impl<Old, pipeline<F, R...>, pipeline<O...>> {
  using out = std::conditional_t<std::is_same_v<Old, F>, pipeline<O...>, pipeline<O..., F>>;
  using type = typename drop_impl<Old, pipeline<R...>, out>::type;
};

} // namespace detail

/// A pipeline with `New` before `Before`, with `New` in place of `Old`, without `Old`.
template <class Pipeline, class Before, class New>
using insert_step = typename detail::insert_impl<Before, New, Pipeline, pipeline<>>::type;
template <class Pipeline, class Old, class New>
using replace_step = typename detail::replace_impl<Old, New, Pipeline>::type;
template <class Pipeline, class Old>
using drop_step = typename detail::drop_impl<Old, Pipeline, pipeline<>>::type;

} // namespace kmodld
