// SPDX-License-Identifier: MIT
// Live patches: what is checked when one is uploaded, and how its functions take the place of the
// hypervisor's.
//
// They are the loader's hooks: finalize sees a patch while it loads, and what it refuses is given
// back by the loader. A patch that is applied is held by a reference, so that it cannot be
// unloaded.
#pragma once

#include "own_symbols.hpp"
#include "vcpus.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/kmodld.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace hypervisor {

using kmodld::u32;

/// An entry of .livepatch.funcs; livepatch.h says what it means.
struct livepatch_func {
  address name, new_addr, old_addr;
  u32 new_size, old_size;
  kmodld::u8 version;

  template <class Fields>
  static constexpr livepatch_func read(Fields& f) noexcept {
    livepatch_func const entry{.name = f.pointer(),
                               .new_addr = f.pointer(),
                               .old_addr = f.pointer(),
                               .new_size = f.template number<u32>(),
                               .old_size = f.template number<u32>(),
                               .version = f.template number<kmodld::u8>()};
    f.skip(31);
    return entry;
  }
};

/// `Protector` writes the jumps, so it must be one that can write to sealed code. For one thread.
template <kmodld::patching_protector Protector>
class livepatches {
  using arch = kmodld::arch::x86_64;
  using module = kmodld::module;

public:
  livepatches(own_symbols const& symbols, Protector& protector, vcpus& cpus) noexcept
      : symbols_{symbols}, protector_{protector}, cpus_{cpus} {}

  /// kmodld::finalize_hook: whatever the object says is wrong until it has been looked at.
  int finalize(kmodld::finalize_context<arch> const& context) noexcept {
    auto const depends = context.section(".livepatch.depends");
    auto const id =
        kmodld::find_build_id<arch::format>({depends.host, static_cast<std::size_t>(depends.size)});
    if (id.empty() || !kmodld::equal(kmodld::as_text(id), kmodld::as_text(symbols_.build_id())))
      return refuse(context, "not made for this hypervisor");

    auto const table = context.template entries<livepatch_func>(".livepatch.funcs");
    if (!table.whole())
      return refuse(context, "an entry is cut");
    std::unique_ptr<patch> p{new (std::nothrow) patch};
    if (p == nullptr)
      return kmodld::e_nomem;
    if (table.empty() || table.size() > p->places.size())
      return refuse(context, "replaces no function, or too many");
    for (livepatch_func const& entry : table)
      if (int const failed = add(context, entry, *p); failed != 0)
        return failed;
    context.record.host_data = p.release();
    return 0;
  }

  /// The module goes; if it is still applied it goes by force.
  void cleanup(module& m) noexcept {
    if (of(m).holder && revert(m) != 0)
      std::abort(); // the hypervisor would go on in memory that is no longer the patch's
    delete &of(m);
    m.host_data = nullptr;
  }

  /// EINVAL if it is applied already, EBUSY if another patch has replaced one of its functions:
  /// that one must be reverted first. (Xen stacks them, and reverts only the topmost.) Or the errno
  /// of the protector, and nothing has changed.
  int apply(kmodld::module_ref m) noexcept {
    patch& mine = of(*m);
    if (mine.holder)
      return kmodld::e_inval;
    for (patch const* other = applied_; other != nullptr; other = other->next)
      for (place const& p : mine.all())
        if (other->replaces(p.function))
          return kmodld::e_busy;
    for (place& p : mine.all()) // not earlier: it might have been another patch's jump
      std::memcpy(p.original.data(), pointer(p.function), jump_size);
    int failed = 0;
    cpus_.while_stopped([&] {
      u32 done = 0;
      failed = write(mine.all(), &place::jump, done);
      if (failed == 0)
        return;
      place const& last = mine.places[done]; // may have been written in part
      bool const torn = std::memcmp(pointer(last.function), last.original.data(), jump_size) != 0;
      if (write(mine.all().first(done + torn), &place::original, done) != 0)
        std::abort();
    });
    if (failed == 0) {
      mine.holder = std::move(m);
      mine.next = std::exchange(applied_, &mine);
    }
    return failed;
  }

  /// EINVAL if it is not applied. After another error it still is, as a whole or in part.
  int revert(module& m) noexcept {
    patch& mine = of(m);
    if (!mine.holder)
      return kmodld::e_inval;
    int failed = 0;
    cpus_.while_stopped([&] {
      u32 done = 0;
      failed = write(mine.all(), &place::original, done);
    });
    if (failed == 0) {
      patch** link = &applied_;
      while (*link != &mine)
        link = &(*link)->next;
      *link = mine.next;
      mine.holder.reset();
    }
    return failed;
  }

private:
  static constexpr std::size_t jump_size = 5; ///< jmp rel32
  using code = std::array<std::byte, jump_size>;

  struct place {
    address function;
    code original, jump;
  };
  /// What a module's host_data points to.
  struct patch {
    std::array<place, 32> places;
    u32 count = 0;
    kmodld::module_ref holder; ///< of the module itself, while it is applied
    patch* next = nullptr;     ///< of those that are applied

    std::span<place> all() noexcept { return {places.data(), count}; }
    bool replaces(address function) const noexcept {
      for (u32 i = 0; i < count; ++i)
        if (places[i].function == function)
          return true;
      return false;
    }
  };
  static patch& of(module& m) noexcept { return *static_cast<patch*>(m.host_data); }

  static int refuse(module const& m, char const* why) noexcept {
    std::printf("livepatch: %s: %s\n", m.name_text, why);
    return kmodld::e_inval;
  }
  static int refuse(module const& m, std::string_view function, char const* why) noexcept {
    std::printf("livepatch: %s: %.*s: %s\n", m.name_text, static_cast<int>(function.size()),
                function.data(), why);
    return kmodld::e_inval;
  }

  int add(module const& m, livepatch_func const& entry, patch& p) noexcept {
    if (entry.version != 1)
      return refuse(m, "an entry has an unknown version");
    std::string_view const name = m.string(entry.name);
    own_symbols::symbol const* const old = symbols_.find(name);
    if (old == nullptr || !old->function)
      return refuse(m, name, "no function has this name, or several have");
    if (entry.old_addr && entry.old_addr != old->value)
      return refuse(m, name, "the function is not at the address it should be");
    if (entry.old_size != 0 && entry.old_size != old->size)
      return refuse(m, name, "the function is not as long as it should be");
    if (old->size < jump_size)
      return refuse(m, name, "the function is too short for a jump");
    if (p.replaces(old->value))
      return refuse(m, name, "a function is replaced twice");
    if (!m.in_text(entry.new_addr, entry.new_size))
      return refuse(m, name, "the replacement is not in the patch's code");

    place& here = p.places[p.count++];
    here.function = old->value;
    here.jump[0] = std::byte{0xe9};
    // The distance fits: memory of a patch is within reach of everything in bounds().
    u64 const distance = entry.new_addr - (old->value + jump_size);
    arch::format::word32::store(&here.jump[1], static_cast<u32>(distance));
    return 0;
  }

  static void* pointer(address a) noexcept {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(a.value));
  }
  /// Writes `what` of each place; `done` of them if it answers an errno.
  int write(std::span<place const> places, code place::* what, u32& done) noexcept {
    for (done = 0; done < places.size(); ++done)
      if (int const failed = protector_.patch(places[done].function, places[done].*what))
        return failed;
    return 0;
  }

  own_symbols const& symbols_;
  Protector& protector_;
  vcpus& cpus_;
  patch* applied_ = nullptr;
};

} // namespace hypervisor
