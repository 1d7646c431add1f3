// SPDX-License-Identifier: MIT
// Writes what the tracer recorded in Chrome's trace format.
#pragma once

#include "recorder.hpp"

#include <filesystem>

namespace linux_like {

/// Throws refusal if the file cannot be written.
void write_trace_file(const recorder& tracer, const std::filesystem::path& file);

} // namespace linux_like
