// SPDX-License-Identifier: MIT
// Optional hooks of a host: what Linux does in architecture code or in other subsystems while a
// module loads. Each part is found by itself; what a host does not supply costs nothing.
#pragma once

#include <kmodld/policy/finalize_context.hpp>

#include <concepts>

namespace kmodld {

/// module_finalize: alternatives, paravirt, orc tables, .ARM.exidx ... It runs once the module is
/// relocated and its symbols are kept, before flush_icache and while its memory is still writable,
/// so that what it writes needs neither a window nor a flush of its own. finalize: 0 or an errno;
/// one that needs no more than the module may take `module&`. cleanup undoes it, only after a
/// finalize that succeeded.
template <class H, class Arch>
concept finalize_hook = requires(H& h, finalize_context<Arch> const& context, module& m) {
  { h.finalize(context) } noexcept -> std::same_as<int>;
  { h.cleanup(m) } noexcept;
};

/// ftrace_module_init turns call sites into nops while text is writable, coming may patch calls in
/// again, release forgets the records. A failing init is only logged. It comes after the loader's
/// flush_icache: who changes code here makes it visible himself, as in Linux.
template <class H>
concept ftrace_hook = requires(H& h, module& m) {
  { h.ftrace_init(m) } noexcept -> std::same_as<int>;
  { h.ftrace_enable(m) } noexcept;
  { h.ftrace_release(m) } noexcept;
};

/// dynamic_debug_setup: registers the descriptor table (a failure is only logged); query is the
/// value of dyndbg= on the command line, its errors are ignored.
template <class H>
concept dynamic_debug_hook = requires(H& h, module& m, std::string_view query) {
  { h.ddebug_add(m) } noexcept -> std::same_as<int>;
  { h.ddebug_query(m, query) } noexcept -> std::same_as<int>;
  { h.ddebug_remove(m) } noexcept;
};

/// Live patches: those that wait for this module are applied (klp_module_coming), or the module is
/// one itself: symbols `.klp.sym.OBJECT.NAME,POS` are found by find().
template <class H>
concept livepatch_hook =
    requires(H& h, module& m, std::string_view text, u64 position, address& out) {
      { h.klp_coming(m) } noexcept -> std::same_as<int>;
      { h.klp_going(m) } noexcept;
      // Position 0: the name must be unique; n: its n-th occurrence. 0 or an errno.
      { h.klp_find(text, text, position, out) } noexcept -> std::same_as<int>;
    };

/// audit_log_kern_module.
template <class H>
concept audit_hook = requires(H& h, std::string_view name) {
  { h.audit(name) } noexcept;
};

/// The trace event of a load and of a free (trace_module_load, trace_module_free).
template <class H>
concept trace_event_hook = requires(H& h, module& m) {
  { h.trace_load(m) } noexcept;
  { h.trace_free(m) } noexcept;
};

/// The end of do_init_module waits for asynchronous work (async_synchronize_full).
template <class H>
concept async_hook = requires(H& h) {
  { h.async_synchronize() } noexcept;
};

struct no_hooks {};

} // namespace kmodld
