// SPDX-License-Identifier: MIT
// OpenSSL's objects with owners.
#pragma once

#include <kmodld/text.hpp>

#include <climits>
#include <memory>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string>

namespace linux_like::openssl {

template <auto Free>
struct releaser {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using owner = std::unique_ptr<T, releaser<Free>>;

using bio = owner<BIO, BIO_free_all>;
using message = owner<CMS_ContentInfo, CMS_ContentInfo_free>;
using certificate = owner<X509, X509_free>;
using key = owner<EVP_PKEY, EVP_PKEY_free>;
using digest_context = owner<EVP_MD_CTX, EVP_MD_CTX_free>;

inline const unsigned char* bytes(kmodld::byte_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}
/// What failed is told by results here: nothing stays in OpenSSL's queue of errors.
struct error_queue {
  error_queue() = default;
  error_queue(const error_queue&) = delete;
  error_queue& operator=(const error_queue&) = delete;
  ~error_queue() { ERR_clear_error(); }
};

/// Without it OpenSSL would ask the terminal for the passphrase of what is encrypted.
inline int no_passphrase(char*, int, int, void*) { return -1; }

/// Reads from memory that must outlive it; null beyond 2 GiB.
inline bio reader(kmodld::byte_view view) {
  return bio(view.size() > INT_MAX ? nullptr
                                   : BIO_new_mem_buf(view.data(), static_cast<int>(view.size())));
}
/// The message that is all of `view`; null if it is something else.
inline message read_message(kmodld::byte_view view) {
  const unsigned char* next = bytes(view);
  message out(view.size() > LONG_MAX
                  ? nullptr
                  : d2i_CMS_ContentInfo(nullptr, &next, static_cast<long>(view.size())));
  return next == bytes(view) + view.size() ? std::move(out) : message();
}
inline std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0)
    return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}
inline std::string hexadecimal(const ASN1_STRING* value) {
  std::string out;
  const unsigned char* data = ASN1_STRING_get0_data(value);
  for (int i = 0; i < ASN1_STRING_length(value); ++i) {
    constexpr const char* digits = "0123456789ABCDEF";
    out += i == 0 ? "" : ":";
    out += {digits[data[i] >> 4], digits[data[i] & 15]};
  }
  return out;
}

} // namespace linux_like::openssl
