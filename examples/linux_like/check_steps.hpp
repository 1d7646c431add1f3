// SPDX-License-Identifier: MIT
// A dry run: kmodld's own steps up to the relocations, some of them made tolerant, and a last one
// that always fails, so that the pipeline undoes everything.
#pragma once

#include "findings.hpp"
#include "refusal.hpp"

#include <kmodld/load_module.hpp>

namespace linux_like {

/// Errors are findings, notes are left out: the real load will make them.
struct finding_diagnostics {
  static inline findings* to = nullptr;

  static constexpr kmodld::errc expected[] = {
      kmodld::errc::symbol_unknown,    kmodld::errc::symbol_namespace,
      kmodld::errc::version_disagrees, kmodld::errc::version_no_symbol,
      kmodld::errc::versions_missing,  kmodld::errc::injected};

  void report(const kmodld::error& error) noexcept {
    for (const kmodld::errc known : expected) // check_symbols says it with more words
      if (error.code == known)
        return;
    if (error.os_errno() != 0)
      to->wrong("{}: {}", kmodld::errno_name(error.os_errno()), text_of(error));
  }
};

/// A step that failed has told why; the next ones take what it has yielded.
template <class Step>
struct tolerant : Step {
  template <class... A>
  static kmodld::errc run(A&&... arguments) noexcept {
    static_cast<void>(Step::run(std::forward<A>(arguments)...));
    return kmodld::errc::ok;
  }
};

/// Like apply_relocations, but each relocation by itself, so that every fault is told.
template <class Config>
struct try_relocations {
  using arch = typename Config::arch;
  using image_type = kmodld::elf::image<typename arch::format>;
  using relocation = typename arch::relocation;
  static constexpr std::string_view name = "try_relocations";
  /// Of a symbol's name, which any number of relocations may have: what a message has room for.
  static constexpr std::size_t longest_shown = 512;
  static constexpr kmodld::u32 own_kind =
      kmodld::reloc::addend_in_place<relocation> ? kmodld::elf::sht_rel : kmodld::elf::sht_rela;
  using needs = kmodld::types<image_type, kmodld::load_info, kmodld::section_table,
                              kmodld::arch_state<arch>, kmodld::resolved_symbols>;
  using mutates = kmodld::types<kmodld::module_record>;

  template <class Env>
  static kmodld::errc run(Env& env, const image_type& image, const kmodld::load_info& info,
                          const kmodld::section_table& table, const kmodld::arch_state<arch>& slots,
                          const kmodld::resolved_symbols& symbols,
                          kmodld::module_record&) noexcept {
    auto state = slots.state;
    state.symbols = image.template entries<typename arch::format::sym>(info.sym);
    state.fill(table, symbols.values);
    const kmodld::symbol_values values{symbols.values, symbols.attributes, symbols.unresolved_weak};
    for (kmodld::u32 i = 1; i < table.file_count; ++i) {
      const kmodld::section_entry& target = table[image.section(i).sh_info];
      if (table[i].type != own_kind || !target.allocated() || !target.placed())
        continue;
      auto all = image.template entries<relocation>(i);
      if (table[i].reordered != nullptr)
        all = {reinterpret_cast<const relocation*>(table[i].reordered), all.size()};
      kmodld::section_relocations<relocation> in{target.bytes(), target.target,
                                                 image.data(image.section(i).sh_info), all};
      const auto tell = [&](std::size_t k) {
        const kmodld::u32 symbol = arch::symbol_of(all[k]);
        env.err.section = i;
        env.err.index = static_cast<kmodld::u32>(k);
        env.fail_with_names(symbol < state.symbols.size()
                                ? kmodld::string_at(image.data(info.str),
                                                    state.symbols[symbol].st_name, longest_shown)
                                : std::string_view{});
      };
      env.err = {};
      // Where relocations depend on each other, the first fault of a section is told.
      if constexpr (requires { state.begin(in, values, env.err); }) {
        if (kmodld::relocate<arch, Env::abi::wide_relocations>(in, values, state, env.err) !=
            kmodld::errc::ok)
          tell(env.err.index);
      } else {
        for (std::size_t k = 0; k < all.size(); ++k) {
          if (is_missing(symbols, arch::symbol_of(all[k])))
            continue;
          env.err = {};
          in.relocations = {&all[k], 1};
          if (kmodld::reloc::exact_loop<arch, Env::abi::wide_relocations>{
                  in, values, state, env.err}() != kmodld::errc::ok)
            tell(k);
        }
      }
    }
    return kmodld::errc::injected; // the end of the dry run: everything is undone
  }

private:
  /// An undefined symbol that nobody has was told already.
  static bool is_missing(const kmodld::resolved_symbols& symbols, kmodld::u32 i) {
    return i < symbols.values.size() && symbols.values[i] == 0 &&
           (symbols.attributes[i] & kmodld::symbol_undefined) != 0 &&
           (symbols.attributes[i] & kmodld::symbol_unresolved) == 0;
  }
};

} // namespace linux_like
