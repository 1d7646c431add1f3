// SPDX-License-Identifier: MIT
// Verifier: PKCS#7 signatures of modules, checked against X.509 certificates with OpenSSL. Needs
// nothing else of linux_like.
#pragma once

#include <kmodld/policy/verifier.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace linux_like {

/// A kernel's trusted keys. verify() may be called by any number of threads, add() not meanwhile.
class keyring {
public:
  /// Adds the certificates of a file's content: PEM, or every DER certificate that lies somewhere
  /// in it, as those of a kernel do in its image: also those that it has for something else, or
  /// lists as revoked (SYSTEM_REVOCATION_KEYS). Those of other keys than RSA and EC are left out.
  /// Answers their subjects' common names.
  std::vector<std::string> add(kmodld::byte_view file);
  std::size_t size() const noexcept { return certificates_.size(); }
  /// module.sig_enforce: what is not signed by one of the keys is refused.
  void enforce() noexcept { enforced_ = true; }

  /// As the kernel judges (mod_verify_sig): a detached SignedData of plain data without signed
  /// attributes. One signature by a known key is enough, none of a known key may be wrong. Neither
  /// a certificate's dates nor its purpose are looked at, nor the message's versions; a chain is
  /// not followed.
  /// - signature_block: the message is damaged, has no signer, or holds data itself;
  /// - signature_rejected: a known key's signature does not fit the content, or the message signs
  ///   something else than plain data;
  /// - signature_unsupported: a signature is not by RSA (PKCS #1 1.5) or ECDSA with SHA-1 or SHA-2;
  /// - signature_no_key: all signers are unknown.
  kmodld::errc verify(kmodld::byte_view content, kmodld::byte_view signature) noexcept;
  bool enforced() const noexcept { return enforced_; }

private:
  struct release {
    void operator()(x509_st* certificate) const noexcept;
  };
  std::vector<std::unique_ptr<x509_st, release>> certificates_;
  bool enforced_ = false;
};
static_assert(kmodld::verifier_policy<keyring>);

/// The first signer of a message, as kmod's modinfo shows it; all empty if there is none.
struct signer_summary {
  std::string issuer; ///< common name
  std::string key;    ///< serial number of the certificate, or its subject key identifier: "66:F5"
  std::string digest; ///< "sha256"
  std::string value;  ///< the signature itself: "3C:74"
};
signer_summary summary_of(kmodld::byte_view signature);

} // namespace linux_like
