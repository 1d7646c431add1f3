// SPDX-License-Identifier: MIT
// Cyclic redundancy checks. Expected values: the `check` column (CRC of "123456789") of the
// Catalogue of parametrised CRC algorithms, and the command examples of the SD physical layer
// specification.
#include "support.hpp"

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u64 = std::uint64_t;

const bytes digits = from_text("123456789");

bool crc_itu_t(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<u16(u16, const u8*, std::size_t)>("crc_itu_t");
  result.equal(crc(0, digits.data(), digits.size()), 0x31c3, "CRC-16/XMODEM");
  result.equal(crc(0xffff, digits.data(), digits.size()), 0x29b1, "CRC-16/IBM-3740");
  result.equal(crc(crc(0, digits.data(), 4), digits.data() + 4, 5), 0x31c3,
               "CRC-16/XMODEM in two parts");
  result.equal(crc(0x1234, nullptr, 0), 0x1234, "no bytes");
  return result.done();
}

bool crc16(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<u16(u16, const u8*, std::size_t)>("crc16");
  result.equal(crc(0, digits.data(), digits.size()), 0xbb3d, "CRC-16/ARC");
  result.equal(crc(0xffff, digits.data(), digits.size()), 0x4b37, "CRC-16/MODBUS");
  return result.done();
}

bool crc7(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<u8(u8, const u8*, std::size_t)>("crc7_be");
  // The result is the CRC in the upper seven bits; cards get it with the end bit 1 below.
  result.equal(crc(0, digits.data(), digits.size()), 0x75 << 1, "CRC-7/MMC");
  result.equal(crc(0, from_hex("4000000000").data(), 5) | 1u, 0x95, "CMD0");
  result.equal(crc(0, from_hex("48000001aa").data(), 5) | 1u, 0x87, "CMD8");
  result.equal(crc(0, from_hex("5100000000").data(), 5) | 1u, 0x55, "CMD17");
  return result.done();
}

bool crc8(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto populate_msb = symbols.function<void(u8*, u8)>("crc8_populate_msb");
  const auto populate_lsb = symbols.function<void(u8*, u8)>("crc8_populate_lsb");
  const auto crc = symbols.function<u8(const u8*, const u8*, std::size_t, u8)>("crc8");
  bytes table(256);
  populate_msb(table.data(), 0x07);
  result.equal(crc(table.data(), digits.data(), digits.size(), 0), 0xf4, "CRC-8/SMBUS");
  result.equal(crc(table.data(), digits.data(), digits.size(), 0xff), 0xfb, "CRC-8/MIFARE-like");
  populate_lsb(table.data(), 0x8c);
  result.equal(crc(table.data(), digits.data(), digits.size(), 0), 0xa1, "CRC-8/MAXIM-DOW");
  return result.done();
}

bool crc64(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  using function = u64(u64, const void*, std::size_t);
  const auto ecma = symbols.function<function>("crc64_be");
  const auto nvme = symbols.function<function>("crc64_rocksoft_generic");
  result.equal(ecma(0, digits.data(), digits.size()), 0x6c40df5f0b497347, "CRC-64/ECMA-182");
  result.equal(nvme(0, digits.data(), digits.size()), 0xae8b14860a799888, "CRC-64/NVME");
  // Table A.2 of the NVM Express command set specification: 4 KiB of zeros, of ones.
  result.equal(nvme(0, bytes(4096).data(), 4096), 0x6482d367eb22b64e, "CRC-64/NVME of zeros");
  result.equal(nvme(0, bytes(4096, 0xff).data(), 4096), 0xc0ddba7302eca3ac, "CRC-64/NVME of ones");
  return result.done();
}

bool crc_t10dif(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<u16(u16, const u8*, std::size_t)>("crc_t10dif_generic");
  result.equal(crc(0, digits.data(), digits.size()), 0xd0db, "CRC-16/T10-DIF");
  return result.done();
}

bool crc32c(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<std::uint32_t(std::uint32_t, const void*, unsigned)>("crc32c");
  // The function inverts neither before nor after. RFC 3720 appendix B.4: zeros, ones, counting up.
  const auto of = [&](const bytes& data) {
    return ~crc(~0u, data.data(), static_cast<unsigned>(data.size()));
  };
  result.equal(of(digits), 0xe3069283, "CRC-32C");
  result.equal(of(bytes(32)), 0x8a9136aa, "32 zeros");
  result.equal(of(bytes(32, 0xff)), 0x62a8ab43, "32 ones");
  return result.done();
}

bool crc_t10dif_by_api(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto crc = symbols.function<u16(const u8*, std::size_t)>("crc_t10dif");
  result.equal(crc(digits.data(), digits.size()), 0xd0db, "CRC-16/T10-DIF");
  return result.done();
}

} // namespace

std::span<const module_check> crc_checks() {
  static const std::vector<module_check> all{
      {"crc-itu-t", {}, "catalogue of CRC algorithms", crc_itu_t},
      {"crc16", {}, "catalogue of CRC algorithms", crc16},
      {"crc7", {}, "catalogue of CRC algorithms, SD card commands", crc7},
      {"crc8", {}, "catalogue of CRC algorithms", crc8},
      {"crc64", {}, "catalogue of CRC algorithms, NVM Express", crc64},
      {"crct10dif_common", {}, "catalogue of CRC algorithms", crc_t10dif},
      {"libcrc32c", {"crc32c_generic"}, "catalogue of CRC algorithms, RFC 3720", crc32c},
      {"crc-t10dif",
       {"crct10dif_common", "crct10dif_generic"},
       "catalogue of CRC algorithms",
       crc_t10dif_by_api},
  };
  return all;
}

} // namespace linux_like::checks
