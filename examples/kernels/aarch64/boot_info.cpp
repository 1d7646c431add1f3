// SPDX-License-Identifier: MIT
// Memory, initrd and devices from the device tree that Linux's boot protocol leaves.
#include "../common/boot_info.hpp"
#include "../common/console.hpp"
#include "../common/frames.hpp"
#include "board.hpp"
#include "device_tree.hpp"

extern "C" {
kernel::u64 entry_level = 0; // CurrentEL, from boot.S
}

namespace kernel {

constinit board_devices board;

namespace {

// A child of the root, as far as the kernel asks for it.
struct node {
  text name;
  bytes compatible, kind, reg, status;
};

// Of nothing beyond does this kernel know, and no more is mapped now.
constexpr u64 limit = frame_allocator::limit;

// Empty if the blob's numbers make no range.
boot_info::range range_at(bytes reg, u64 offset) {
  u64 first = device_tree::number(reg, offset, 8);
  u64 last = first + device_tree::number(reg, offset + 8, 8);
  return {first, last < first ? first : last};
}

void add_memory(boot_info& info, boot_info::range r) {
  if (r.last > limit)
    r.last = limit;
  if (r.first < r.last && info.usable_count < boot_info::max_ranges)
    info.usable[info.usable_count++] = r;
}

// Where its registers are; 0 if the kernel cannot have them.
u64 add_device(boot_info& info, boot_info::range r) {
  if (r.first >= r.last || r.last > limit || info.device_count == boot_info::max_ranges)
    return 0;
  info.devices[info.device_count++] = r;
  return r.first;
}

void take(boot_info& info, node const& n) {
  if (!n.status.empty() && !device_tree::lists(n.status, "okay"))
    return; // the secure world's, for example
  if (device_tree::lists(n.kind, "memory")) {
    for (u64 at = 0; at < n.reg.size(); at += 16)
      add_memory(info, range_at(n.reg, at));
  } else if (device_tree::lists(n.compatible, "arm,pl011") && board.console == 0) {
    board.console = add_device(info, range_at(n.reg, 0));
  } else if (device_tree::lists(n.compatible, "arm,cortex-a15-gic")) {
    board.distributor = add_device(info, range_at(n.reg, 0));
    board.cpu_interface = add_device(info, range_at(n.reg, 16));
  }
}

} // namespace

bool boot_info::read(u64 physical) {
  constexpr u64 most = u64{2} << 20; // what the boot protocol allows
  using part = device_tree::part;
  device_tree tree{reinterpret_cast<std::byte const*>(physical), most};
  node n;
  // Addresses and sizes have two cells each, or reg is not what range_at() takes it for.
  u64 address_cells = 0, size_cells = 0;
  part p;
  for (int depth = 0; (p = tree.next()) != part::end && p != part::broken;) {
    if (p == part::property) {
      text name = tree.name();
      u64 number = device_tree::number(tree.value(), 0, tree.value().size() == 8 ? 8 : 4);
      if (depth == 1 && same(name, "#address-cells"))
        address_cells = number;
      if (depth == 1 && same(name, "#size-cells"))
        size_cells = number;
      if (depth != 2)
        continue;
      if (same(name, "compatible"))
        n.compatible = tree.value();
      else if (same(name, "device_type"))
        n.kind = tree.value();
      else if (same(name, "reg"))
        n.reg = tree.value();
      else if (same(name, "status"))
        n.status = tree.value();
      else if (same(n.name, "chosen") && same(name, "linux,initrd-start"))
        initrd.first = number;
      else if (same(n.name, "chosen") && same(name, "linux,initrd-end"))
        initrd.last = number;
      continue;
    }
    // Properties come before children: with either, those of a node are complete.
    if (depth == 2)
      take(*this, n);
    depth += p == part::node ? 1 : -1;
    n = {depth == 2 && p == part::node ? tree.name() : text{}, {}, {}, {}, {}};
  }
  if (board.console != 0)
    print("entered in EL", entry_level >> 2, '\n');
  return p == part::end && address_cells == 2 && size_cells == 2 && usable_count != 0 &&
         board.console != 0 && board.distributor != 0 && board.cpu_interface != 0 &&
         initrd.first <= initrd.last && initrd.last <= limit;
}

} // namespace kernel
