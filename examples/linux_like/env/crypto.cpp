// SPDX-License-Identifier: MIT
// The crypto, text search and character set interfaces: registrations are noted for whoever wants
// to call the algorithms. And the helpers of crypto/ and lib/crypto that Linux has built in
// (ChaCha: RFC 8439 section 2.3, HChaCha: its XChaCha draft).
#include "registry.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace {

using namespace linux_like;
using u8 = std::uint8_t;
using u32 = std::uint32_t;

std::vector<registration>& all() {
  static std::vector<registration> registered;
  return registered;
}

int add(std::string_view kind, std::string_view name, void* object) {
  if (find_registration(kind, name) != nullptr)
    return -EEXIST;
  all().push_back({kind, name, object});
  return 0;
}

int remove(void* object) {
  return std::erase_if(all(), [object](const registration& r) { return r.object == object; }) != 0
             ? 0
             : -ENOENT;
}

/// For kinds whose structure is not looked into: no name.
int add_opaque(std::string_view kind, void* object) {
  all().push_back({kind, "", object});
  return 0;
}

template <class T>
int add_array(T* algorithms, int count, int (*add_one)(T*), void (*remove_one)(T*)) {
  for (int i = 0; i < count; ++i)
    if (const int failed = add_one(algorithms + i); failed != 0) {
      while (i-- > 0)
        remove_one(algorithms + i);
      return failed;
    }
  return 0;
}

void chacha_permute(u32 (&x)[16], int rounds) {
  const auto quarter = [&x](int a, int b, int c, int d) {
    x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = std::rotl(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = std::rotl(x[b] ^ x[c], 7);
  };
  for (; rounds > 0; rounds -= 2) {
    for (int i = 0; i < 4; ++i)
      quarter(i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i)
      quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
}

} // namespace

namespace linux_like {

std::span<const registration> registrations() { return all(); }

void* find_registration(std::string_view kind, std::string_view name) {
  for (const registration& one : all())
    if (one.kind == kind && one.name == name)
      return one.object;
  return nullptr;
}

} // namespace linux_like

extern "C" {

int host_crypto_register_alg(crypto_algorithm* one) { return add("cipher", one->driver_name, one); }
void host_crypto_unregister_alg(crypto_algorithm* one) { remove(one); }
int host_crypto_register_algs(crypto_algorithm* first, int count) {
  return add_array(first, count, host_crypto_register_alg, host_crypto_unregister_alg);
}
void host_crypto_unregister_algs(crypto_algorithm* first, int count) {
  std::for_each_n(first, count, [](auto& one) { remove(&one); });
}

int host_crypto_register_shash(shash_algorithm* one) {
  return add("shash", one->base.driver_name, one);
}
void host_crypto_unregister_shash(shash_algorithm* one) { remove(one); }
int host_crypto_register_shashes(shash_algorithm* first, int count) {
  return add_array(first, count, host_crypto_register_shash, host_crypto_unregister_shash);
}
void host_crypto_unregister_shashes(shash_algorithm* first, int count) {
  std::for_each_n(first, count, [](auto& one) { remove(&one); });
}

int host_crypto_register_skcipher(void* one) { return add_opaque("skcipher", one); }
int host_crypto_register_skciphers(void* first, int) { return add_opaque("skcipher", first); }
int host_crypto_register_scomp(void* one) { return add_opaque("scomp", one); }
int host_crypto_register_kpp(void* one) { return add_opaque("kpp", one); }
int host_crypto_register_rng(void* one) { return add_opaque("rng", one); }
int host_crypto_register_rngs(void* first, int) { return add_opaque("rng", first); }
int host_crypto_register_template(void* one) { return add_opaque("template", one); }
void host_crypto_unregister_skcipher(void* one) { remove(one); }
void host_crypto_unregister_skciphers(void* first, int) { remove(first); }
void host_crypto_unregister_scomp(void* one) { remove(one); }
void host_crypto_unregister_kpp(void* one) { remove(one); }
void host_crypto_unregister_rng(void* one) { remove(one); }
void host_crypto_unregister_rngs(void* first, int) { remove(first); }
void host_crypto_unregister_template(void* one) { remove(one); }

int host_textsearch_register(text_search_operations* one) {
  return add("textsearch", one->name, one);
}
int host_textsearch_unregister(text_search_operations* one) { return remove(one); }

int host___register_nls(character_set* one, void*) { return add("nls", one->name, one); }
int host_unregister_nls(character_set* one) { return remove(one); }
void* host_load_nls(const char* name) { return find_registration("nls", name); }
void host_unload_nls(character_set*) {}

void host___crypto_xor(u8* to, const u8* a, const u8* b, unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    to[i] = static_cast<u8>(a[i] ^ b[i]);
}
std::size_t host___crypto_memneq(const u8* a, const u8* b, std::size_t count) {
  u8 difference = 0;
  for (std::size_t i = 0; i < count; ++i)
    difference = static_cast<u8>(difference | (a[i] ^ b[i]));
  return difference;
}
void host_crypto_inc(u8* number, unsigned count) {
  while (count-- > 0 && ++number[count] == 0) {
  }
}

void host_chacha_block_generic(u32* state, u8* stream, int rounds) {
  u32 x[16];
  std::copy_n(state, 16, x);
  chacha_permute(x, rounds);
  for (int i = 0; i < 16; ++i)
    x[i] += state[i];
  std::memcpy(stream, x, sizeof x);
  ++state[12];
}
void host_hchacha_block_generic(const u32* state, u32* out, int rounds) {
  u32 x[16];
  std::copy_n(state, 16, x);
  chacha_permute(x, rounds);
  std::copy_n(x, 4, out);
  std::copy_n(x + 12, 4, out + 4);
}

} // extern "C"
