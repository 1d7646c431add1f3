// SPDX-License-Identifier: MIT
#include "sign.hpp"

#include "../refusal.hpp"
#include "openssl.hpp"

#include <kmodld/linux/signature.hpp>

#include <cerrno>
#include <openssl/pem.h>

namespace linux_like {
namespace {

[[noreturn]] void invalid(const char* what) { throw refusal(EINVAL, what); }

byte_vector signature_of(kmodld::byte_view module, EVP_PKEY* key, X509* certificate,
                         const EVP_MD* digest) {
  constexpr unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NOCERTS | CMS_NOATTR | CMS_NOSMIMECAP;
  const openssl::bio content = openssl::reader(module);
  const openssl::message message(CMS_sign(nullptr, nullptr, nullptr, nullptr, flags | CMS_PARTIAL));
  if (content == nullptr || message == nullptr ||
      CMS_add1_signer(message.get(), certificate, key, digest, flags) == nullptr ||
      CMS_final(message.get(), content.get(), nullptr, flags) != 1)
    invalid("the module cannot be signed with this key, certificate and digest");
  const int size = i2d_CMS_ContentInfo(message.get(), nullptr);
  if (size <= 0)
    throw refusal(ENOMEM);
  byte_vector out(static_cast<std::size_t>(size));
  auto* next = reinterpret_cast<unsigned char*>(out.data());
  i2d_CMS_ContentInfo(message.get(), &next);
  return out;
}

} // namespace

byte_vector sign_module(kmodld::byte_view module, kmodld::byte_view key,
                        kmodld::byte_view certificate, const std::string& digest) {
  const openssl::error_queue clean;
  kmodld::signature_parts parts;
  if (split_signature(module, parts) != kmodld::errc::signature_missing)
    throw refusal(EEXIST, "the module has a signature");
  const openssl::bio key_file = openssl::reader(key);
  const openssl::bio certificate_file = openssl::reader(certificate);
  const openssl::key private_key(
      PEM_read_bio_PrivateKey(key_file.get(), nullptr, openssl::no_passphrase, nullptr));
  if (private_key == nullptr)
    invalid("no private key in PEM without a passphrase");
  const openssl::certificate of_key(
      PEM_read_bio_X509(certificate_file.get(), nullptr, openssl::no_passphrase, nullptr));
  if (of_key == nullptr)
    invalid("no certificate in PEM");
  const EVP_MD* hash = EVP_get_digestbyname(digest.c_str());
  if (hash == nullptr)
    invalid("no such digest");

  const byte_vector signature = signature_of(module, private_key.get(), of_key.get(), hash);
  kmodld::signature_info info{};
  info.id_type = kmodld::signature_info::id_pkcs7;
  info.sig_len = static_cast<kmodld::u32>(signature.size());
  const auto header = std::as_bytes(std::span(&info, 1));
  const auto magic = std::as_bytes(std::span(kmodld::signature_magic));
  byte_vector out(module.begin(), module.end());
  out.insert(out.end(), signature.begin(), signature.end());
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), magic.begin(), magic.end());
  return out;
}

} // namespace linux_like
