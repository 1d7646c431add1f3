// SPDX-License-Identifier: MIT
// simplify_symbols: gives every symbol its final value; undefined ones are resolved, and what they
// come from is held by a reference. Runs to the end even after an error; the last one counts.
// May refuse: ENOENT, EINVAL, ENOEXEC, EBUSY, ENOMEM. References taken go with module_unload_init's
// undo; the tables are scratch memory.
#pragma once

#include <kmodld/layout/layout.hpp>
#include <kmodld/prefetch.hpp>
#include <kmodld/steps/resolve_symbol.hpp>

namespace kmodld::steps {

template <class Config>
struct simplify_symbols {
  using arch = typename Config::arch;
  using image_type = elf::image<typename arch::format>;
  using sym = typename arch::format::sym;
  static constexpr std::string_view name = "simplify_symbols"sv;
  using needs = types<image_type, load_info, section_table, arch_state<arch>>;
  using mutates = types<module_record>;
  using yields = types<resolved_symbols>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  section_table const& table, arch_state<arch> const& slots, module_record& m,
                  resolved_symbols& out) noexcept {
    auto const symbols = image.template entries<sym>(info.sym);
    if (symbols.empty())
      return errc::ok;
    out.values = env.template scratch<u64>(symbols.size(), false);
    out.attributes = env.template scratch<u8>(symbols.size(), false);
    if (out.values.empty() || out.attributes.empty())
      return env.fail_no_memory("symbols"sv, symbols.size());
    return pass<Env>{env, image, info, table, slots, *m, out, symbols, image.data(info.str)}();
  }

private:
  static u8 attributes_of(sym const& s) noexcept {
    unsigned a = 0;
    if (s.st_shndx == elf::shn_undef)
      a |= symbol_undefined;
    if (elf::st_bind(s.st_info) == elf::stb_weak)
      a |= symbol_weak;
    if (elf::st_type(s.st_info) == elf::stt_func)
      a |= symbol_function;
    return static_cast<u8>(a | (s.st_other & 0xe0u));
  }

  /// One walk over the symbols. Undefined ones are put off until there are so many that looking
  /// them up together pays; of all errors that of the last symbol counts, as if one by one.
  template <class Env>
  class pass {
    static constexpr u32 batch_size = 64;
    static constexpr std::size_t ahead = 1024; ///< bytes of the symbol table

    Env& env_;
    image_type const& image_;
    load_info const& info_;
    section_table const& table_;
    arch_state<arch> const& slots_;
    module& module_;
    resolved_symbols& out_;
    elf::table<sym> symbols_;
    byte_view strings_;

    symbol_resolution<Env> resolution_;
    std::span<symbol_query> queries_{}; ///< one batch
    std::span<u32> numbers_{};          ///< of their symbols
    u32 count_ = 0;
    u64 names_size_ = 0;

    errc result_ = errc::ok;
    u32 last_bad_ = 0;
    error last_error_{};

  public:
    pass(Env& env, image_type const& image, load_info const& info, section_table const& table,
         arch_state<arch> const& slots, module& m, resolved_symbols& out, elf::table<sym> symbols,
         byte_view strings) noexcept
        : env_{env}, image_{image}, info_{info}, table_{table}, slots_{slots}, module_{m},
          out_{out}, symbols_{symbols}, strings_{strings}, resolution_{env, info, m} {}

    errc operator()() noexcept {
      // Copies: a store to an attribute could change any member, as far as the compiler knows.
      auto const symbols = symbols_;
      u64 const strings = strings_.size();
      u64* const values = out_.values.data();
      u8* const attributes = out_.attributes.data();
      values[0] = 0;
      attributes[0] = 0;
      for (u32 i = 1; i < symbols.size(); ++i) {
        sym const& s = symbols[i];
        prefetch_line(&s, ahead);
        if (s.st_name >= strings && s.st_name != 0) {
          bad(i, env_.fail(errc::symbol_name_range, {.index = i}));
          continue;
        }
        attributes[i] = attributes_of(s);
        if (s.st_shndx != elf::shn_undef) {
          values[i] = defined(i, s);
        } else if (errc code = undefined(i, s); code != errc::ok) {
          return code;
        }
      }
      if (errc code = resolve_batch(); code != errc::ok)
        return code;
      if (result_ != errc::ok)
        env_.err = last_error_;
      return result_;
    }

  private:
    /// env_.err is what the code stands for.
    void bad(u32 i, errc code) noexcept {
      if (i < last_bad_)
        return;
      result_ = code;
      last_bad_ = i;
      last_error_ = env_.err;
    }

    u64 defined(u32 i, sym const& s) noexcept {
      u64 const value = s.st_value;
      u32 const shndx = s.st_shndx;
      if (shndx >= table_.file_count) {
        special_section(i, s, shndx);
        return value;
      }
      return value + (shndx == info_.pcpu ? module_.percpu : table_[shndx].target).value;
    }

    [[gnu::noinline]] void special_section(u32 i, sym const& s, u32 shndx) noexcept {
      if (shndx == elf::shn_common) {
        if (!starts_with(string_at(strings_, s.st_name, 9), "__gnu_lto"sv))
          bad(i, env_.fail(errc::symbol_common, {.index = i}));
      } else if (shndx != elf::shn_abs && shndx != elf::shn_livepatch) {
        bad(i, env_.fail(errc::symbol_section,
                         {.subject = string_at(strings_, s.st_name, image_type::longest_name),
                          .n0 = shndx,
                          .n1 = table_.file_count - 1,
                          .index = i}));
      }
    }

    errc undefined(u32 i, sym const& s) noexcept {
      if (numbers_.empty()) {
        if (!resolution_.prepare(image_))
          return env_.fail_no_memory("versions"sv, image_.data(info_.vers).size());
        queries_ = env_.template scratch<symbol_query>(batch_size);
        numbers_ = env_.template scratch<u32>(batch_size, false);
        if (queries_.empty() || numbers_.empty())
          return env_.fail_no_memory("symbols"sv, batch_size);
      }
      // Names lie anywhere in the image; by the time of their batch they are here.
      __builtin_prefetch(strings_.data() + s.st_name);
      out_.values[i] = 0; // of a weak one that nobody exports
      numbers_[count_++] = i;
      return count_ == batch_size ? resolve_batch() : errc::ok;
    }

    /// The names to look up; symbols that the architecture defines drop out.
    errc name_batch(u32& named) noexcept {
      u64 const limit = symbol_name_limit(strings_.size());
      named = 0;
      for (u32 k = 0; k < count_; ++k) {
        u32 const i = numbers_[k];
        std::string_view wanted = string_at(strings_, symbols_[i].st_name);
        if constexpr (requires { arch::symbol_name(wanted); })
          wanted = arch::symbol_name(wanted);
        if constexpr (requires { slots_.state.own_symbol(wanted, out_.values[i]); })
          if (slots_.state.own_symbol(wanted, out_.values[i])) {
            out_.attributes[i] = static_cast<u8>(out_.attributes[i] & ~symbol_undefined);
            continue;
          }
        names_size_ += wanted.size() + 1;
        if (names_size_ > limit)
          return env_.fail(errc::symbol_names_overlap, {.n0 = limit, .index = i});
        queries_[named].name = wanted;
        numbers_[named++] = i;
      }
      return errc::ok;
    }

    errc resolve_batch() noexcept {
      u32 named = 0;
      if (errc code = name_batch(named); code != errc::ok)
        return code;
      count_ = 0;
      if (named == 0)
        return errc::ok;
      using resolver_type = std::remove_cvref_t<decltype(env_.policy().symbol_resolver)>;
      auto const batch = queries_.first(named);
      if constexpr (reader_batch_resolver<resolver_type>)
        resolution_.batch_by_reader([&] { find(batch); });
      lock_guard lock{env_.policy().lock};
      if constexpr (reader_batch_resolver<resolver_type>) {
        resolution_.batch_locked();
      } else {
        resolution_.batch_begins();
        find(batch);
      }
      for (u32 k = 0; k < named; ++k)
        resolve(numbers_[k], batch[k]);
      return errc::ok;
    }

    void find(std::span<symbol_query> batch) noexcept {
      auto& resolver = env_.policy().symbol_resolver;
      if constexpr (batch_resolver<std::remove_cvref_t<decltype(resolver)>>) {
        for (symbol_query& q : batch)
          q.gpl_ok = resolution_.gpl_ok();
        resolver.find_batch(batch.data(), batch.size());
      } else {
        for (symbol_query& q : batch)
          q.found = resolver.find(q.name, resolution_.gpl_ok(), q.symbol);
      }
    }

    void resolve(u32 i, symbol_query& q) noexcept {
      errc const code = resolution_.resolve(q);
      if (code != errc::ok) {
        bad(i, code);
        env_.note(errc::symbol_unknown,
                  {.subject = q.name, .n0 = static_cast<u64>(env_.err.os_errno()), .index = i});
      } else if (q.found) {
        out_.values[i] = q.symbol.value.value;
      } else if (slots_.state.got.value != 0 && equal(q.name, "_GLOBAL_OFFSET_TABLE_"sv)) {
        out_.values[i] = slots_.state.got.value;
      } else if ((out_.attributes[i] & symbol_weak) != 0) {
        out_.attributes[i] = static_cast<u8>(out_.attributes[i] | symbol_unresolved);
        out_.unresolved_weak = true;
      } else if (arch::ignores_got_symbol && equal(q.name, "_GLOBAL_OFFSET_TABLE_"sv)) {
        // x86 compilers name it where they address nothing through it.
      } else {
        bad(i, env_.fail(errc::symbol_unknown, {.subject = q.name, .n0 = e_noent, .index = i}));
      }
    }
  };
};

} // namespace kmodld::steps
