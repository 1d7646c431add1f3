// SPDX-License-Identifier: MIT
// Verifier policy: what a valid signature is (mod_verify_sig). Without one no key is known: every
// module counts as unsigned and taints, as in Linux.
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/text.hpp>

#include <concepts>

namespace kmodld {

template <class V>
concept verifier_policy = requires(V& v, byte_view content, byte_view signature) {
  // `content` is what was signed (the module without trailer), `signature` the PKCS#7 message.
  // ok; signature_unsupported or signature_no_key (soft: the module counts as unsigned unless
  // enforced); signature_rejected, signature_expired or another code: the load fails with it.
  { v.verify(content, signature) } noexcept -> std::same_as<errc>;
  // Whether modules without a valid signature are refused (module.sig_enforce).
  { v.enforced() } noexcept -> std::same_as<bool>;
};

/// CONFIG_MODULE_SIG is not set: signatures are neither looked at nor stripped, nothing taints.
struct no_signatures {};

struct verifier_archetype {
  errc verify(byte_view, byte_view) noexcept { return errc::signature_no_key; }
  bool enforced() noexcept { return false; }
};
static_assert(verifier_policy<verifier_archetype>);

/// The null model. Knows no key: every module counts as unsigned and taints.
using no_keys_verifier = verifier_archetype;

} // namespace kmodld
