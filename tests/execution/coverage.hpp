// SPDX-License-Identifier: MIT
// Which relocation types executed modules had, by rows of the architecture's table.
#pragma once

#include "host.hpp"

namespace kmodld::execution {

class coverage {
public:
  /// Counts what applies to memory of the module.
  void note(byte_view file) noexcept {
    using format = machine::format;
    using relocation = machine::relocation;
    constexpr u32 kind = reloc::addend_in_place<relocation> ? elf::sht_rel : elf::sht_rela;
    elf::image<format> image;
    error e;
    if (elf::image<format>::check(file, &machine::accepts, image, e) != errc::ok)
      return;
    for (u32 i = 1; i < image.section_count(); ++i) {
      auto const& s = image.section(i);
      if (s.sh_type != kind || s.sh_info >= image.section_count() ||
          (image.section(s.sh_info).sh_flags & elf::shf_alloc) == 0)
        continue;
      for (relocation const& r : image.entries<relocation>(i))
        for (std::size_t row = 0; row < rows; ++row)
          if (machine::rules[row].type == machine::type_of(r))
            ++count_[row];
    }
  }

  void report() const noexcept {
    u32 seen = 0, all = 0;
    for (std::size_t row = 0; row < rows; ++row)
      if (wanted(row)) {
        ++all;
        seen += count_[row] != 0 ? 1u : 0u;
      }
    say("types "sv, seen, " of "sv, all);
    list("executed:"sv, true);
    list("not executed:"sv, false);
  }

private:
  static constexpr std::size_t rows = std::size(machine::rules);

  /// Rows that the loader serves.
  static constexpr bool wanted(std::size_t row) noexcept {
    reloc::formula const f = machine::rules[row].formula;
    return f != reloc::formula::tls && f != reloc::formula::refused;
  }
  void list(std::string_view title, bool seen) const noexcept {
    print(title);
    for (std::size_t row = 0; row < rows; ++row)
      if (wanted(row) && (count_[row] != 0) == seen) {
        print(" "sv);
        print(c_string(machine::rules[row].name));
      }
    print("\n"sv);
  }

  u32 count_[rows] = {};
};

} // namespace kmodld::execution
