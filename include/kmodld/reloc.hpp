// SPDX-License-Identifier: MIT
// The relocation core by itself: no loader, no policies, no headers of an image.
//
//   #include <kmodld/reloc.hpp>
//   #include <kmodld/arch/x86_64.hpp>
//   kmodld::result<void> done = kmodld::relocate<kmodld::arch::x86_64>(
//       {text, text_address, text_in_file, rela}, {values});
//
// `text` holds a copy of the bytes in the file already; `values` is indexed by symbol number.
#pragma once

#include <kmodld/reloc/exact.hpp>
#include <kmodld/reloc/fast.hpp>

namespace kmodld {

namespace detail {

/// Architectures that pair relocations or keep a stack prepare their state for each section.
template <class Relocation, class State>
errc begin_section(section_relocations<Relocation> const& in, symbol_values const& symbols,
                   State& state, error& e) noexcept {
  if constexpr (requires { state.begin(in, symbols, e); })
    return state.begin(in, symbols, e);
  return errc::ok;
}

/// What a section leaves open at its end is an error, too.
template <class State>
errc end_section(State& state, error& e) noexcept {
  if constexpr (requires { state.end(e); })
    return state.end(e);
  return errc::ok;
}

/// The exact loop with what the architecture does before and after a section.
template <class Arch, bool Wide>
[[gnu::noinline]] errc relocate_exactly(section_relocations<typename Arch::relocation> const& in,
                                        symbol_values const& symbols, typename Arch::state& state,
                                        error& e) noexcept {
  if (errc code = begin_section(in, symbols, state, e); code != errc::ok)
    return code;
  errc const code = reloc::exact_loop<Arch, Wide>{in, symbols, state, e}();
  return code == errc::ok ? end_section(state, e) : code;
}

} // namespace detail

/// Applies one relocation section. `in.bytes` must still hold what `in.original` holds, apart from
/// earlier relocations of the same section (see replay). `state` is the architecture's GOT and PLT.
/// `replay(bytes)` is called when a fault was found after bytes were written: it must bring the
/// section back to what it was before this call. On error `e` has code, index and numbers.
/// `Wide` accepts types that Linux refuses.
template <class Arch, bool Wide = true, class Replay>
errc relocate(section_relocations<typename Arch::relocation> const& in,
              symbol_values const& symbols, typename Arch::state& state, error& e,
              Replay&& replay) noexcept {
  // Weak symbols that nobody defines and stubs are rare: they go the exact way from the start.
  if (!symbols.unresolved_weak && state.simple()) {
    if (errc code = detail::begin_section(in, symbols, state, e); code != errc::ok)
      return code;
    if (reloc::fast_loop<Arch>{in, symbols, state}() && detail::end_section(state, e) == errc::ok)
        [[likely]]
      return errc::ok;
    replay(in.bytes);
  }
  return detail::relocate_exactly<Arch, Wide>(in, symbols, state, e);
}

/// The same for a target that has only this relocation section.
template <class Arch, bool Wide = true>
errc relocate(section_relocations<typename Arch::relocation> const& in,
              symbol_values const& symbols, typename Arch::state& state, error& e) noexcept {
  return relocate<Arch, Wide>(in, symbols, state, e, [&](std::span<std::byte> bytes) {
    std::size_t n = in.original.size() < bytes.size() ? in.original.size() : bytes.size();
    if (n != 0)
      __builtin_memcpy(bytes.data(), in.original.data(), n);
    if (n != bytes.size())
      __builtin_memset(bytes.data() + n, 0, bytes.size() - n);
  });
}

/// The same with a state that nobody looks at afterwards, such as `{}`.
template <class Arch, bool Wide = true>
errc relocate(section_relocations<typename Arch::relocation> const& in,
              symbol_values const& symbols, typename Arch::state&& state, error& e) noexcept {
  return relocate<Arch, Wide>(in, symbols, state, e);
}

/// The same as a value: the error tells code, index of the relocation, and numbers. What the
/// section and the symbol are called the caller knows.
template <class Arch, bool Wide = true>
result<void> relocate(section_relocations<typename Arch::relocation> const& in,
                      symbol_values const& symbols, typename Arch::state& state) noexcept {
  error e;
  if (relocate<Arch, Wide>(in, symbols, state, e) != errc::ok)
    return e;
  return {};
}

/// Without GOT, PLT and stubs.
template <class Arch, bool Wide = true>
result<void> relocate(section_relocations<typename Arch::relocation> const& in,
                      symbol_values const& symbols) noexcept {
  typename Arch::state state{};
  return relocate<Arch, Wide>(in, symbols, state);
}

} // namespace kmodld
