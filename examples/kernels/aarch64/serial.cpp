// SPDX-License-Identifier: MIT
// The console: a PL011 that the firmware has set up, polled (Arm DDI 0183, chapter 3).
#include "../common/console.hpp"
#include "board.hpp"

namespace kernel {

void put_char(char c) {
  constexpr u64 data = 0, flags = 0x18;
  constexpr u32 transmitter_full = 0x20;
  if (board.console == 0)
    return;
  if (c == '\n')
    put_char('\r');
  while ((device_register(board.console, flags) & transmitter_full) != 0) {
  }
  device_register(board.console, data) = static_cast<u8>(c);
}

} // namespace kernel
