// SPDX-License-Identifier: MIT
// Page tables. Intel SDM volume 3, chapter 4.5: 4-level paging.
#include "paging.hpp"
#include "../common/console.hpp"
#include "../common/frames.hpp"
#include "../common/string.hpp"
#include "machine.hpp"

namespace kernel::paging {
namespace {

constexpr u64 present = 1, writable = 2, no_execute = u64{1} << 63;
constexpr u64 frame_bits = 0x000ffffffffff000;
constexpr u64 direct_map = 0xffff888000000000;
constexpr u64 entries = 512;

// While the boot tables are in force the kernel's base is a direct map of the first GiB.
constinit u64 direct_base = kernel_base;
constinit u64 root = 0;

u64* table_at(u64 entry) { return reinterpret_cast<u64*>(direct(entry & frame_bits)); }

constexpr u64 flags_of(rights r) {
  return present | (r.write ? writable : 0) | (r.execute ? 0 : no_execute);
}

u64 new_table() {
  u64 frame = frames.allocate();
  if (frame != frame_allocator::none)
    memset(direct(frame), 0, page_size);
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
      entry = frame | present | writable;
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
  *entry = frame | flags_of({r.write, false});
  machine::flush_page(direct_map + frame);
}

void map_or_die(u64 address, u64 frame, rights r) {
  if (map(address, frame, r))
    return;
  print("paging: out of memory for page tables\n");
  machine::leave(machine::leave_failed);
}

void map_direct(u64 first, u64 last, rights r) {
  for (u64 at = page_floor(first); at < last && at < frame_allocator::limit; at += page_size)
    if (!lookup(direct_map + at).present)
      map_or_die(direct_map + at, at, r);
}

void map_kernel(char const* first, char const* last, rights r) {
  for (u64 at = address_of(first); at < address_of(last); at += page_size) {
    map_or_die(at, at - kernel_base, r);
    set_direct_rights(at - kernel_base, r);
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
  map_kernel(text_start, rodata_start, read_execute);
  map_kernel(rodata_start, data_start, read_only);
  map_kernel(data_start, kernel_end, read_write);
  unmap(address_of(kernel_stack_guard));
  unmap(address_of(fault_stack_guard));
  for (u64 at = page_floor(boot.initrd.first); at < boot.initrd.last; at += page_size)
    set_direct_rights(at, read_only);
  machine::write_cr3(root);
  direct_base = direct_map;
}

bool map(u64 address, u64 frame, rights r) {
  u64* entry = entry_of(address, true);
  if (entry == nullptr || (*entry & present) != 0)
    return false;
  *entry = frame | flags_of(r);
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
    *entry = frame | flags_of(r);
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
  return {true, *entry & frame_bits, {(*entry & writable) != 0, (*entry & no_execute) == 0}};
}

audit_result audit() {
  audit_result result;
  memset(executable_frames, 0, sizeof executable_frames);
  visit_pages(table_at(root), 4, [&](u64 entry) {
    bool w = (entry & writable) != 0, x = (entry & no_execute) == 0;
    result.pages += 1;
    result.writable += w;
    result.executable += x;
    result.both += w && x;
    u64 frame = (entry & frame_bits) / page_size;
    if (x)
      executable_frames[frame / 64] |= u64{1} << (frame & 63);
  });
  visit_pages(table_at(root), 4, [&](u64 entry) {
    u64 frame = (entry & frame_bits) / page_size;
    result.executable_aliased +=
        (entry & writable) != 0 && (executable_frames[frame / 64] >> (frame & 63) & 1) != 0;
  });
  return result;
}

} // namespace kernel::paging
