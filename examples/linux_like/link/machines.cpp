// SPDX-License-Identifier: MIT
// Goes through the library's list of architectures.
#include "machines.hpp"

#include "../refusal.hpp"

#include <kmodld/arch/all.hpp>

#include <fmt/format.h>

namespace linux_like {

const machine& machine_of(kmodld::byte_view bytes) {
  const machine* found = nullptr;
  kmodld::arch::all::for_each([&]<class Arch>() {
    if (found == nullptr && machine_for<Arch>().accepts(bytes))
      found = &machine_for<Arch>();
  });
  if (found != nullptr)
    return *found;
  // The checks of an image say what is wrong before they come to the machine.
  kmodld::error error;
  kmodld::elf::image<kmodld::elf::elf64_le> none;
  static_cast<void>(decltype(none)::check(bytes, [](const auto&) { return false; }, none, error));
  throw refused(error);
}

linked_image link(const link_request& request) {
  const machine& first = machine_of(request.inputs.at(0).bytes);
  for (const link_input& input : request.inputs)
    try {
      if (const machine& other = machine_of(input.bytes); &other != &first)
        throw refusal(ENOEXEC, fmt::format("an object for {}, but {} is for {}", other.name,
                                           request.inputs[0].name, first.name));
    } catch (const refusal& no) {
      throw refusal(no.number, input.name + ": " + no.what());
    }
  return first.link(request);
}

} // namespace linux_like
