// SPDX-License-Identifier: MIT
// What modules have registered with the kernel's crypto and text search interfaces.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace linux_like {

/// Layouts of Linux 6.1 (include/linux/crypto.h, include/crypto/hash.h,
/// include/linux/textsearch.h), x86_64, Debian's configuration, with the members that callers here
/// need; the rest is room.
struct crypto_tfm {
  std::uint32_t references, flags;
  int node;
  void (*exit)(crypto_tfm*);
  void* algorithm;
  alignas(8) std::uint8_t context[16384];
};

struct crypto_algorithm {
  void* lists[4];
  std::uint32_t flags, block_size, context_size, alignment_mask;
  std::uint32_t priority, references;
  char name[128], driver_name[128];
  void* type;
  std::uint32_t least_key, most_key;
  int (*set_key)(crypto_tfm*, const std::uint8_t* key, unsigned length);
  void (*encrypt)(crypto_tfm*, std::uint8_t* to, const std::uint8_t* from);
  void (*decrypt)(crypto_tfm*, std::uint8_t* to, const std::uint8_t* from);
  void *init, *exit, *destroy, *module;
};
static_assert(sizeof(crypto_algorithm) == 384);

struct crypto_shash {
  unsigned state_size;
  crypto_tfm base;
};

struct shash_description {
  crypto_shash* transform;
  alignas(8) std::uint8_t state[4096];
};

struct shash_algorithm {
  int (*init)(shash_description*);
  int (*update)(shash_description*, const std::uint8_t*, unsigned);
  int (*final)(shash_description*, std::uint8_t*);
  int (*finup)(shash_description*, const std::uint8_t*, unsigned, std::uint8_t*);
  int (*digest)(shash_description*, const std::uint8_t*, unsigned, std::uint8_t*);
  void *export_state, *import_state;
  int (*set_key)(crypto_shash*, const std::uint8_t*, unsigned);
  int (*init_transform)(crypto_shash*);
  void (*exit_transform)(crypto_shash*);
  unsigned state_size;
  alignas(8) unsigned digest_size;
  unsigned exported_size;
  crypto_algorithm base;
};
static_assert(sizeof(shash_algorithm) == 480);

struct text_search_state {
  unsigned offset;
  char private_data[48];
};

struct text_search;
struct text_search_operations {
  const char* name;
  text_search* (*init)(const void* pattern, unsigned length, unsigned allocation_flags, int flags);
  unsigned (*find)(text_search*, text_search_state*);
  void (*destroy)(text_search*);
  void* (*pattern)(text_search*);
  unsigned (*pattern_length)(text_search*);
  void* owner;
  void* list[2];
};

/// struct ts_config; the module allocates it with kmalloc and fills its private part behind it.
struct text_search {
  text_search_operations* operations;
  int flags;
  unsigned (*next_block)(unsigned consumed, const std::uint8_t** block, text_search*,
                         text_search_state*);
  void (*finish)(text_search*, text_search_state*);
};

/// struct nls_table: a character set; conversions return the bytes used or a negative errno.
struct character_set {
  const char* name;
  const char* alias;
  int (*from_unicode)(std::uint16_t character, std::uint8_t* to, int room);
  int (*to_unicode)(const std::uint8_t* from, int count, std::uint16_t* character);
  const std::uint8_t *lower, *upper;
  void* owner;
  character_set* next;
};

/// One registration. `kind` is "cipher", "shash", "textsearch", "nls", "skcipher" ...; `name` the
/// driver's name (crypto) or that of the algorithm or character set, both live as long as the
/// module.
struct registration {
  std::string_view kind, name;
  void* object;
};

std::span<const registration> registrations();
/// The object of a registration, null if there is none.
void* find_registration(std::string_view kind, std::string_view name);

} // namespace linux_like
