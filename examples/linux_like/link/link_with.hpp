// SPDX-License-Identifier: MIT
// One architecture's way from a request to an image; instantiated by machines_part.cpp.
#pragma once

#include "inspect_with.hpp"
#include "link_steps.hpp"
#include "machines.hpp"

namespace linux_like {

template <class Arch>
bool is_object_for(kmodld::byte_view bytes) {
  using format = typename Arch::format;
  using ehdr = typename format::ehdr;
  if (bytes.size() < sizeof(ehdr))
    return false;
  const auto& header = *reinterpret_cast<const ehdr*>(bytes.data());
  return std::memcmp(header.e_ident, "\177ELF", 4) == 0 && header.e_ident[4] == format::elf_class &&
         header.e_ident[5] == format::elf_data && Arch::accepts(header);
}

/// An error of the merged object in terms of the file that it comes from.
template <class Arch>
refusal refused_by(const kmodld::error& error, const link_request& request,
                   const merged_object& merged) {
  kmodld::error shown = error;
  std::size_t input = section_origin::none;
  if (error.section != 0 && error.section < merged.sections.size()) {
    input = merged.sections[error.section].input;
    shown.section = merged.sections[error.section].index;
  } else if (error.index != 0 && error.index < merged.symbol_input.size()) {
    input = merged.symbol_input[error.index];
  }
  const std::string& file = request.inputs[input == section_origin::none ? 0 : input].name;
  shown.set_names(file, error.name(kmodld::error::subject), error.name(kmodld::error::second));
  const refusal no = refused(shown);
  // Some of the kernel's messages name no module.
  const std::string text = no.what();
  return refusal(no.number, text.find(file) == text.npos ? file + ": " + text : text);
}

/// The values as the machine has them: those of 32 bits may be given sign-extended.
template <class Arch>
absolute_values values_for(const absolute_values& given) {
  absolute_values out = given;
  if constexpr (Arch::format::bits == 32)
    for (auto& [name, value] : out) {
      if (value > 0xffffffff && value < ~kmodld::u64{0x7fffffff})
        throw refusal(EINVAL, fmt::format("{}={:#x} is no 32-bit address", name, value));
      value &= 0xffffffff;
    }
  return out;
}

/// Runs a link, or the part of it that Config has.
template <class Config>
linked_image run_link(const link_request& request) {
  using arch = typename Config::arch;
  const merged_object merged = object_merger<arch>(request.inputs)();
  const absolute_values absolute = values_for<arch>(request.absolute);
  linked_image out;
  link_job job{request, merged, out};
  kmodld::loader<Config> linker({.symbol_resolver = absolute_symbols{absolute}, .hooks = job});
  const auto result = linker.load(merged.bytes);
  if (job.refused != nullptr)
    std::rethrow_exception(job.refused);
  if (!job.done)
    throw refused_by<arch>(result.error(), request, merged);
  return out;
}

template <class Arch>
linked_image link_with(const link_request& request) {
  return run_link<link_config<Arch>>(request);
}

/// A module as Linux lays it out, another object as `link` does, from address 0 on.
template <class Arch>
module_map map_with(const std::string& file, kmodld::byte_view bytes) {
  const basic_module_view<Arch> view(bytes);
  for (kmodld::u32 i = 1; i < view.image.section_count(); ++i)
    if (view.image.is_named(i, ".gnu.linkonce.this_module"))
      return module_layout_of<Arch>(bytes);
  link_request request;
  request.inputs.push_back({file, {bytes.begin(), bytes.end()}});
  module_map out;
  for (const linked_image::section& s : run_link<place_config<Arch>>(request).sections)
    out.sections.push_back({s.name, s.address, s.size});
  return out;
}

template <class Arch>
const machine& machine_for() {
  static constexpr machine all{Arch::name, link_with<Arch>, summary_of<Arch>, check_with<Arch>,
                               map_with<Arch>};
  return all;
}

} // namespace linux_like
