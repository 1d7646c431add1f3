// SPDX-License-Identifier: MIT
// What a record does not say about its kernel: constants by the release in `path`.
//
// Sources: tests/data/ground-truth.md, and the configurations in Debian's packages.
#pragma once

#include "verify/record.hpp"

namespace kmodld::verify {

enum class machine {
  unknown,
  x86_64,
  i386,
  aarch64,
  arm,
  riscv64,
  powerpc64,
  s390x,
  mips64,
  loongarch64
};

struct kernel {
  std::string_view release; ///< what the release begins with ...
  std::string_view flavour; ///< ... and ends with
  machine arch;
  bool seven_kinds;
  u64 page_size;
  bool kallsyms_all;
  u64 kernel_toc = 0;                ///< ppc64el: r2 of the kernel
  u64 ftrace_caller = 0, mcount = 0; ///< armhf: the fixed PLT entries
  u64 ftrace_regs_caller = 0;        ///< arm64
};

inline constexpr kernel kernels[] = {
    {"6.1.0-", "-686-pae", machine::i386, false, 4096, false},
    {"6.1.0-", "-armmp", machine::arm, false, 4096, false, 0, 0xc0312a38, 0xc0312a2c},
    {"6.1.0-", "-powerpc64le", machine::powerpc64, false, 65536, false, 0xc000000001148100},
    {"6.1.0-", "-s390x", machine::s390x, false, 4096, false},
    {"6.1.0-", "-amd64", machine::x86_64, false, 4096, true},
    {"6.1.0-", "-arm64", machine::aarch64, false, 4096, false},
    {"6.12.", "-amd64", machine::x86_64, true, 4096, true},
    {"7.2.", "-riscv64", machine::riscv64, true, 4096, true},
};

/// The kernel of a release; null if the table has none.
inline kernel const* find_kernel(std::string_view release) {
  for (kernel const& k : kernels)
    if (release.starts_with(k.release) && release.ends_with(k.flavour))
      return &k;
  return nullptr;
}

/// By the architecture's name in kmodld.
constexpr machine machine_named(std::string_view arch) {
  constexpr std::pair<std::string_view, machine> names[] = {
      {"x86_64", machine::x86_64},
      {"i386", machine::i386},
      {"aarch64", machine::aarch64},
      {"arm", machine::arm},
      {"riscv64", machine::riscv64},
      {"powerpc64le", machine::powerpc64},
      {"s390x", machine::s390x},
      {"mips64el", machine::mips64},
      {"loongarch64", machine::loongarch64},
  };
  for (auto const& [name, m] : names)
    if (name == arch)
      return m;
  return machine::unknown;
}

inline machine machine_of(std::string_view arch) {
  constexpr std::pair<std::string_view, machine> names[] = {
      {"amd64", machine::x86_64}, {"i386", machine::i386},       {"arm64", machine::aarch64},
      {"armhf", machine::arm},    {"riscv64", machine::riscv64}, {"ppc64el", machine::powerpc64},
      {"s390x", machine::s390x},  {"mips64el", machine::mips64}, {"loong64", machine::loongarch64},
  };
  for (auto const& [name, m] : names)
    if (name == arch)
      return m;
  return machine::unknown;
}

} // namespace kmodld::verify
