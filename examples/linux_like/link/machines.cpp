// SPDX-License-Identifier: MIT
// Chooses from the library's list of architectures.
#include "machines.hpp"

#include "../refusal.hpp"

#include <kmodld/arch/x86_64.hpp>
#include <kmodld/elf/image.hpp>

#include <fmt/format.h>

#include <utility>

namespace linux_like {

namespace {

template <std::size_t... Part>
const machine* find_in(std::index_sequence<Part...>, kmodld::byte_view bytes) {
  const machine* found = nullptr;
  static_cast<void>(((found = machine_in_part<Part>(bytes)) || ...));
  return found;
}

const machine* find_machine(kmodld::byte_view bytes) {
  return find_in(std::make_index_sequence<machine_parts>(), bytes);
}

} // namespace

const machine* foreign_machine(kmodld::byte_view bytes) {
  const machine* found = find_machine(bytes);
  return found != nullptr && found->name == kmodld::arch::x86_64::name ? nullptr : found;
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
