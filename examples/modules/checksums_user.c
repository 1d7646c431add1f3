// SPDX-License-Identifier: MIT
// Uses exports that have CRCs, and states the right ones in __versions; -DWRONG_CRC states a wrong
// one, which a host with CRCs refuses ("disagrees about version of symbol checksums_crc32c").
#define KMODLD_DEPENDS "checksums"
#include <kmodld/module.h>

uint32_t checksums_crc32c(const unsigned char* data, size_t length);
uint32_t checksums_fnv1a32(const unsigned char* data, size_t length);
#ifdef WRONG_CRC
KMODLD_IMPORT_CRC(checksums_crc32c, 0x82f63b79);
#else
KMODLD_IMPORT_CRC(checksums_crc32c, 0x82f63b78);
#endif
KMODLD_IMPORT_CRC(checksums_fnv1a32, 0x01000193);

// CRC-32C of "123456789" xor FNV-1a-32 of "foobar": 0x5c9a6beb.
uint32_t checksums_user_mix(void);
uint32_t checksums_user_mix(void) {
  return checksums_crc32c((const unsigned char*)"123456789", 9) ^
         checksums_fnv1a32((const unsigned char*)"foobar", 6);
}

static int __init checksums_user_init(void) { return 0; }
static void __exit checksums_user_exit(void) {}

module_init(checksums_user_init);
module_exit(checksums_user_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Imports by CRC");
