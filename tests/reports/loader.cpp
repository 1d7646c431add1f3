// SPDX-License-Identifier: MIT
// One loader for x86-64 whose optional policies are the null models: what tests/parts/reports.sh
// measures the text and the stack of. With WHOLE_CLASS also what readers and sysfs call at run
// time.
#include "freestanding/host.hpp"

namespace kmodld {

using kernel = freestanding::plain_kernel;
#ifdef WHOLE_CLASS
template class loader<kernel>;
#else
template result<module_ref> loader<kernel>::load(byte_view, std::string_view, load_flags) noexcept;
template result<void> loader<kernel>::unload(std::string_view, unload_flags) noexcept;
template result<void> loader<kernel>::unload(module_ref&, unload_flags) noexcept;
template module_ref loader<kernel>::find(std::string_view) noexcept;
#endif

} // namespace kmodld
