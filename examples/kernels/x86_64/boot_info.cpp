// SPDX-License-Identifier: MIT
// Parses hvm_start_info, version 1 (Xen, public/arch-x86/hvm/start_info.h).
#include "../common/boot_info.hpp"

namespace kernel {
namespace {

struct start_info {
  u32 magic, version, flags, module_count;
  u64 modules, command_line, rsdp, memory_map;
  u32 memory_map_count, reserved;
};
struct module_entry {
  u64 first, size, command_line, reserved;
};
struct memory_entry {
  u64 first, size;
  u32 type, reserved;
};

} // namespace

bool boot_info::read(u64 physical) {
  auto const* info = reinterpret_cast<start_info const*>(physical);
  if (info->magic != 0x336ec578 || info->version < 1)
    return false;
  auto const* map = reinterpret_cast<memory_entry const*>(info->memory_map);
  for (u32 i = 0; i < info->memory_map_count && usable_count < max_ranges; ++i)
    if (map[i].type == 1)
      usable[usable_count++] = {map[i].first, map[i].first + map[i].size};
  if (info->module_count != 0) {
    auto const* module = reinterpret_cast<module_entry const*>(info->modules);
    initrd = {module->first, module->first + module->size};
  }
  return usable_count != 0;
}

} // namespace kernel
