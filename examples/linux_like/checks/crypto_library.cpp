// SPDX-License-Identifier: MIT
// The kernel's crypto library against the vectors of the RFCs and of NIST.
#include "support.hpp"

#include <algorithm>
#include <cerrno>

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;

bool curve25519(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto multiply = symbols.function<void(u8*, const u8*, const u8*)>("curve25519_generic");
  const auto product = [&](const bytes& scalar, const bytes& point) {
    bytes out(32);
    multiply(out.data(), scalar.data(), point.data());
    return out;
  };
  const struct {
    const char *scalar, *point, *product;
  } vectors[] = {// RFC 7748 section 5.2
                 {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
                 {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
                 // section 6.1: the shared secret, from both sides
                 {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
                  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
                 {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"}};
  for (const auto& vector : vectors)
    result.equal(product(from_hex(vector.scalar), from_hex(vector.point)), from_hex(vector.product),
                 "product");

  bytes scalar(32), point(32);
  scalar[0] = point[0] = 9;
  for (int i = 1; i <= 1000; ++i) {
    bytes next = product(scalar, point);
    point = scalar;
    scalar = next;
    if (i == 1)
      result.equal(scalar,
                   from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
                   "one step");
  }
  result.equal(scalar, from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
               "1000 steps");
  return result.done();
}

bool chacha(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crypt =
      symbols.function<void(u32*, u8*, const u8*, unsigned, int)>("chacha_crypt_generic");
  // RFC 8439 section 2.4.2: key 00..1f, counter 1
  const auto state = [] {
    std::vector<u32> words{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (u32 i = 0; i < 8; ++i)
      words.push_back((4 * i + 3) << 24 | (4 * i + 2) << 16 | (4 * i + 1) << 8 | 4 * i);
    words.insert(words.end(), {1, 0, 0x4a000000, 0});
    return words;
  };
  const bytes plain = from_text(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
      "future, sunscreen would be it.");
  const bytes expected = from_hex("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
                                  "f91b65c5524733ab8f593dabcd62b357"
                                  "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e"
                                  "52bc514d16ccf806818ce91ab7793736"
                                  "5af90bbf74a35be6b40b8eedf2785e42874d");
  bytes out(plain.size());
  auto words = state();
  crypt(words.data(), out.data(), plain.data(), static_cast<unsigned>(plain.size()), 20);
  result.equal(out, expected, "encryption");
  words = state();
  crypt(words.data(), out.data(), out.data(), static_cast<unsigned>(out.size()), 20);
  result.equal(out, plain, "decryption in place");
  return result.done();
}

bool poly1305(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto init = symbols.function<void(void*, const u8*)>("poly1305_init_generic");
  const auto update = symbols.function<void(void*, const u8*, unsigned)>("poly1305_update_generic");
  const auto final = symbols.function<void(void*, u8*)>("poly1305_final_generic");
  const struct {
    bytes key, message;
    const char* tag;
  } vectors[] = {
      // RFC 8439 section 2.5.2, then vectors 7, 10 and 11 of appendix A.3
      {from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
       from_text("Cryptographic Forum Research Group"), "a8061dc1305136c6c22b8baf0c0127a9"},
      {from_hex("0200000000000000000000000000000000000000000000000000000000000000"),
       from_hex("ffffffffffffffffffffffffffffffff"), "03000000000000000000000000000000"},
      {from_hex("0100000000000000040000000000000000000000000000000000000000000000"),
       from_hex("e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000"
                "0000000000000000000000000000000001000000000000000000000000000000"),
       "14000000000000005500000000000000"},
      {from_hex("0100000000000000040000000000000000000000000000000000000000000000"),
       from_hex("e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000"
                "00000000000000000000000000000000"),
       "13000000000000000000000000000000"}};
  for (const auto& vector : vectors)
    for (const unsigned step : {1u, 5u, 16u, 64u}) {
      alignas(16) u8 state[1024];
      init(state, vector.key.data());
      for (unsigned at = 0; at < vector.message.size(); at += step)
        update(state, vector.message.data() + at,
               std::min(step, static_cast<unsigned>(vector.message.size()) - at));
      bytes tag(16);
      final(state, tag.data());
      result.equal(tag, from_hex(vector.tag), "tag");
    }
  return result.done();
}

bool arc4(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto set_key = symbols.function<int(void*, const u8*, unsigned)>("arc4_setkey");
  const auto crypt = symbols.function<void(void*, u8*, const u8*, unsigned)>("arc4_crypt");
  // RFC 6229: the key stream at offsets 0 and 4096
  const struct {
    const char *key, *at_0, *at_4096;
  } vectors[] = {{"0102030405", "b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919",
                  "ff25b58995996707e51fbdf08b34d875"},
                 {"0102030405060708090a0b0c0d0e0f10",
                  "9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c",
                  "a36a4c301ae8ac13610ccbc12256cacc"}};
  for (const auto& vector : vectors) {
    alignas(8) u8 state[2048];
    const bytes key = from_hex(vector.key);
    result.equal(
        static_cast<std::uint64_t>(set_key(state, key.data(), static_cast<unsigned>(key.size()))),
        0, "key");
    bytes stream(4096 + 16);
    crypt(state, stream.data(), stream.data(), static_cast<unsigned>(stream.size()));
    result.equal(std::span(stream).first(32), from_hex(vector.at_0), "offset 0");
    result.equal(std::span(stream).last(16), from_hex(vector.at_4096), "offset 4096");
  }
  return result.done();
}

bool des(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  using expand = int(void*, const u8*, unsigned);
  using crypt = void(const void*, u8*, const u8*);
  const auto round_trip = [&](const char* expand_name, const char* encrypt_name,
                              const char* decrypt_name, const char* key, const char* plain,
                              const char* secret) {
    alignas(8) u8 state[1024];
    const bytes key_bytes = from_hex(key);
    symbols.function<expand>(expand_name)(state, key_bytes.data(),
                                          static_cast<unsigned>(key_bytes.size()));
    bytes out(8);
    symbols.function<crypt>(encrypt_name)(state, out.data(), from_hex(plain).data());
    result.equal(out, from_hex(secret), encrypt_name);
    symbols.function<crypt>(decrypt_name)(state, out.data(), from_hex(secret).data());
    result.equal(out, from_hex(plain), decrypt_name);
  };
  const auto single = [&](const char* key, const char* plain, const char* secret) {
    round_trip("des_expand_key", "des_encrypt", "des_decrypt", key, plain, secret);
  };
  // NIST SP 800-17 appendix B (variable plaintext, variable key), and the classic worked example
  single("0101010101010101", "8000000000000000", "95f8a5e5dd31d900");
  single("0101010101010101", "4000000000000000", "dd7f121ca5015619");
  single("8001010101010101", "0000000000000000", "95a8d72813daa94d");
  single("133457799bbcdff1", "0123456789abcdef", "85e813540f0ab405");
  // NIST SP 800-67 appendix B
  const char* keys = "0123456789abcdef 23456789abcdef01 456789abcdef0123";
  const auto triple = [&](const char* plain, const char* secret) {
    round_trip("des3_ede_expand_key", "des3_ede_encrypt", "des3_ede_decrypt", keys, plain, secret);
  };
  triple("5468652071756663", "a826fd8ce53b855f");
  triple("6b2062726f776e20", "cce21c8112256fe6");
  triple("666f78206a756d70", "68d5c05dd9b6b900");
  alignas(8) u8 state[1024];
  const auto expand_key = symbols.function<expand>("des_expand_key");
  result.equal(
      static_cast<std::uint64_t>(-expand_key(state, from_hex("fefefefefefefefe").data(), 8)),
      ENOKEY, "weak key");
  result.equal(
      static_cast<std::uint64_t>(-expand_key(state, from_hex("133457799bbcdff1").data(), 7)),
      EINVAL, "short key");
  return result.done();
}

} // namespace

std::span<const module_check> crypto_library_checks() {
  static const std::vector<module_check> all{
      {"libcurve25519-generic", {}, "RFC 7748", curve25519},
      {"libchacha", {}, "RFC 8439", chacha},
      {"libpoly1305", {}, "RFC 8439", poly1305},
      {"libarc4", {}, "RFC 6229", arc4},
      {"libdes", {}, "NIST SP 800-17 and 800-67", des},
  };
  return all;
}

} // namespace linux_like::checks
