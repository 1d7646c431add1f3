// SPDX-License-Identifier: MIT
// linkers ARCHITECTURE COMMAND...: the relocation core against a linker, given as a command with
// its options. What is linked are objects made here from the architecture's rules.
#include "linkers/targets.hpp"

#include <iostream>

using namespace kmodld::test::linkers;

int main(int argc, char** argv) {
  struct row {
    std::string_view name;
    bool (*compare)(linker const&);
  };
  static constexpr row rows[] = {
      {"x86_64", x86_64},
      {"i386", i386},
      {"aarch64", aarch64},
      {"s390x", s390x},
      {"powerpc64le", powerpc64le},
      {"powerpc64", powerpc64},
      {"mips64el", mips64el},
      {"mips64", mips64},
      {"mipsel", mipsel},
      {"mips", mips},
      {"arm", arm},
      {"riscv64", riscv64},
      {"riscv32", riscv32},
      {"loongarch64", loongarch64},
      {"m68k", m68k},
  };
  if (argc >= 3)
    for (row const& r : rows)
      if (r.name == argv[1]) {
        linker by;
        for (int i = 2; i < argc; ++i)
          by.command += std::string{i == 2 ? "" : " "} + argv[i];
        by.lld = by.command.find("lld") != std::string::npos;
        return r.compare(by) ? 0 : 1;
      }
  std::cerr << "usage: linkers ARCHITECTURE COMMAND...; architectures:";
  for (row const& r : rows)
    std::cerr << ' ' << r.name;
  std::cerr << '\n';
  return 2;
}
