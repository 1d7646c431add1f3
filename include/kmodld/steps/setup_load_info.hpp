// SPDX-License-Identifier: MIT
// setup_load_info: finds the sections that the loader works with, and the module's names.
// May refuse: ENOEXEC. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct setup_load_info {
  using image_type = elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "setup_load_info"sv;
  using needs = types<image_type>;
  using yields = types<load_info>;

  template <class Env>
  static errc run(Env& env, image_type const& image, load_info& out) noexcept {
    using abi = typename Env::abi;
    out.info = find(image, ".modinfo"sv);
    if (out.info != 0)
      out.tags = loader_modinfo{image.data(out.info)};
    out.info_name = out.tags.first(modinfo_tag::name);
    for (u32 i = 1; i < image.section_count() && out.sym == 0; ++i)
      if (image.section(i).sh_type == elf::sht_symtab) {
        out.sym = i;
        out.str = image.section(i).sh_link;
      }
    env.module_name = out.info_name.data() != nullptr
                          ? out.info_name
                          : "(missing .modinfo section or name field)"sv;
    if (out.sym == 0)
      return env.fail(errc::module_no_symbols);
    out.mod = find(image, ".gnu.linkonce.this_module"sv);
    if constexpr (abi::module_struct) {
      if (out.mod == 0)
        return env.fail(errc::module_struct_missing);
      // Linux 6.1 uses the structure without looking at its size.
      byte_view structure = image.data(out.mod);
      constexpr bool wide = Env::format::bits == 64;
      constexpr u64 offset = wide ? abi::name_offset_64 : abi::name_offset_32;
      constexpr u64 room = wide ? abi::name_size_64 : abi::name_size_32;
      constexpr u64 needed = abi::this_module_size != 0 ? abi::this_module_size : offset + room;
      if (structure.size() < needed)
        return env.fail(errc::module_struct_size, {.n0 = structure.size(), .n1 = needed});
      out.name = string_at(structure.first(offset + room), offset);
    } else {
      out.name = env.flags.name;
      if (out.name.empty() && out.mod == 0)
        out.name = out.info_name;
    }
    if (out.info_name.data() == nullptr)
      out.info_name = out.name;
    env.module_name = out.info_name;
    if (out.name.empty() || out.name.size() >= module::name_capacity)
      return env.fail(errc::module_name, {}, module::name_capacity - 1);
    if (!env.flags.ignore_modversions)
      out.vers = find(image, "__versions"sv);
    if constexpr (Env::smp)
      out.pcpu = find(image, ".data..percpu"sv);
    env.state.modules.prefetch(out.name, false);
    return errc::ok;
  }

private:
  static u32 find(image_type const& image, std::string_view wanted) noexcept {
    for (u32 i = 1; i < image.section_count(); ++i)
      if ((image.section(i).sh_flags & elf::shf_alloc) != 0 && image.is_named(i, wanted))
        return i;
    return 0;
  }
};

} // namespace kmodld::steps
