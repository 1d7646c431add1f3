// SPDX-License-Identifier: MIT
// Signs modules, as a kernel's build does.
#pragma once

#include "../module_file.hpp"

namespace linux_like {

/// The module with a trailer behind it: a PKCS#7 message of `digest` (such as "sha256"), signed
/// with the private key, for whoever has the certificate. Both are PEM files' contents. Throws
/// refusal: EEXIST if the module has a trailer, EINVAL for what is no key, certificate or digest,
/// or does not belong together.
byte_vector sign_module(kmodld::byte_view module, kmodld::byte_view key,
                        kmodld::byte_view certificate, const std::string& digest);

} // namespace linux_like
