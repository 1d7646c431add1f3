// SPDX-License-Identifier: MIT
// copy_module_elf: a live patch keeps ELF header, section headers and section names, for the
// objects that it patches later. May refuse: ENOMEM. Undo: free_module_elf.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct copy_module_elf {
  using image_type = elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "copy_module_elf"sv;
  using needs = types<image_type, load_info>;
  using mutates = types<module_record>;

  /// The copy: header, all section headers (e_shoff points at them), the name table.
  template <class Env>
  static errc run(Env& env, image_type const& image, load_info const& info,
                  module_record& m) noexcept {
    if (!Env::abi::livepatch || !m->livepatch)
      return errc::ok;
    using ehdr = typename image_type::ehdr;
    using shdr = typename image_type::shdr;
    byte_view const names = image.data(image.header().e_shstrndx);
    std::size_t const headers = image.section_count() * sizeof(shdr);
    std::size_t const size = sizeof(ehdr) + headers + names.size();
    auto* copy = static_cast<std::byte*>(env.state.new_record(size));
    if (copy == nullptr)
      return env.fail_no_memory("livepatch ELF"sv, size);
    ehdr header = image.header();
    header.e_shoff = sizeof(ehdr);
    __builtin_memcpy(copy, &header, sizeof header);
    __builtin_memcpy(copy + sizeof header, &image.section(0), headers);
    if (!names.empty())
      __builtin_memcpy(copy + sizeof header + headers, names.data(), names.size());
    m->livepatch_elf = {copy, size};
    m->livepatch_symtab = info.sym;
    return errc::ok;
  }

  template <class Env>
  static void undo(Env& env, module_record& m) noexcept {
    env.state.free_record(m->livepatch_elf.data());
    m->livepatch_elf = {};
  }
};

} // namespace kmodld::steps
