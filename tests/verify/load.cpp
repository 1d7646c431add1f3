// SPDX-License-Identifier: MIT
// The one place of verify that calls kmodld: picks architecture and kernel for a record.
#include "verify/load.hpp"

#include "verify/kernels.hpp"
#include "verify/load_linked.hpp"
#include "verify/load_linux.hpp"

#include <kmodld/arch/all.hpp>

namespace kmodld::verify {

outcome load_for_verify(record const& r, byte_view image) {
  outcome o;
  kernel const* const k = r.linked ? nullptr : find_kernel(r.release());
  if (!r.linked && (k == nullptr || k->seven_kinds != r.seven_kinds)) {
    o.skipped = "no constants for kernel " + r.release();
    return o;
  }
  machine const wanted = r.linked ? machine_of(r.arch) : k->arch;
  o.skipped = "architecture " + (r.linked ? r.arch : r.release()) + " is not supported";
  arch::all::for_each([&]<class Arch>() {
    if (machine_named(Arch::name) != wanted)
      return;
    o.skipped.clear();
    if (r.linked)
      linked_load<Arch>{r, o}(image);
    else
      load_linux<Arch>(r, *k, image, o);
  });
  return o;
}

} // namespace kmodld::verify
