// SPDX-License-Identifier: MIT
// The one place of verify that calls kmodld: picks architecture and kernel for a record.
#include "verify/load.hpp"

#include "verify/kernels.hpp"
#include "verify/load_linked.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/x86_64.hpp>

namespace kmodld::verify {

outcome load_for_verify(record const& r, byte_view image) {
  outcome o;
  if (r.linked) {
    if (machine_of(r.arch) == machine::x86_64)
      linked_load<arch::x86_64>{r, o}(image);
    else if (machine_of(r.arch) == machine::aarch64)
      linked_load<arch::aarch64>{r, o}(image);
    else
      o.skipped = "architecture " + r.arch + " is not supported";
    return o;
  }
  kernel const* k = find_kernel(r.release());
  if (k == nullptr || k->seven_kinds != r.seven_kinds)
    o.skipped = "no constants for kernel " + r.release();
  else if (!load_linux(r, *k, image, o))
    o.skipped = "kernel " + r.release() + " is not supported";
  return o;
}

} // namespace kmodld::verify
