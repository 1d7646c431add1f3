// SPDX-License-Identifier: MIT
// What modules_glue.hpp needs to know about x86_64.
#pragma once

#include "../common/types.hpp"

#include <kmodld/arch/x86_64.hpp>

namespace kernel::modules {

using machine_arch = kmodld::arch::x86_64;

/// What compiled modules import here beside functions: thunks.S.
inline constexpr text machine_exports =
    "__fentry__ __x86_return_thunk __x86_indirect_thunk_rax __x86_indirect_thunk_rbx "
    "__x86_indirect_thunk_rcx __x86_indirect_thunk_rdx __x86_indirect_thunk_rsi "
    "__x86_indirect_thunk_rdi __x86_indirect_thunk_rbp __x86_indirect_thunk_r8 "
    "__x86_indirect_thunk_r9 __x86_indirect_thunk_r10 __x86_indirect_thunk_r11 "
    "__x86_indirect_thunk_r12 __x86_indirect_thunk_r13 __x86_indirect_thunk_r14 "
    "__x86_indirect_thunk_r15";

/// The kind of exception table entry that is a jump and nothing else: EX_TYPE_DEFAULT.
inline constexpr u32 extable_jump_only = 1;

} // namespace kernel::modules
