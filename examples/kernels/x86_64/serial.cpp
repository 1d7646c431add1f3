// SPDX-License-Identifier: MIT
// The console: the first serial port, polled.
#include "../common/console.hpp"
#include "instructions.hpp"

namespace kernel {

void put_char(char c) {
  constexpr u16 port = 0x3f8;
  constexpr u8 transmitter_empty = 0x20;
  if (c == '\n')
    put_char('\r');
  while ((machine::in8(port + 5) & transmitter_empty) == 0) {
  }
  machine::out8(port, static_cast<u8>(c));
}

} // namespace kernel
