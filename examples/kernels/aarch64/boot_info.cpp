// SPDX-License-Identifier: MIT
// Memory, initrd and devices from the device tree that Linux's boot protocol leaves.
#include "../common/boot_info.hpp"
#include "board.hpp"
#include "device_tree.hpp"

namespace kernel {

constinit board_devices board;

namespace {

// A child of the root, as far as the kernel asks for it.
struct node {
  text name;
  bytes compatible, kind, reg, status;
};

boot_info::range range_at(bytes reg, u64 offset) {
  u64 first = device_tree::number(reg, offset, 8);
  return {first, first + device_tree::number(reg, offset + 8, 8)};
}

u64 add_device(boot_info& info, bytes reg, u64 offset) {
  boot_info::range r = range_at(reg, offset);
  if (info.device_count < boot_info::max_ranges)
    info.devices[info.device_count++] = r;
  return r.first;
}

void take(boot_info& info, node const& n) {
  if (!n.status.empty() && !device_tree::lists(n.status, "okay"))
    return; // the secure world's, for example
  if (device_tree::lists(n.kind, "memory")) {
    for (u64 at = 0; at < n.reg.size() && info.usable_count < boot_info::max_ranges; at += 16)
      info.usable[info.usable_count++] = range_at(n.reg, at);
  } else if (device_tree::lists(n.compatible, "arm,pl011") && board.console == 0) {
    board.console = add_device(info, n.reg, 0);
  } else if (device_tree::lists(n.compatible, "arm,cortex-a15-gic")) {
    board.distributor = add_device(info, n.reg, 0);
    board.cpu_interface = add_device(info, n.reg, 16);
  }
}

} // namespace

bool boot_info::read(u64 physical) {
  constexpr u64 most = u64{2} << 20; // what the boot protocol allows
  using part = device_tree::part;
  device_tree tree{reinterpret_cast<std::byte const*>(physical), most};
  node n;
  u64 cells = 0; // of an address and a size: two each, or reg is not what range_at() takes it for
  part p;
  for (int depth = 0; (p = tree.next()) != part::end && p != part::broken;) {
    if (p == part::property) {
      text name = tree.name();
      u64 number = device_tree::number(tree.value(), 0, tree.value().size() == 8 ? 8 : 4);
      if (depth == 1 && (same(name, "#address-cells") || same(name, "#size-cells")))
        cells += number;
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
  return p == part::end && cells == 4 && usable_count != 0 && board.console != 0 &&
         board.distributor != 0 && initrd.first <= initrd.last;
}

} // namespace kernel
