// SPDX-License-Identifier: MIT
// do_init_module: constructors, init, LIVE; afterwards what is read-only after init is sealed, init
// memory is given back and the symbol table shrinks to the kept symbols.
// May refuse: what init returned; then free_copy's undo gives everything back.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/extable.hpp>
#include <kmodld/steps/complete_formation.hpp>
#include <kmodld/steps/init_param_lock.hpp>

namespace kmodld::steps {

struct do_init_module {
  static constexpr std::string_view name = "do_init_module"sv;
  using mutates = types<module_record>;

  template <class Env>
  static errc run(Env& env, module_record& m) noexcept {
    construct(env, *m);
    int const returned = m->init ? env.policy().invoker.init(*m, m->init) : 0;
    if (returned < 0)
      return env.fail(errc::init_failed, {.n0 = static_cast<u64>(-i64{returned})});
    if (returned > 0)
      env.note(errc::init_suspicious, {.n0 = static_cast<u64>(returned)});
    m->state.store(module_state::live, std::memory_order_release);
    static_cast<void>(env.policy().notifier.notify(module_event::live, *m));
    env.policy().introspection.announce(*m);
    if constexpr (async_hook<typename Env::hooks_type>)
      if (!m->async_probe_requested)
        env.hooks().async_synchronize();
    finish(env, *m);
    return errc::ok;
  }

private:
  template <class Env>
  static void construct(Env& env, module& m) noexcept {
    using word = typename Env::format::word;
    if constexpr (Env::abi::constructors)
      for (u32 i = 0; i < m.sections.ctors.count; ++i)
        env.policy().invoker.construct(m,
                                       {word::load(m.sections.ctors.host + u64{i} * sizeof(word))});
  }

  /// What init leaves behind: its memory, which readers may still look at.
  template <class Env>
  static void finish(Env& env, module& m) noexcept {
    memory_kind freed_kind[module::max_memories];
    region freed[module::max_memories];
    u8 count = 0;
    {
      // Whoever sets or reads a parameter meanwhile may be in init memory.
      param_lock<std::remove_cvref_t<decltype(env.policy().lock)>> const parameters{
          env.policy().lock, m};
      lock_guard lock{env.policy().lock};
      // Given up here, it would have to be taken again while others may unload the module.
      env.held = &m;
      using extable = exception_table<typename Env::format, Env::abi::extable>;
      m.core_extable =
          extable{m.sections.extable}.trim([&m](address insn) { return in_init(m, insn); });
      m.extable.store(&m.core_extable, std::memory_order_release);
      if constexpr (Env::abi::kallsyms)
        m.kallsyms.store(&m.core_kallsyms, std::memory_order_release);
      seal(env, m);
      forget_init(m);
      while (m.memory_count != 0 && is_init(m.memories[m.memory_count - 1].kind)) {
        u8 const last = static_cast<u8>(m.memory_count - 1);
        module_memory const& part = m.memories[last];
        if (part.memory.size != 0) {
          env.state.modules.forget(m, last);
          freed_kind[count] = part.kind;
          freed[count++] = part.memory;
        }
        m.memory_count.store(last, std::memory_order_release);
      }
      m.init_over = true;
    }
    env.policy().reclaimer.synchronize();
    for (u8 i = 0; i < count; ++i)
      env.policy().allocator.release(freed_kind[i], freed[i]);
    env.policy().lock.wake();
  }

  static constexpr bool is_init(memory_kind kind) noexcept {
    return kind == memory_kind::init || kind == memory_kind::init_text ||
           kind == memory_kind::init_data || kind == memory_kind::init_rodata;
  }
  /// Views into init memory and into the image; addresses stay, for debuggers.
  static void forget_init(module& m) noexcept {
    m.sections.btf = {};
    m.sections.ctors = {};
    for (section_attribute& section : m.section_attributes)
      if (in_init(m, section.target))
        section.bytes = {};
    for (module_memory const& part : m.all_memories())
      if (is_init(part.kind) && part.memory.size != 0 && m.build_id.data() >= part.memory.host &&
          m.build_id.data() < part.memory.host + part.memory.size)
        m.build_id = {};
  }

  static bool in_init(module const& m, address a) noexcept {
    for (module_memory const& part : m.all_memories())
      if (is_init(part.kind) && part.memory.contains(a))
        return true;
    return false;
  }

  template <class Env>
  static void seal(Env& env, module& m) noexcept {
    if (!Env::abi::strict_rwx || !env.state.settings.rodata)
      return;
    protection_batch batch;
    for (module_memory const& part : m.all_memories()) {
      if (part.kind == memory_kind::core)
        batch.add(part.memory, part.ro_size, part.ro_after_init_size, permission::read);
      else if (part.kind == memory_kind::ro_after_init)
        batch.add(part.memory, 0, part.memory.size, permission::read);
    }
    if (batch.all().empty())
      return;
    if (int e = env.policy().protector.protect(batch.all()); e != 0)
      env.note(errc::protect_failed, {.n0 = static_cast<u64>(e)});
  }
};

} // namespace kmodld::steps
