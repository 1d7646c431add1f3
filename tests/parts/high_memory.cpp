// SPDX-License-Identifier: MIT
// hosted/ where the numbers of a process of 32 bits end: an arena of more than 2 GiB, whose
// distances are no differences of pointers, is not valid; code above 2 GiB can be patched. That is
// tried if there is an argument (not under QEMU, whose programs have its own memory behind
// /proc/self/mem).
#include <kmodld/hosted/mprotect.hpp>

#include <cstdio>

int main(int argc, char**) {
  using namespace kmodld;
  if (hosted::arena{{.size = u64{9} << 28, .where = {}}}.valid())
    return std::puts("an arena of more than 2 GiB"), 1;
  hosted::arena memory{
      {.size = u64{1} << 20, .where = {{{0x80000000}, {0xffffffff}}, {0xc0000000}}}};
  hosted::mprotect_protector protector{memory};
  region code;
  if (memory.allocate({memory_kind::text, 1, 1, {}}, code) != memory_status::ok)
    return std::puts("no memory above 2 GiB"), 2;
  protection const sealed[] = {{code, permission::read_execute}};
  if (protector.protect(sealed) != 0)
    return std::puts("it cannot be sealed"), 1;
  std::byte const bytes[] = {std::byte{1}, std::byte{2}};
  if (argc > 1) {
    if (int const failed = protector.patch(code.target, bytes); failed != 0)
      return std::printf("it cannot be patched: errno %d\n", failed), 1;
    if (std::memcmp(code.host, bytes, sizeof bytes) != 0)
      return std::puts("it is not what was written"), 1;
  }
  memory.release(memory_kind::text, code);
  return memory.in_use() == 0 ? 0 : 1;
}
