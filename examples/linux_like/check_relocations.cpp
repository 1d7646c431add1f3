// SPDX-License-Identifier: MIT
// A dry run: kmodld's own steps up to the relocations, some of them made tolerant, and a last one
// that always fails, so that the pipeline undoes everything.
#include "check.hpp"

namespace linux_like {
namespace {

namespace steps = kmodld::steps;
using kmodld::errc;
using kmodld::u32;

findings* report_to;

/// Errors are findings, notes are left out: the real load will make them.
struct finding_diagnostics {
  static constexpr errc expected[] = {errc::symbol_unknown,    errc::symbol_namespace,
                                      errc::version_disagrees, errc::version_no_symbol,
                                      errc::versions_missing,  errc::injected};

  void report(const kmodld::error& error) noexcept {
    for (const errc known : expected) // check_symbols says it with more words
      if (error.code == known)
        return;
    if (error.os_errno() != 0)
      report_to->wrong("{}: {}", kmodld::errno_name(error.os_errno()), text_of(error));
  }
};

/// A step that failed has told why; the next ones take what it has yielded.
template <class Step>
struct tolerant : Step {
  template <class... A>
  static errc run(A&&... arguments) noexcept {
    static_cast<void>(Step::run(std::forward<A>(arguments)...));
    return errc::ok;
  }
};

/// Like apply_relocations, but each relocation by itself, so that every fault is told.
template <class Config>
struct try_relocations {
  using arch = typename Config::arch;
  using image_type = kmodld::elf::image<typename arch::format>;
  static constexpr std::string_view name = "try_relocations";
  using needs = kmodld::types<image_type, kmodld::load_info, kmodld::section_table,
                              kmodld::arch_state<arch>, kmodld::resolved_symbols>;
  using mutates = kmodld::types<kmodld::module_record>;

  template <class Env>
  static errc run(Env& env, const image_type& image, const kmodld::load_info& info,
                  const kmodld::section_table& table, const kmodld::arch_state<arch>& slots,
                  const kmodld::resolved_symbols& symbols, kmodld::module_record&) noexcept {
    auto state = slots.state;
    state.symbols = image.template entries<typename arch::format::sym>(info.sym);
    state.fill(table, symbols.values);
    const kmodld::symbol_values values{symbols.values, symbols.attributes, symbols.unresolved_weak};
    for (u32 i = 1; i < table.file_count; ++i) {
      const kmodld::section_entry& target = table[image.section(i).sh_info];
      if (table[i].type != kmodld::elf::sht_rela || !target.allocated() || !target.placed())
        continue;
      const auto all = image.template entries<typename arch::relocation>(i);
      for (u32 k = 0; k < all.size(); ++k) {
        const u32 symbol = arch::symbol_of(all[k]);
        if (is_missing(symbols, symbol))
          continue;
        env.err = {};
        const kmodld::section_relocations<typename arch::relocation> one{
            target.bytes(), target.target, image.data(image.section(i).sh_info), {&all[k], 1}};
        kmodld::reloc::exact_loop<arch, Env::abi::wide_relocations> loop{one, values, state,
                                                                         env.err};
        if (loop() == errc::ok)
          continue;
        env.err.section = i;
        env.err.index = k;
        const auto names = image.data(info.str);
        env.fail_with_names(symbol < state.symbols.size()
                                ? kmodld::string_at(names, state.symbols[symbol].st_name)
                                : std::string_view{});
      }
    }
    return errc::injected; // the end of the dry run: everything is undone
  }

private:
  /// An undefined symbol that nobody has was told already.
  static bool is_missing(const kmodld::resolved_symbols& symbols, u32 i) {
    return i < symbols.values.size() && symbols.values[i] == 0 &&
           (symbols.attributes[i] & kmodld::symbol_undefined) != 0 &&
           (symbols.attributes[i] & kmodld::symbol_unresolved) == 0;
  }
};

struct check_config : config {
  using verifier = kmodld::no_signatures;
  using tracer = kmodld::no_tracer;
  using diagnostics = finding_diagnostics;

  template <class C>
  using pipeline = kmodld::pipeline<steps::module_sig_check, steps::elf_header_check<C>,
                                    steps::setup_load_info<C>, steps::rewrite_section_headers<C>,
                                    steps::layout_and_allocate<C>, steps::percpu_modalloc,
                                    steps::module_unload_init, steps::find_module_sections,
                                    tolerant<steps::simplify_symbols<C>>, try_relocations<C>>;
};

} // namespace

void check_relocations(host& self, kmodld::byte_view bytes, findings& out) {
  report_to = &out;
  kmodld::loader<check_config> dry({.allocator = self.memory,
                                    .symbol_resolver = self.exports,
                                    .protector = self.protector,
                                    .notifier = self.notifiers,
                                    .lock = self.lock,
                                    .percpu = self.percpu,
                                    .invoker = self.invoker,
                                    .parameters = self.parameters,
                                    .introspection = self.introspection,
                                    .reclaimer = self.reclaimer,
                                    .hooks = self.hooks});
  static_cast<void>(dry.load(bytes));
}

} // namespace linux_like
