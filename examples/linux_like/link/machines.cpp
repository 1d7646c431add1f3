// SPDX-License-Identifier: MIT
// Goes through the library's list of architectures.
#include "machines.hpp"

#include "../refusal.hpp"

#include <kmodld/arch/all.hpp>

#include <fmt/format.h>

namespace linux_like {

namespace {

const machine* find_machine(kmodld::byte_view bytes) {
  const machine* found = nullptr;
  kmodld::arch::all::for_each([&]<class Arch>() {
    if (found == nullptr && machine_for<Arch>().accepts(bytes))
      found = &machine_for<Arch>();
  });
  return found;
}

} // namespace

const machine* foreign_machine(kmodld::byte_view bytes) {
  const machine* found = find_machine(bytes);
  return found == &machine_for<kmodld::arch::x86_64>() ? nullptr : found;
}

const machine& machine_of(kmodld::byte_view bytes) {
  if (const machine* found = find_machine(bytes))
    return *found;
  // The checks of an image say what is wrong before they come to the machine.
  kmodld::error error;
  kmodld::elf::image<kmodld::elf::elf64_le> none;
  static_cast<void>(decltype(none)::check(bytes, [](const auto&) { return false; }, none, error));
  throw refused(error);
}

linked_image link(const link_request& request) {
  const machine* first = nullptr;
  for (const link_input& input : request.inputs)
    try {
      const machine& its = machine_of(input.bytes);
      if (first == nullptr)
        first = &its;
      if (&its != first)
        throw refusal(ENOEXEC, fmt::format("an object for {}, but {} is for {}", its.name,
                                           request.inputs[0].name, first->name));
    } catch (const refusal& no) {
      throw refusal(no.number, input.name + ": " + no.what());
    }
  return first->link(request);
}

} // namespace linux_like
