// SPDX-License-Identifier: MIT
// check_version: whether a module was built against the export it is about to use. Part of
// check_modstruct_version and of simplify_symbols.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/name_index.hpp>
#include <kmodld/linux/versions.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// The versions that a module expects, by name.
template <class Env>
class expected_versions {
  using table_type = modversions<typename Env::format>;
  table_type table_;
  name_index index_;

public:
  /// False without memory for the index. `indexed` is for many questions; without it each one walks
  /// the table.
  bool read(Env& env, elf::image<typename Env::format> const& image, load_info const& info,
            bool indexed) noexcept {
    if (!Env::abi::modversions || info.vers == 0)
      return true;
    constexpr bool drop_dots = requires { requires Env::arch::drops_dots; };
    table_ = table_type{image.data(info.vers), drop_dots};
    if (!indexed || table_.count() == 0)
      return true;
    auto slots = env.template scratch<u32>(name_index::slots_for(table_.count()));
    if (slots.empty())
      return false;
    index_ = name_index{slots, env.hash_seed()};
    for (u32 i = 0; i < table_.count(); ++i)
      index_.insert(i, [this](u32 n) { return table_[n].name; });
    indexed_ = true;
    return true;
  }

  bool find(std::string_view name, u64& crc) const noexcept {
    if (!indexed_)
      return table_.find(name, crc);
    u32 const i = index_.find(name, [this](u32 n) { return table_[n].name; });
    if (i == name_index::none)
      return false;
    crc = table_[i].crc;
    return true;
  }

private:
  bool indexed_ = false;
};

/// ok, version_disagrees, version_no_symbol or versions_missing; each refusal is reported.
template <class Env>
errc check_version(Env& env, expected_versions<Env> const& versions, load_info const& info,
                   module* m, std::string_view symbol, exported_symbol const& exported) noexcept {
  if constexpr (!Env::abi::modversions)
    return errc::ok;
  if (!exported.has_crc)
    return errc::ok;
  if (info.vers == 0)
    return env.force_load(m, symbol) ? errc::ok : env.fail(errc::versions_missing, symbol);
  u64 crc = 0;
  if (!versions.find(symbol, crc)) {
    if constexpr (Env::abi::modversions_strict)
      return env.fail(errc::version_no_symbol, symbol);
    env.note(errc::version_no_symbol, {.subject = symbol});
    return errc::ok;
  }
  return crc == exported.crc ? errc::ok : env.fail(errc::version_disagrees, symbol);
}

} // namespace kmodld::steps
