// SPDX-License-Identifier: MIT
// The text of /proc/modules and the lines of an oops that name the modules (Linux 6.1: m_show,
// print_modules, module_flags, try_add_tainted_module).
//
// Lines with users need the loader's lock; the lines of an oops are for readers, also in a trap.
#pragma once

#include <kmodld/linux/kallsyms.hpp>
#include <kmodld/linux/taint.hpp>

namespace kmodld {

/// Whether memory of this kind is given back once init has run.
constexpr bool is_init_memory(memory_kind kind) noexcept {
  return kind == memory_kind::init || kind == memory_kind::init_text ||
         kind == memory_kind::init_data || kind == memory_kind::init_rodata;
}

/// Bytes of memory that `m` has for init, or for the time after it.
inline u64 memory_size(module const& m, bool init) noexcept {
  u64 sum = 0;
  for (module_memory const& part : m.all_memories())
    if (is_init_memory(part.kind) == init)
      sum += part.memory.size;
  return sum;
}

/// Where the module's text begins: the core, or the text of a module in seven memories.
inline address text_address(module const& m) noexcept {
  for (module_memory const& part : m.all_memories())
    if (part.kind == memory_kind::core || part.kind == memory_kind::text)
      return part.memory.target;
  return {};
}

/// The visible reference count: without the module's own reference, so -1 once it is going.
inline i64 visible_refcount(module const& m) noexcept {
  return i64{m.refcnt.load(std::memory_order_relaxed)} - 1;
}

namespace detail {

template <class Out>
void put_signed(Out& out, i64 n) noexcept {
  if (n < 0)
    out.put('-');
  out.put_decimal(n < 0 ? u64{0} - static_cast<u64>(n) : static_cast<u64>(n));
}

template <class Out>
void put_taint_letters(Out& out, u32 taints) noexcept {
  char letters[taint_flags_count];
  out.put(std::string_view{letters, taint_letters(taints, letters)});
}

/// `(OE+)`: letters, then - if going and + if coming.
template <class Out>
void put_module_flags(Out& out, u32 taints, module_state state) noexcept {
  out.put('(');
  put_taint_letters(out, taints);
  if (state == module_state::going)
    out.put('-');
  if (state == module_state::coming)
    out.put('+');
  out.put(')');
}

template <class Out>
void put_proc_modules_line(Out& out, module const& m, bool show_address,
                           int address_bits) noexcept {
  out.put(m.name());
  out.put(' ');
  out.put_decimal(memory_size(m, false) + memory_size(m, true));
  out.put(' ');
  put_signed(out, visible_refcount(m));
  out.put(' ');
  bool permanent = m.init && !m.exit;
  for (module_use const* use = m.source_list; use != nullptr; use = use->next_source) {
    out.put(use->user->name());
    out.put(',');
  }
  if (permanent)
    out.put("[permanent],"sv);
  else if (m.source_list == nullptr)
    out.put('-');
  module_state state = m.state.load(std::memory_order_acquire);
  out.put(state == module_state::going    ? " Unloading 0x"sv
          : state == module_state::coming ? " Loading 0x"sv
                                          : " Live 0x"sv);
  put_fixed_hex(out, show_address ? text_address(m).value : 0, address_bits == 32 ? 8 : 16);
  if (m.taints != 0) {
    out.put(' ');
    put_module_flags(out, m.taints, state);
  }
  out.put('\n');
}

} // namespace detail

/// Writes the line of `m` in /proc/modules, with its newline; returns the length of the whole line,
/// which may exceed what fitted. NUL-terminated if out is not empty. Readers without the right to
/// see addresses get zeros; 32-bit targets have 8 digits of them.
inline std::size_t format_proc_modules_line(module const& m, std::span<char> out,
                                            bool show_address = true,
                                            int address_bits = 64) noexcept {
  detail::text_sink sink{out};
  detail::put_proc_modules_line(sink, m, show_address, address_bits);
  return sink.finish();
}

/// /proc/modules as pieces of text for sink(std::string_view); call with the loader's lock held.
template <class Sink>
void proc_modules(module_list const& list, Sink&& sink, bool show_address = true,
                  int address_bits = 64) {
  detail::piecewise<std::remove_reference_t<Sink>> out{sink};
  for (module const& m : list)
    if (m.state.load(std::memory_order_acquire) != module_state::unformed)
      detail::put_proc_modules_line(out, m, show_address, address_bits);
}

/// What an oops tells of modules that are gone: the last one, and each tainted one with how often
/// it went. Has room for `Capacity` different ones; further ones are counted nowhere, where Linux
/// would ask for memory. Writers hold the loader's lock.
template <std::size_t Capacity = 16>
class unloaded_modules {
public:
  struct record {
    char name_text[module::name_capacity] = {};
    u32 taints = 0;
    std::atomic<u32> count{0};

    std::string_view name() const noexcept { return c_string(name_text); }
  };

  /// Of delete_module alone: `m` becomes the last unloaded one.
  void note_last(module const& m) noexcept {
    copy_text(last_.name_text, m.name());
    last_.taints = m.taints;
    last_.count.store(1, std::memory_order_release);
  }

  /// Of free_module, also after a failed init: counts `m` if it is tainted.
  void note_tainted(module const& m) noexcept {
    if (m.taints == 0)
      return;
    u32 used = used_.load(std::memory_order_relaxed);
    for (u32 i = 0; i < used; ++i)
      if (tainted_[i].taints == m.taints && equal(tainted_[i].name(), m.name())) {
        tainted_[i].count.store(tainted_[i].count.load(std::memory_order_relaxed) + 1,
                                std::memory_order_relaxed);
        return;
      }
    if (used == Capacity)
      return;
    record& r = tainted_[used];
    copy_text(r.name_text, m.name());
    r.taints = m.taints;
    r.count.store(1, std::memory_order_relaxed);
    used_.store(used + 1, std::memory_order_release);
  }

  /// The last module unloaded; null if there was none.
  record const* last() const noexcept {
    return last_.count.load(std::memory_order_acquire) != 0 ? &last_ : nullptr;
  }
  /// The records of tainted modules, oldest first.
  std::span<record const> tainted() const noexcept {
    return {tainted_, used_.load(std::memory_order_acquire)};
  }

private:
  record last_;
  record tainted_[Capacity];
  std::atomic<u32> used_{0};
};

/// print_modules: `Modules linked in: a b(OE+)`, where there are any `Unloaded tainted modules:
/// NAME(LETTERS):COUNT` on a line of its own, ` [last unloaded: NAME(LETTERS)]` and a newline, as
/// pieces of text for sink(std::string_view).
template <class Sink, std::size_t Capacity>
void modules_linked_in(module_list const& list, unloaded_modules<Capacity> const& gone,
                       Sink&& sink) {
  detail::piecewise<std::remove_reference_t<Sink>> out{sink};
  out.put("Modules linked in:"sv);
  for (module const& m : list) {
    module_state state = m.state.load(std::memory_order_acquire);
    if (state == module_state::unformed)
      continue;
    out.put(' ');
    out.put(m.name());
    if (m.taints != 0 || state != module_state::live)
      detail::put_module_flags(out, m.taints, state);
  }
  auto tainted = gone.tainted();
  if (!tainted.empty())
    out.put("\nUnloaded tainted modules:"sv);
  for (std::size_t i = tainted.size(); i-- != 0;) {
    out.put(' ');
    out.put(tainted[i].name());
    detail::put_module_flags(out, tainted[i].taints, module_state::live);
    out.put(':');
    out.put_decimal(tainted[i].count.load(std::memory_order_relaxed));
  }
  if (auto const* last = gone.last()) {
    out.put(" [last unloaded: "sv);
    out.put(last->name());
    if (last->taints != 0)
      detail::put_module_flags(out, last->taints, module_state::live);
    out.put(']');
  }
  out.put('\n');
}

} // namespace kmodld
