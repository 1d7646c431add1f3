// SPDX-License-Identifier: MIT
// Hash modules through what they register with the crypto interface, against the published digests.
#include "../env/registry.hpp"
#include "support.hpp"

#include <memory>

namespace linux_like::checks {
namespace {

struct hash_vector {
  const char* driver;
  bytes message, digest;
  bytes key = {};
};

/// Digests of one module, the message given at once and byte by byte.
bool digests(std::span<const hash_vector> vectors, std::string& why) {
  verdict result(why);
  const auto transform = std::make_unique<crypto_shash>();
  const auto description = std::make_unique<shash_description>();
  for (const hash_vector& vector : vectors) {
    const std::string name = vector.driver;
    const auto* algorithm =
        static_cast<const shash_algorithm*>(find_registration("shash", vector.driver));
    result.that(algorithm != nullptr, name + " is not registered");
    if (algorithm == nullptr)
      break;
    result.equal(algorithm->digest_size, vector.digest.size(), name + ": size of the digest");
    if (algorithm->state_size > sizeof description->state || result.failed())
      break;
    *transform = {};
    transform->state_size = algorithm->state_size;
    transform->base.algorithm = const_cast<crypto_algorithm*>(&algorithm->base);
    description->transform = transform.get();
    if (algorithm->set_key != nullptr && !vector.key.empty())
      algorithm->set_key(transform.get(), vector.key.data(),
                         static_cast<unsigned>(vector.key.size()));
    for (const std::size_t step : {vector.message.size(), std::size_t{1}}) {
      algorithm->init(description.get());
      for (std::size_t at = 0; at < vector.message.size(); at += step)
        algorithm->update(description.get(), vector.message.data() + at,
                          static_cast<unsigned>(step));
      bytes digest(vector.digest.size());
      algorithm->final(description.get(), digest.data());
      result.equal(digest, vector.digest, name);
    }
  }
  return result.done();
}

const bytes abc = from_text("abc");

bool md4(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"md4-generic", {}, from_hex("31d6cfe0d16ae931b73c59d7e0c089c0")},
      {"md4-generic", abc, from_hex("a448017aaf21d8525fc10ae87aa6729d")},
      {"md4-generic", from_text("abcdefghijklmnopqrstuvwxyz"),
       from_hex("d79e1c308aa5bbcdeea8ed63df412da9")}};
  return digests(vectors, why);
}

bool rmd160(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"rmd160-generic", {}, from_hex("9c1185a5c5e9fc54612808977ee8f548b2258d31")},
      {"rmd160-generic", abc, from_hex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")},
      {"rmd160-generic", from_text("message digest"),
       from_hex("5d0689ef49d2fae572b881b123a85ffa21595f36")}};
  return digests(vectors, why);
}

bool sha3(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"sha3-224-generic", abc,
       from_hex("e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf")},
      {"sha3-256-generic", abc,
       from_hex("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")},
      {"sha3-256-generic",
       {},
       from_hex("a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a")},
      {"sha3-512-generic", abc,
       from_hex("b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
                "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0")}};
  return digests(vectors, why);
}

bool sha512(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"sha384-generic", abc,
       from_hex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                "8086072ba1e7cc2358baeca134c825a7")},
      {"sha512-generic", abc,
       from_hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")}};
  return digests(vectors, why);
}

bool whirlpool(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"wp512-generic", abc,
       from_hex("4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c"
                "7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5")}};
  return digests(vectors, why);
}

bool blake2b(const symbol_lookup&, std::string& why) {
  static const hash_vector vectors[] = {
      {"blake2b-512-generic", abc,
       from_hex("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")}};
  return digests(vectors, why);
}

bool streebog(const symbol_lookup&, std::string& why) {
  static const bytes message =
      from_text("012345678901234567890123456789012345678901234567890123456789012");
  static const hash_vector vectors[] = {
      {"streebog256-generic", message,
       from_hex("9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500")},
      {"streebog512-generic", message,
       from_hex("1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
                "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48")}};
  return digests(vectors, why);
}

bool michael_mic(const symbol_lookup&, std::string& why) {
  // IEEE 802.11, annex with the test vectors for Michael.
  static const hash_vector vectors[] = {
      {"michael_mic-generic", {}, from_hex("82925c1ca1d130b8"), from_hex("0000000000000000")},
      {"michael_mic-generic", from_text("M"), from_hex("434721ca40639b3f"),
       from_hex("82925c1ca1d130b8")},
      {"michael_mic-generic", from_text("Mi"), from_hex("e8f9becae97e5d29"),
       from_hex("434721ca40639b3f")},
      {"michael_mic-generic", from_text("Michael"), from_hex("0a942b124ecaa546"),
       from_hex("d55e100510128986")}};
  return digests(vectors, why);
}

} // namespace

std::span<const module_check> hash_checks() {
  static const std::vector<module_check> all{
      {"md4", {}, "RFC 1320", md4},
      {"rmd160", {}, "the authors' RIPEMD-160 page", rmd160},
      {"sha3_generic", {}, "FIPS 202 examples", sha3},
      {"sha512_generic", {}, "FIPS 180 examples", sha512},
      {"wp512", {}, "ISO/IEC 10118-3", whirlpool},
      {"blake2b_generic", {}, "RFC 7693", blake2b},
      {"streebog_generic", {}, "RFC 6986", streebog},
      {"michael_mic", {}, "IEEE 802.11", michael_mic},
  };
  return all;
}

} // namespace linux_like::checks
