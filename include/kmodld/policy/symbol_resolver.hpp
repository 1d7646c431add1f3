// SPDX-License-Identifier: MIT
// Symbol resolver policy: name -> exported symbol (find_symbol, Linux kernel/module).
#pragma once

#include <kmodld/address.hpp>

#include <concepts>
#include <string_view>

namespace kmodld {

struct module;

/// What a module exports, or the host itself (owner null).
struct exported_symbol {
  address value{};
  module* owner = nullptr;
  std::string_view name_space{}; ///< empty: none; must live as long as the export
  u32 crc = 0;
  bool has_crc = false;
  bool gpl_only = false;
};

/// A host's symbols. Exports with gpl_only are invisible unless the searcher may use them; of
/// several exports of one name the oldest wins. find() is called with the loader's lock held; it
/// is also the duplicate check of complete_formation.
template <class R>
concept symbol_resolver_policy =
    requires(R& r, std::string_view name, bool gpl_ok, exported_symbol& out) {
      // True and `out` filled if the name is exported to this searcher.
      { r.find(name, gpl_ok, out) } noexcept -> std::same_as<bool>;
    };

/// A resolver that learns what modules export: called under the lock, at complete_formation and
/// when the module goes. `name` and symbol.name_space lie in a record that lives until then;
/// remove() gets the same name.
template <class R>
concept export_registry =
    requires(R& r, std::string_view name, exported_symbol const& symbol, module const& owner) {
      // False if there is no memory for it; then exports added before are removed.
      { r.add(name, symbol) } noexcept -> std::same_as<bool>;
      { r.remove(name, owner) } noexcept -> std::same_as<void>;
    };

/// One lookup of a batch.
struct symbol_query {
  std::string_view name{};
  exported_symbol symbol{};
  bool gpl_ok = true;
  bool found = false;
};

/// A resolver that gains from many names at once (hash all, prefetch, then compare).
template <class R>
concept batch_resolver = requires(R& r, symbol_query* queries, std::size_t count) {
  { r.find_batch(queries, count) } noexcept -> std::same_as<void>;
};

/// A resolver that gains from hearing of a module's exports before each is looked up and entered:
/// called under the lock at complete_formation.
template <class R>
concept prefetching_resolver = requires(R& r, std::string_view name) {
  { r.prefetch(name) } noexcept -> std::same_as<void>;
};

/// One that readers may ask, too: find_batch() without the lock, between the reclaimer's read_enter
/// and read_leave. Then loads look names up side by side.
template <class R>
concept reader_batch_resolver = batch_resolver<R> && requires { requires R::for_readers; };

/// A resolver that knows where its exports lie lets the loader ask for memory in their reach.
template <class R>
concept bounded_resolver = requires(R const& r) {
  { r.bounds() } noexcept -> std::same_as<reach_window>;
};

/// The least that satisfies the concept, and the null model: nothing is exported.
struct no_symbols {
  bool find(std::string_view, bool, exported_symbol&) noexcept { return false; }
};
using symbol_resolver_archetype = no_symbols;
static_assert(symbol_resolver_policy<no_symbols>);

} // namespace kmodld
