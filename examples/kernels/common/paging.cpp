// SPDX-License-Identifier: MIT
// Page tables of four levels; what an entry looks like is the machine's.
#include "paging.hpp"
#include "console.hpp"
#include "frames.hpp"
#include "machine.hpp"
#include "string.hpp"
#include <page_entry.hpp>

namespace kernel::paging {
namespace {

using page_entry::frame_bits;
using page_entry::present;

constexpr u64 direct_map = 0xffff888000000000;
constexpr u64 entries = 512;

// While the boot tables are in force the kernel's base is a direct map of the lowest memory.
constinit u64 direct_base = machine::kernel_base;
constinit u64 root = 0;

u64* table_at(u64 entry) { return reinterpret_cast<u64*>(direct(entry & frame_bits)); }

u64 new_table() {
  u64 frame = frames.allocate();
  if (frame != frame_allocator::none) {
    memset(direct(frame), 0, page_size);
    machine::tables_written();
  }
  return frame;
}

// The entry of the lowest level for `address`; nullptr if a table is missing (and could not be
// made).
u64* entry_of(u64 address, bool create) {
  u64* table = table_at(root);
  for (int shift = 39; shift > 12; shift -= 9) {
    u64& entry = table[address >> shift & (entries - 1)];
    if ((entry & present) == 0) {
      u64 frame = create ? new_table() : frame_allocator::none;
      if (frame == frame_allocator::none)
        return nullptr;
      entry = page_entry::table(frame);
    }
    table = table_at(entry);
  }
  return &table[address >> 12 & (entries - 1)];
}

// The direct map must not offer a way around the rights of another mapping.
void set_direct_rights(u64 frame, rights r) {
  u64* entry = entry_of(direct_map + frame, false);
  if (entry == nullptr || (*entry & present) == 0)
    return;
  *entry = page_entry::page(frame, {r.write, false});
  machine::flush_page(direct_map + frame);
}

void map_or_die(u64 address, u64 frame, rights r) {
  if (map(address, frame, r))
    return;
  print("paging: out of memory for page tables\n");
  machine::leave(false);
}

void map_direct(u64 first, u64 last, rights r) {
  for (u64 at = page_floor(first); at < last && at < frame_allocator::limit; at += page_size)
    if (!lookup(direct_map + at).present)
      map_or_die(direct_map + at, at, r);
}

void map_kernel(char const* first, char const* last, rights r) {
  for (u64 at = address_of(first); at < address_of(last); at += page_size) {
    map_or_die(at, at - machine::kernel_base, r);
    set_direct_rights(at - machine::kernel_base, r);
  }
}

template <class Visit>
void visit_pages(u64 const* table, int level, Visit const& visit) {
  for (u64 i = 0; i < entries; ++i) {
    if ((table[i] & present) == 0)
      continue;
    if (level == 1)
      visit(table[i]);
    else
      visit_pages(table_at(table[i]), level - 1, visit);
  }
}

// One bit a frame: it is executable somewhere. Only audit() uses it.
constinit u64 executable_frames[frame_allocator::limit / page_size / 64] = {};

} // namespace

std::byte* direct(u64 physical) { return reinterpret_cast<std::byte*>(direct_base + physical); }

void start(boot_info const& boot) {
  root = new_table();
  for (u64 i = 0; i < boot.usable_count; ++i)
    map_direct(boot.usable[i].first, boot.usable[i].last, read_write);
  for (u64 i = 0; i < boot.device_count; ++i)
    map_direct(boot.devices[i].first, boot.devices[i].last, device_registers);
  map_kernel(text_start, rodata_start, read_execute);
  map_kernel(rodata_start, data_start, read_only);
  map_kernel(data_start, kernel_end, read_write);
  unmap(address_of(kernel_stack_guard));
  unmap(address_of(fault_stack_guard));
  for (u64 at = page_floor(boot.initrd.first); at < boot.initrd.last; at += page_size)
    set_direct_rights(at, read_only);
  machine::use_page_tables(root);
  direct_base = direct_map;
}

bool map(u64 address, u64 frame, rights r) {
  u64* entry = entry_of(address, true);
  if (entry == nullptr || (*entry & present) != 0)
    return false;
  *entry = page_entry::page(frame, r);
  machine::tables_written();
  return true;
}

u64 unmap(u64 address) {
  u64* entry = entry_of(address, false);
  if (entry == nullptr || (*entry & present) == 0)
    return frame_allocator::none;
  u64 frame = *entry & frame_bits;
  *entry = 0;
  machine::flush_page(address);
  set_direct_rights(frame, read_write);
  return frame;
}

bool protect(u64 address, u64 count, rights r) {
  for (u64 at = address; count != 0; --count, at += page_size) {
    u64* entry = entry_of(at, false);
    if (entry == nullptr || (*entry & present) == 0)
      return false;
    u64 frame = *entry & frame_bits;
    // Whichever mapping loses its write permission does so before the other gains anything.
    if (!r.write)
      set_direct_rights(frame, r);
    *entry = page_entry::page(frame, r);
    machine::flush_page(at);
    if (r.write)
      set_direct_rights(frame, r);
  }
  return true;
}

mapping lookup(u64 address) {
  u64* entry = entry_of(address, false);
  if (entry == nullptr || (*entry & present) == 0)
    return {};
  return {true, *entry & frame_bits, page_entry::rights_of(*entry)};
}

audit_result audit() {
  audit_result result;
  memset(executable_frames, 0, sizeof executable_frames);
  visit_pages(table_at(root), 4, [&](u64 entry) {
    rights r = page_entry::rights_of(entry);
    result.pages += 1;
    result.writable += r.write;
    result.executable += r.execute;
    result.both += r.write && r.execute;
    u64 frame = (entry & frame_bits) / page_size;
    if (r.execute)
      executable_frames[frame / 64] |= u64{1} << (frame & 63);
  });
  visit_pages(table_at(root), 4, [&](u64 entry) {
    u64 frame = (entry & frame_bits) / page_size;
    result.executable_aliased += page_entry::rights_of(entry).write &&
                                 (executable_frames[frame / 64] >> (frame & 63) & 1) != 0;
  });
  return result;
}

} // namespace kernel::paging
