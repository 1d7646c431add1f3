// SPDX-License-Identifier: MIT
// SHA-256 as the ground truth has it: the first 32 hex digits.
#pragma once

#include <kmodld/text.hpp>

#include <openssl/evp.h>

#include <stdexcept>
#include <string>

namespace kmodld::test {

inline std::string sha256_prefix(byte_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 failed");
  std::string out;
  for (std::size_t i = 0; i < 16; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 15];
  }
  return out;
}

} // namespace kmodld::test
