// SPDX-License-Identifier: MIT
// elf_header_check (elf_validity_check in 6.1): makes the checked view of the image.
// May refuse: ENOEXEC. Acquires nothing.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

template <class Config>
struct elf_header_check {
  using image_type = elf::image<typename Config::arch::format>;
  static constexpr std::string_view name = "elf_header_check"sv;
  using needs = types<module_image>;
  using yields = types<image_type>;

  template <class Env>
  static errc run(Env& env, module_image const& file, image_type& out) noexcept {
    using ehdr = typename image_type::ehdr;
    errc code = image_type::check(
        file.bytes, [](ehdr const& h) { return Env::arch::accepts(h); }, out, env.err);
    return code == errc::ok ? code : env.fail_with_names();
  }
};

} // namespace kmodld::steps
