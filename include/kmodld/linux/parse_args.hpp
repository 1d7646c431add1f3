// SPDX-License-Identifier: MIT
// The argument string of a module, or of a whole system: `name=value "name=with space" flag --
// rest` (parse_args, next_arg and parse_one of kernel/params.c).
#pragma once

#include <kmodld/error.hpp>
#include <kmodld/linux/kernel_param.hpp>
#include <kmodld/linux/param_text.hpp>

namespace kmodld {

/// Where parameters are looked up: kernel_params, or a host's own list.
template <class S>
concept kernel_param_source = requires(S const& s, u32 i, kernel_param& out) {
  { s.size() } noexcept -> std::same_as<u32>;
  // Entry `i` < size(); false if it is broken.
  { s.get(i, out) } noexcept -> std::same_as<bool>;
};

/// What parse_args calls. value.data() is null for an argument without `=`.
template <class H>
concept parameter_handler =
    requires(H& h, kernel_param const& p, std::string_view value, error const& e) {
      // Sets it, under whatever lock guards parameters. 0 or a positive errno.
      { h.set(p, value) } noexcept -> std::same_as<int>;
      // Whether a name without `=` is allowed.
      { h.no_argument(p) } noexcept -> std::same_as<bool>;
      // Each error and note, at once; param_dangerous means that the kernel gets taint_user.
      { h.report(e) } noexcept;
      // Optional: `int unknown(std::string_view name, std::string_view value)`, for a name that no
      // parameter has: 0 or a positive errno. Without it that is ENOENT.
      // Optional: `bool locked_down()`: parameters that name hardware are refused with EPERM.
    };

template <class H>
concept handles_unknown = requires(H& h, std::string_view s) {
  { h.unknown(s, s) } noexcept -> std::same_as<int>;
};
template <class H>
concept knows_lockdown = requires(H& h) {
  { h.locked_down() } noexcept -> std::same_as<bool>;
};

/// The white space of the kernel's ctype, which is Latin-1: a no-break space is one.
constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r') || static_cast<unsigned char>(c) == 0xa0;
}

/// One argument; value.data() is null without `=`.
struct argument {
  std::string_view name;
  std::string_view value;
};

constexpr std::span<char> skip_spaces(std::span<char> s) noexcept {
  while (!s.empty() && is_space(s.front()))
    s = s.subspan(1);
  return s;
}

/// Cuts the first argument off `args`, which is not empty and begins with no space, and puts NULs
/// where it and its name end. Returns what follows, without leading spaces. Quotes keep spaces
/// together and are dropped only around the whole argument or the whole value.
constexpr std::span<char> next_argument(std::span<char> args, argument& out) noexcept {
  bool const quoted = args.front() == '"';
  if (quoted)
    args = args.subspan(1);
  bool in_quotes = quoted;
  std::size_t equals = 0;
  std::size_t end = 0;
  for (; end < args.size() && (in_quotes || !is_space(args[end])); ++end) {
    if (equals == 0 && args[end] == '=')
      equals = end;
    if (args[end] == '"')
      in_quotes = !in_quotes;
  }

  std::size_t value = equals + 1;
  bool const value_quoted = equals != 0 && value < end && args[value] == '"';
  if (value_quoted)
    ++value;
  std::size_t stop = end;
  if ((quoted || value_quoted) && end != 0 && args[end - 1] == '"')
    args[--stop] = '\0';
  out.name = {args.data(), equals != 0 ? equals : stop};
  out.value = {};
  if (equals != 0) {
    args[equals] = '\0';
    out.value = {args.data() + value, value < stop ? stop - value : 0};
  }
  if (end == args.size())
    return {};
  args[end] = '\0';
  return skip_spaces(args.subspan(end + 1));
}

/// Equal but for dashes and underscores, which are the same.
constexpr bool same_parameter_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
      return false;
  return true;
}

/// Whose arguments they are (for messages), and which levels of parameters are meant: one of
/// another level is accepted and not set.
struct argument_scope {
  std::string_view who;
  i32 min_level = -32768;
  i32 max_level = 32767;
};

namespace detail {

constexpr error argument_error(errc code, std::string_view who, std::string_view name,
                               std::string_view value = {}) noexcept {
  error e;
  e.code = code;
  e.set_names(who, name, value);
  return e;
}

template <class Handler>
int set_argument(argument_scope const& scope, kernel_param const& p, std::string_view value,
                 Handler& handler) noexcept {
  if (p.level < scope.min_level || p.level > scope.max_level)
    return 0;
  if (value.data() == nullptr && !handler.no_argument(p))
    return e_inval;
  if constexpr (knows_lockdown<Handler>)
    if ((p.flags & kernel_param::hardware) != 0 && handler.locked_down())
      return e_perm;
  if ((p.flags & kernel_param::unsafe) != 0)
    handler.report(argument_error(errc::param_dangerous, scope.who, p.name));
  return handler.set(p, value);
}

/// Whether parameter `i` has this name; then it is in `p`.
template <class Source>
bool is_parameter(Source const& params, u32 i, std::string_view name, kernel_param& p) noexcept {
  // A module's names are compared in place: finding the end of each would let a table of long ones
  // multiply the work of every argument.
  if constexpr (requires { params.may_be_named(i, name); })
    if (!params.may_be_named(i, name))
      return false;
  return params.get(i, p) && same_parameter_name(name, p.name);
}

template <class Source, class Handler>
int parse_one(argument_scope const& scope, argument const& a, Source const& params,
              Handler& handler) noexcept {
  kernel_param p;
  for (u32 i = 0; i < params.size(); ++i)
    if (is_parameter(params, i, a.name, p))
      return set_argument(scope, p, a.value, handler);
  if constexpr (handles_unknown<Handler>)
    return handler.unknown(a.name, a.value);
  return e_noent;
}

} // namespace detail

/// Sets the parameters that `args` names, the first of a name in the table's order. `args` ends
/// with its first NUL and is cut up in place: values given to the handler are NUL-terminated
/// pieces of it. An error does not stop it; each is reported and the last is the answer:
/// param_unknown, param_too_large (ENOSPC) or param_invalid (any other errno, in number[0]).
/// A table with a broken entry is refused before anything is set: param_table.
/// What follows `--` goes to `after_dashes` (null data if there is none) and, after success, is
/// reported as param_after_dashes.
template <kernel_param_source Source, parameter_handler Handler>
result<void> parse_args(argument_scope const& scope, std::span<char> args, Source const& params,
                        Handler& handler, std::string_view* after_dashes = nullptr) noexcept {
  error last;
  kernel_param p;
  for (u32 i = 0; i < params.size(); ++i)
    if (!params.get(i, p)) {
      last = detail::argument_error(errc::param_table, scope.who, {});
      last.index = i;
      handler.report(last);
      return last;
    }

  if (after_dashes != nullptr)
    *after_dashes = {};
  args = skip_spaces(args.first(index_of({args.data(), args.size()}, '\0')));
  while (!args.empty()) {
    argument a;
    args = next_argument(args, a);
    if (a.value.data() == nullptr && equal(a.name, "--"sv)) {
      std::string_view rest{args.data() != nullptr ? args.data() : "", args.size()};
      if (after_dashes != nullptr)
        *after_dashes = rest;
      if (last.code == errc::ok)
        handler.report(detail::argument_error(errc::param_after_dashes, scope.who, rest));
      break;
    }
    int status = detail::parse_one(scope, a, params, handler);
    if (status == 0)
      continue;
    errc code = status == e_noent   ? errc::param_unknown
                : status == e_nospc ? errc::param_too_large
                                    : errc::param_invalid;
    last = detail::argument_error(code, scope.who, a.name, a.value);
    if (code == errc::param_invalid)
      last.number[0] = static_cast<u64>(status);
    handler.report(last);
  }
  return last;
}

/// What Linux does with a module's argument that is none of its parameters; never an error.
/// `async_probe` (anything but a truth value means true) sets the flag; `dyndbg` and `X.dyndbg` go
/// to `debug(module, query)`, the module being X in the second form; the rest is reported as
/// param_ignored, with the part of the name before its first dot.
template <class Debug, class Report>
void unknown_module_argument(std::string_view module_name, argument const& a, bool& async_probe,
                             Debug&& debug, Report&& report) noexcept {
  if (equal(a.name, "async_probe"sv)) {
    if (parse_bool(a.value, async_probe) != 0)
      async_probe = true;
    return;
  }
  std::string_view owner = module_name;
  std::string_view name = a.name;
  std::size_t dot = index_of(name, '.');
  if (dot != name.size()) {
    owner = head(name, dot);
    name = tail(name, dot + 1);
  }
  if (equal(name, "dyndbg"sv))
    debug(owner, a.value.data() != nullptr ? a.value : "+p"sv);
  else
    report(detail::argument_error(errc::param_ignored, module_name, head(a.name, dot)));
}

} // namespace kmodld
