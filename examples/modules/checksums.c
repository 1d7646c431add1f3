// SPDX-License-Identifier: MIT
// Pure computation with published results, exported with CRCs of its own. Every function takes
// (bytes, length); the checksums_check_ functions take nothing and answer a published vector.
#include <kmodld/module.h>

typedef const unsigned char* bytes;
uint32_t checksums_adler32(bytes data, size_t length);
uint32_t checksums_check_adler32(void);
uint32_t checksums_check_crc32c(void);
uint32_t checksums_check_fnv1a32(void);
uint64_t checksums_check_fnv1a64(void);
uint32_t checksums_crc32c(bytes data, size_t length);
uint32_t checksums_fnv1a32(bytes data, size_t length);
uint64_t checksums_fnv1a64(bytes data, size_t length);

static uint32_t crc32c_table[256] __ro_after_init;

uint32_t checksums_crc32c(bytes data, size_t length) {
  uint32_t crc = 0xffffffff;
  while (length-- > 0)
    crc = (crc >> 8) ^ crc32c_table[(crc ^ *data++) & 0xff];
  return ~crc;
}
uint32_t checksums_adler32(bytes data, size_t length) {
  uint32_t a = 1, b = 0;
  while (length-- > 0) {
    a = (a + *data++) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}
uint32_t checksums_fnv1a32(bytes data, size_t length) {
  uint32_t hash = 0x811c9dc5;
  while (length-- > 0)
    hash = (hash ^ *data++) * 0x01000193;
  return hash;
}
uint64_t checksums_fnv1a64(bytes data, size_t length) {
  uint64_t hash = 0xcbf29ce484222325;
  while (length-- > 0)
    hash = (hash ^ *data++) * 0x100000001b3;
  return hash;
}

uint32_t checksums_check_crc32c(void) { return checksums_crc32c((bytes) "123456789", 9); }
uint32_t checksums_check_adler32(void) { return checksums_adler32((bytes) "Wikipedia", 9); }
uint32_t checksums_check_fnv1a32(void) { return checksums_fnv1a32((bytes) "foobar", 6); }
uint64_t checksums_check_fnv1a64(void) { return checksums_fnv1a64((bytes) "foobar", 6); }

EXPORT_SYMBOL_CRC(checksums_adler32, 0x0a0d1e32);
EXPORT_SYMBOL_CRC(checksums_check_adler32, 0x0a0d1e33);
EXPORT_SYMBOL_CRC(checksums_check_crc32c, 0xc3c3c3c3);
EXPORT_SYMBOL_CRC(checksums_check_fnv1a32, 0xf0f0f032);
EXPORT_SYMBOL_CRC(checksums_check_fnv1a64, 0xf0f0f064);
EXPORT_SYMBOL_CRC(checksums_crc32c, 0x82f63b78);
EXPORT_SYMBOL_GPL_CRC(checksums_fnv1a32, 0x01000193);
EXPORT_SYMBOL_GPL_CRC(checksums_fnv1a64, 0x000001b3);

static int __init checksums_init(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    crc32c_table[i] = crc;
  }
  return 0;
}
static void __exit checksums_exit(void) {}

module_init(checksums_init);
module_exit(checksums_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("CRC-32C, Adler-32 and FNV-1a");
