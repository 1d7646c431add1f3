// SPDX-License-Identifier: MIT
// klp_apply_section_relocs: relocation sections `.klp.rela.OBJECT.SECTION` of a live patch. At load
// time those of vmlinux are served; the others when their object comes.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

/// Gives the section's symbols `.klp.sym.OBJECT.NAME,POSITION` their values. ok or EINVAL.
template <class Env>
errc livepatch_relocations(Env& env, elf::image<typename Env::format> const& image,
                           load_info const& info, section_table const& table, u32 i, module& m,
                           resolved_symbols& symbols) noexcept {
  if constexpr (!Env::abi::livepatch || !livepatch_hook<typename Env::hooks_type>) {
    return errc::ok;
  } else {
    using arch = typename Env::arch;
    constexpr std::size_t longest_object = 55;
    std::string_view const section = table[i].name;
    auto malformed = [&] {
      return env.fail(errc::reloc_livepatch, {.subject = section, .section = i});
    };
    if (!starts_with(section, ".klp.rela."sv))
      return malformed();
    std::string_view const rest = tail(section, 10);
    std::size_t const dot = index_of(rest, '.');
    if (dot == 0 || dot >= rest.size() || dot > longest_object)
      return malformed();
    if (!equal(head(rest, dot), "vmlinux"sv))
      return errc::ok;
    static_cast<void>(m);
    auto const syms = image.template entries<typename Env::format::sym>(info.sym);
    for (auto const& r : image.template entries<typename arch::relocation>(i)) {
      u32 const n = arch::symbol_of(r);
      if (n >= syms.size() || syms[n].st_shndx != elf::shn_livepatch)
        return malformed();
      std::string_view const full =
          string_at(image.data(info.str), syms[n].st_name, image.longest_name);
      std::size_t const comma = index_of(full, ',');
      if (!starts_with(full, ".klp.sym.vmlinux."sv) || comma + 1 >= full.size())
        return malformed();
      u64 position = 0;
      for (char c : tail(full, comma + 1)) {
        if (c < '0' || c > '9' || position > 1'000'000)
          return malformed();
        position = position * 10 + static_cast<u64>(c - '0');
      }
      address found;
      std::string_view const wanted = head(tail(full, 17), comma - 17);
      if (env.hooks().klp_find("vmlinux"sv, wanted, position, found) != 0)
        return malformed();
      symbols.values[n] = found.value;
    }
    return errc::ok;
  }
}

} // namespace kmodld::steps
