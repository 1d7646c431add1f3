// SPDX-License-Identifier: MIT
// Block cipher modules through what they register with the crypto interface, against published
// vectors.
#include "../env/registry.hpp"
#include "support.hpp"

#include <memory>

namespace linux_like::checks {
namespace {

struct cipher_vector {
  const char *key, *plain, *secret;
};

/// One block in both directions.
bool blocks(const char* driver, std::initializer_list<cipher_vector> vectors, std::string& why) {
  verdict result(why);
  const auto* algorithm = static_cast<const crypto_algorithm*>(find_registration("cipher", driver));
  result.that(algorithm != nullptr, std::string(driver) + " is not registered");
  if (algorithm == nullptr)
    return result.done();
  const auto transform = std::make_unique<crypto_tfm>();
  result.that(algorithm->context_size <= sizeof transform->context, "context too large");
  for (const cipher_vector& vector : vectors) {
    const bytes key = from_hex(vector.key);
    const bytes plain = from_hex(vector.plain);
    const bytes secret = from_hex(vector.secret);
    *transform = {};
    transform->algorithm = const_cast<crypto_algorithm*>(algorithm);
    const int refused =
        algorithm->set_key(transform.get(), key.data(), static_cast<unsigned>(key.size()));
    result.equal(static_cast<std::uint64_t>(refused), 0, "key");
    result.equal(algorithm->block_size, plain.size(), "size of a block");
    if (result.failed())
      break;
    bytes out(plain.size());
    algorithm->encrypt(transform.get(), out.data(), plain.data());
    result.equal(out, secret, "encryption");
    algorithm->decrypt(transform.get(), out.data(), secret.data());
    result.equal(out, plain, "decryption");
  }
  return result.done();
}

bool blowfish(const symbol_lookup&, std::string& why) {
  return blocks("blowfish-generic",
                {{"0000000000000000", "0000000000000000", "4ef997456198dd78"},
                 {"ffffffffffffffff", "ffffffffffffffff", "51866fd5b85ecb8a"},
                 {"0123456789abcdef", "1111111111111111", "61f9c3802281b096"}},
                why);
}

bool twofish(const symbol_lookup&, std::string& why) {
  const char* zeros = "00000000000000000000000000000000";
  return blocks("twofish-generic",
                {{zeros, zeros, "9f589f5cf6122c32b6bfec2f2ae8c35a"},
                 {"0123456789abcdeffedcba98765432100011223344556677", zeros,
                  "cfd1d2e5a9be9cdf501f13b892bd2248"},
                 {"0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff", zeros,
                  "37527be0052334b89f0cfccae87cfa20"}},
                why);
}

bool serpent(const symbol_lookup&, std::string& why) {
  return blocks("serpent-generic",
                {{"00000000000000000000000000000000", "d29d576fcea3a3a7ed9099f29273d78e",
                  "b2288b968ae8b08648d1ce9606fd992d"},
                 {"ffeeddccbbaa99887766554433221100", "1032547698badcfeefcdab8967452301",
                  "d5baa00a4bb9d8a7c981c8dc90d89d92"},
                 {"00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100",
                  "1032547698badcfeefcdab8967452301", "93df9a3cafe387bd999eebe393a17fca"}},
                why);
}

bool camellia(const symbol_lookup&, std::string& why) {
  const char* plain = "0123456789abcdeffedcba9876543210";
  return blocks("camellia-generic",
                {{"0123456789abcdeffedcba9876543210", plain, "67673138549669730857065648eabe43"},
                 {"0123456789abcdeffedcba98765432100011223344556677", plain,
                  "b4993401b3e996f84ee5cee7d79b09b9"},
                 {"0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff", plain,
                  "9acc237dff16d76c20ef7c919e3a7509"}},
                why);
}

bool cast5(const symbol_lookup&, std::string& why) {
  const char* plain = "0123456789abcdef";
  return blocks("cast5-generic",
                {{"0123456712345678234567893456789a", plain, "238b4fe5847e44b2"},
                 {"01234567123456782345", plain, "eb6a711a2c02271b"},
                 {"0123456712", plain, "7ac816d16e9b302e"}},
                why);
}

bool cast6(const symbol_lookup&, std::string& why) {
  const char* plain = "00000000000000000000000000000000";
  return blocks("cast6-generic",
                {{"2342bb9efa38542c0af75647f29f615d", plain, "c842a08972b43d20836c91d1b7530f6b"},
                 {"2342bb9efa38542cbed0ac83940ac298bac77a7717942863", plain,
                  "1b386c0210dcadcbdd0e41aa08a7a7e8"},
                 {"2342bb9efa38542cbed0ac83940ac2988d7c47ce264908461cc1b5137ae6b604", plain,
                  "4f6a2038286897b9c9870136553317fa"}},
                why);
}

bool des_generic(const symbol_lookup&, std::string& why) {
  return blocks("des-generic",
                {{"133457799bbcdff1", "0123456789abcdef", "85e813540f0ab405"},
                 {"0123456789abcdef", "4e6f772069732074", "3fa40e8a984d4815"}},
                why);
}

} // namespace

std::span<const module_check> block_cipher_checks() {
  static const std::vector<module_check> all{
      {"blowfish_generic", {"blowfish_common"}, "the author's vectors", blowfish},
      {"twofish_generic", {"twofish_common"}, "the authors' vectors", twofish},
      {"serpent_generic", {}, "the authors' vectors", serpent},
      {"camellia_generic", {}, "RFC 3713", camellia},
      {"cast5_generic", {"cast_common"}, "RFC 2144", cast5},
      {"cast6_generic", {"cast_common"}, "RFC 2612", cast6},
      {"des_generic", {"libdes"}, "FIPS 81 and the classic example", des_generic},
  };
  return all;
}

} // namespace linux_like::checks
