// SPDX-License-Identifier: MIT
#include "keyring.hpp"

#include "openssl.hpp"

#include <algorithm>
#include <openssl/pem.h>

namespace linux_like {

void keyring::release::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

namespace {

using kmodld::byte_view;
using kmodld::errc;

/// A definite-length SEQUENCE at the beginning of `view`, with its header; 0 if there is none.
std::size_t sequence_size(byte_view view) {
  const auto at = [&](std::size_t i) { return std::to_integer<std::size_t>(view[i]); };
  if (view.size() < 4 || at(0) != 0x30)
    return 0;
  const std::size_t size = at(1) < 0x80    ? at(1) + 2
                           : at(1) == 0x81 ? at(2) + 3
                           : at(1) == 0x82 ? at(2) * 256 + at(3) + 4
                                           : 0;
  return size <= view.size() ? size : 0;
}

/// Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { ..., and its fields are well formed.
openssl::certificate certificate_at(byte_view view) {
  const std::size_t size = sequence_size(view);
  const std::size_t header = size < 0x80 ? 2 : size < 0x100 + 3 ? 3 : 4;
  if (size <= header || sequence_size(view.subspan(header, size - header)) == 0)
    return nullptr;
  const unsigned char* next = openssl::bytes(view);
  openssl::certificate out(d2i_X509(nullptr, &next, static_cast<long>(size)));
  return next == openssl::bytes(view) + size ? std::move(out) : nullptr;
}

/// The hash of the content that a signer took; null if no kernel knows it for modules.
const EVP_MD* digest_of(CMS_SignerInfo* signer) {
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest, nullptr);
  const int nid = OBJ_obj2nid(digest->algorithm);
  switch (nid) {
  case NID_sha1:
  case NID_sha224:
  case NID_sha256:
  case NID_sha384:
  case NID_sha512: return EVP_get_digestbynid(nid);
  default: return nullptr;
  }
}
/// The type of key that a signer's algorithm takes: EVP_PKEY_RSA, EVP_PKEY_EC or EVP_PKEY_NONE.
/// RSA has one name in such messages; that of a hash and RSA the kernel takes for unsupported.
int key_type_of(CMS_SignerInfo* signer) {
  X509_ALGOR* algorithm = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, nullptr, &algorithm);
  switch (OBJ_obj2nid(algorithm->algorithm)) {
  case NID_rsaEncryption: return EVP_PKEY_RSA;
  case NID_ecdsa_with_SHA1:
  case NID_ecdsa_with_SHA224:
  case NID_ecdsa_with_SHA256:
  case NID_ecdsa_with_SHA384:
  case NID_ecdsa_with_SHA512: return EVP_PKEY_EC;
  default: return EVP_PKEY_NONE;
  }
}

/// Whether the key made this signer's signature of the content.
bool signed_by(EVP_PKEY* key, CMS_SignerInfo* signer, const EVP_MD* digest, byte_view content) {
  const ASN1_OCTET_STRING* value = CMS_SignerInfo_get0_signature(signer);
  const openssl::digest_context context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), ASN1_STRING_get0_data(value),
                          static_cast<std::size_t>(ASN1_STRING_length(value)),
                          openssl::bytes(content), content.size()) == 1;
}

/// What the message says it signs, and in which way. One signer that is not understood is enough
/// for the kernel not to read the others.
errc form_of(CMS_ContentInfo* message) {
  if (OBJ_obj2nid(CMS_get0_type(message)) != NID_pkcs7_signed || CMS_is_detached(message) != 1)
    return errc::signature_block;
  const STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(message);
  if (sk_CMS_SignerInfo_num(signers) < 1)
    return errc::signature_block;
  if (OBJ_obj2nid(CMS_get0_eContentType(message)) != NID_pkcs7_data)
    return errc::signature_rejected;
  errc form = errc::ok;
  for (int i = 0; i < sk_CMS_SignerInfo_num(signers); ++i) {
    CMS_SignerInfo* signer = sk_CMS_SignerInfo_value(signers, i);
    if (CMS_signed_get_attr_count(signer) >= 0)
      return errc::signature_rejected;
    if (digest_of(signer) == nullptr || key_type_of(signer) == EVP_PKEY_NONE)
      form = errc::signature_unsupported;
  }
  return form;
}

} // namespace

std::vector<std::string> keyring::add(byte_view file) {
  const openssl::error_queue clean;
  std::vector<std::string> names;
  const auto keep = [&](openssl::certificate certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
    const int type = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC)
      return; // a key that no signature of a module is made with is none
    names.push_back(openssl::common_name(X509_get_subject_name(certificate.get())));
    certificates_.emplace_back(certificate.release());
  };
  if (const openssl::bio in = openssl::reader(file); in != nullptr)
    while (X509* one = PEM_read_bio_X509(in.get(), nullptr, openssl::no_passphrase, nullptr))
      keep(openssl::certificate(one));
  if (!names.empty())
    return names;
  for (auto at = file.begin(); (at = std::find(at, file.end(), std::byte{0x30})) != file.end();) {
    const byte_view rest(at, file.end());
    openssl::certificate one = certificate_at(rest);
    at += static_cast<std::ptrdiff_t>(one == nullptr ? 1 : sequence_size(rest));
    if (one != nullptr)
      keep(std::move(one));
  }
  return names;
}

errc keyring::verify(byte_view content, byte_view signature) noexcept {
  const openssl::error_queue clean;
  const openssl::message message = openssl::read_message(signature);
  if (message == nullptr)
    return errc::signature_block;
  if (const errc form = form_of(message.get()); form != errc::ok)
    return form;

  errc verdict = errc::signature_no_key;
  const STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(message.get());
  for (int i = 0; i < sk_CMS_SignerInfo_num(signers); ++i) {
    CMS_SignerInfo* signer = sk_CMS_SignerInfo_value(signers, i);
    for (const auto& certificate : certificates_) {
      if (CMS_SignerInfo_cert_cmp(signer, certificate.get()) != 0)
        continue;
      EVP_PKEY* key = X509_get0_pubkey(certificate.get());
      if (EVP_PKEY_get_base_id(key) != key_type_of(signer) ||
          !signed_by(key, signer, digest_of(signer), content))
        return errc::signature_rejected;
      verdict = errc::ok;
    }
  }
  return verdict;
}

signer_summary summary_of(byte_view signature) {
  const openssl::error_queue clean;
  const openssl::message message = openssl::read_message(signature);
  const STACK_OF(CMS_SignerInfo)* signers =
      message == nullptr ? nullptr : CMS_get0_SignerInfos(message.get());
  if (sk_CMS_SignerInfo_num(signers) < 1)
    return {};
  CMS_SignerInfo* first = sk_CMS_SignerInfo_value(signers, 0);
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_signer_id(first, &key_id, &issuer, &serial);
  CMS_SignerInfo_get0_algs(first, nullptr, nullptr, &digest, nullptr);
  char hash[64];
  const int length = OBJ_obj2txt(hash, sizeof hash, digest->algorithm, 0);
  return {.issuer = issuer == nullptr ? std::string() : openssl::common_name(issuer),
          .key = openssl::hexadecimal(serial != nullptr ? serial : key_id),
          .digest = length > 0 && length < static_cast<int>(sizeof hash) ? hash : "",
          .value = openssl::hexadecimal(CMS_SignerInfo_get0_signature(first))};
}

} // namespace linux_like
