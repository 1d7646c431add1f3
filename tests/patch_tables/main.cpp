// SPDX-License-Identifier: MIT
// patch_tables FILE...: reads the tables of real modules of any architecture that is served here,
// and compares them with their relocations. Prints 'section SECTION ENTRIES FIELDS' for each kind
// of table and 'modules N'; exit status 1 if something differs.
#include "patch_tables/inspector.hpp"

int main(int argc, char** argv) {
  using namespace kmodld;
  using namespace kmodld::patch_tables;
  unsigned modules = 0;
  for (int i = 1; i < argc; ++i) {
    current = argv[i];
    auto const file = test::read_maybe_xz(argv[i]);
    if (file.size() < 20)
      continue;
    bool const big = file[5] == std::byte{2};
    u32 const machine = std::to_integer<u32>(file[big ? 19 : 18]);
    bool (*const load)(byte_view) = machine == 62    ? load_x86_64
                                    : machine == 3   ? load_i386
                                    : machine == 183 ? load_aarch64
                                    : machine == 21  ? load_powerpc64
                                    : machine == 40  ? load_arm
                                    : machine == 22  ? load_s390x
                                    : machine == 8   ? load_mips64
                                                     : nullptr;
    if (load == nullptr)
      complain("e_machine", machine, "is not served");
    else
      modules += load(file);
  }
  for (auto const& [name, t] : totals)
    std::printf("section %s %llu %llu\n", name.c_str(), static_cast<unsigned long long>(t.entries),
                static_cast<unsigned long long>(t.fields));
  std::printf("modules %u\n", modules);
  return wrong == 0 ? 0 : 1;
}
