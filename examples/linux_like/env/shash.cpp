// SPDX-License-Identifier: MIT
// The hash interface of the crypto API for modules that use what other modules registered.
#include "registry.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>

extern "C" void* host___kmalloc(std::size_t bytes, unsigned flags);
extern "C" void host_kfree(void* block);

namespace {

using namespace linux_like;
using u8 = std::uint8_t;

/// The registered hash called `name` with the highest priority.
shash_algorithm* best(const char* name) {
  shash_algorithm* chosen = nullptr;
  for (const registration& one : registrations()) {
    if (one.kind != "shash")
      continue;
    auto* candidate = static_cast<shash_algorithm*>(one.object);
    const bool named = std::strcmp(candidate->base.name, name) == 0 || one.name == name;
    if (named && (chosen == nullptr || candidate->base.priority > chosen->base.priority))
      chosen = candidate;
  }
  return chosen;
}

const shash_algorithm* algorithm_of(const crypto_shash* hash) {
  const auto* base = static_cast<const std::byte*>(hash->base.algorithm);
  return reinterpret_cast<const shash_algorithm*>(base - offsetof(shash_algorithm, base));
}

} // namespace

extern "C" {

void* host_crypto_alloc_shash(const char* name, std::uint32_t, std::uint32_t) {
  shash_algorithm* algorithm = best(name);
  if (algorithm == nullptr)
    return reinterpret_cast<void*>(-std::intptr_t{ENOENT});
  void* room = host___kmalloc(sizeof(crypto_shash), 0);
  auto* made = new (room) crypto_shash{};
  made->state_size = algorithm->state_size;
  made->base.algorithm = &algorithm->base;
  const int failed = algorithm->init_transform == nullptr ? 0 : algorithm->init_transform(made);
  if (failed == 0)
    return made;
  host_kfree(made);
  return reinterpret_cast<void*>(std::intptr_t{failed});
}

void host_crypto_destroy_tfm(void* whole, crypto_tfm*) {
  if (reinterpret_cast<std::uintptr_t>(whole) < ~std::uintptr_t{4094})
    host_kfree(whole);
}

int host_crypto_shash_setkey(crypto_shash* hash, const u8* key, unsigned length) {
  const auto set = algorithm_of(hash)->set_key;
  return set == nullptr ? -ENOSYS : set(hash, key, length);
}
int host_crypto_shash_update(shash_description* of, const u8* data, unsigned length) {
  return algorithm_of(of->transform)->update(of, data, length);
}
int host_crypto_shash_final(shash_description* of, u8* digest) {
  return algorithm_of(of->transform)->final(of, digest);
}
int host_crypto_shash_finup(shash_description* of, const u8* data, unsigned length, u8* digest) {
  const int failed = host_crypto_shash_update(of, data, length);
  return failed != 0 ? failed : host_crypto_shash_final(of, digest);
}
int host_crypto_shash_digest(shash_description* of, const u8* data, unsigned length, u8* digest) {
  const int failed = algorithm_of(of->transform)->init(of);
  return failed != 0 ? failed : host_crypto_shash_finup(of, data, length, digest);
}

int host_crypto_register_notifier(void*) { return 0; }
int host_crypto_unregister_notifier(void*) { return 0; }

} // extern "C"
