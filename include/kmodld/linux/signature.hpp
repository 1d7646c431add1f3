// SPDX-License-Identifier: MIT
// The trailer of a signed module: `image | PKCS#7 | info block | magic` (module_sig_check,
// mod_check_sig; written by sign-file). It only cuts the file up; a verifier policy checks it.
#pragma once

#include <kmodld/elf/types.hpp>
#include <kmodld/errc.hpp>
#include <kmodld/text.hpp>

namespace kmodld {

inline constexpr std::string_view signature_magic = "~Module signature appended~\n"sv;

/// The 12 bytes before the magic; every field but the last must be 0, id_type 2.
struct signature_info {
  u8 algo, hash, id_type, signer_len, key_id_len, pad[3];
  elf::field<u32, elf::byte_order::big> sig_len;

  static constexpr u8 id_pkcs7 = 2;
};
static_assert(sizeof(signature_info) == 12);

/// Views into the file. `content` is what the rest of the load may read.
struct signature_parts {
  byte_view content;     ///< what was signed, or what remains of the image if there is an error
  byte_view signature;   ///< DER of the PKCS#7 message; empty on every error
  byte_view after_magic; ///< the file without the magic; the whole file if it has none
};

/// Cuts the trailer off. The answer, and what `out.content` then is:
/// - ok: the module without trailer;
/// - signature_missing: no magic at the end (or nothing before it): the whole file;
/// - signature_block: no room for the block, or sig_len leaves no byte of module before the
///   signature: the file without its magic;
/// - signature_not_pkcs7: id_type is not 2: the file without its magic. Linux goes on with that
///   when signatures are not enforced, so that the block stays at the end of the image;
/// - signature_params: another byte of the block is not 0: the file without its magic.
inline errc split_signature(byte_view image, signature_parts& out) noexcept {
  out = {.content = image, .signature = {}, .after_magic = image};
  std::string_view text = as_text(image);
  if (text.size() <= signature_magic.size() ||
      !equal(tail(text, text.size() - signature_magic.size()), signature_magic))
    return errc::signature_missing;

  byte_view rest = image.first(image.size() - signature_magic.size());
  out.content = out.after_magic = rest;
  signature_info info;
  if (rest.size() <= sizeof info)
    return errc::signature_block;
  std::size_t before_info = rest.size() - sizeof info;
  __builtin_memcpy(&info, rest.data() + before_info, sizeof info);

  u32 length = info.sig_len;
  if (length >= before_info)
    return errc::signature_block;
  if (info.id_type != signature_info::id_pkcs7)
    return errc::signature_not_pkcs7;
  u8 others[] = {info.algo,   info.hash,   info.signer_len, info.key_id_len,
                 info.pad[0], info.pad[1], info.pad[2]};
  for (u8 byte : others)
    if (byte != 0)
      return errc::signature_params;

  out.content = rest.first(before_info - length);
  out.signature = rest.subspan(before_info - length, length);
  return errc::ok;
}

/// Verdicts by which a module only counts as unsigned, unless signatures are enforced
/// (module_sig_check); every other error refuses it in any case.
constexpr bool counts_as_unsigned(errc verdict) noexcept {
  return verdict == errc::signature_missing || verdict == errc::signature_not_pkcs7 ||
         verdict == errc::signature_unsupported || verdict == errc::signature_no_key;
}

} // namespace kmodld
