// SPDX-License-Identifier: MIT
// Error-correcting codes: check symbols of published code words, then damage and repair.
#include "support.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
constexpr unsigned gfp_kernel = 0xcc0;

/// `count` different positions below `limit`, repeatable.
std::vector<unsigned> positions(std::size_t count, unsigned limit, std::uint64_t seed) {
  std::set<unsigned> chosen;
  const bytes random = noise(16 * count, seed);
  for (std::size_t i = 0; chosen.size() < count && i + 1 < random.size(); i += 2)
    chosen.insert((random[i] * 256u + random[i + 1]) % limit);
  return {chosen.begin(), chosen.end()};
}

bool reed_solomon(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto make = symbols.function<void*(int, int, int, int, int, unsigned)>("init_rs_gfp");
  const auto drop = symbols.function<void(void*)>("free_rs");
  const auto encode = symbols.function<int(void*, u8*, int, u16*, u16)>("encode_rs8");
  const auto decode =
      symbols.function<int(void*, u8*, u16*, int, u16*, int, int*, u16, u16*)>("decode_rs8");

  // QR codes use this field (0x11d) and generator: ISO/IEC 18004, annex I, and the widespread HELLO
  // WORLD example.
  const struct {
    const char *data, *parity;
  } qr_codes[] = {{"10200c566180ec11ec11ec11ec11ec11", "a524d4c1ed36c7872c55"},
                  {"205b0b78d172dc4d4340ec11ec11ec11", "c4232777ebd7e7e25d17"}};
  void* qr = make(8, 0x11d, 0, 1, 10, gfp_kernel);
  for (const auto& code : qr_codes) {
    bytes data = from_hex(code.data);
    std::vector<u16> parity(10);
    encode(qr, data.data(), static_cast<int>(data.size()), parity.data(), 0);
    result.equal(bytes(parity.begin(), parity.end()), from_hex(code.parity), "QR code");
  }
  drop(qr);

  void* codec = make(8, 0x11d, 1, 1, 32, gfp_kernel);
  const bytes sent = noise(223, 5);
  std::vector<u16> parity(32);
  encode(codec, bytes(sent).data(), 223, parity.data(), 0);
  for (const std::size_t errors : {0u, 1u, 7u, 16u}) {
    bytes received = sent;
    std::vector<u16> received_parity = parity;
    for (const unsigned at : positions(errors, 255, 11 + errors))
      if (at < 223)
        received[at] ^= 0x5a;
      else
        received_parity[at - 223] ^= 0x33;
    const int corrected = decode(codec, received.data(), received_parity.data(), 223, nullptr, 0,
                                 nullptr, 0, nullptr);
    result.equal(static_cast<std::uint64_t>(corrected), errors, "symbols corrected");
    result.equal(received, sent, "repaired data");
  }
  // Known positions cost half: 32 erasures can be filled in.
  bytes received = sent;
  std::vector<u16> received_parity = parity;
  std::vector<int> erased;
  for (const unsigned at : positions(32, 223, 77)) {
    received[at] ^= 0xff;
    erased.push_back(static_cast<int>(at));
  }
  const int filled = decode(codec, received.data(), received_parity.data(), 223, nullptr, 32,
                            erased.data(), 0, nullptr);
  result.equal(static_cast<std::uint64_t>(filled), 32, "erasures filled");
  result.equal(received, sent, "data after erasures");

  // The same code words as 16-bit symbols.
  const auto decode_wide =
      symbols.function<int(void*, u16*, u16*, int, u16*, int, int*, u16, u16*)>("decode_rs16");
  std::vector<u16> wide(sent.begin(), sent.end());
  wide[3] ^= 0x80, wide[200] ^= 1;
  received_parity = parity;
  const int corrected =
      decode_wide(codec, wide.data(), received_parity.data(), 223, nullptr, 0, nullptr, 0, nullptr);
  result.equal(static_cast<std::uint64_t>(corrected), 2, "wide symbols corrected");
  result.equal(bytes(wide.begin(), wide.end()), sent, "repaired wide data");

  received = noise(223, 99);
  received_parity = parity;
  result.equal(static_cast<std::uint64_t>(-decode(codec, received.data(), received_parity.data(),
                                                  223, nullptr, 0, nullptr, 0, nullptr)),
               EBADMSG, "hopeless damage");
  drop(codec);
  return result.done();
}

bool bch(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto make = symbols.function<void*(int, int, unsigned, bool)>("bch_init");
  const auto drop = symbols.function<void(void*)>("bch_free");
  const auto encode = symbols.function<void(void*, const u8*, unsigned, u8*)>("bch_encode");
  const auto decode = symbols.function<int(void*, const u8*, unsigned, const u8*, const u8*,
                                           const unsigned*, unsigned*)>("bch_decode");

  // POCSAG (ITU-R M.584): 21 data bits, 10 of BCH(31,21), one of parity. Synchronisation and idle
  // code words.
  void* pocsag = make(5, 2, 0, false);
  result.that(pocsag != nullptr, "no BCH(31,21)");
  if (result.failed())
    return result.done();
  for (const std::uint32_t word : {0x7cd215d8u, 0x7a89c197u}) {
    const std::uint32_t data = word >> 11;
    const u8 packed[3] = {static_cast<u8>(data >> 16), static_cast<u8>(data >> 8),
                          static_cast<u8>(data)};
    u8 check[2] = {};
    encode(pocsag, packed, 3, check);
    result.equal((check[0] * 256u + check[1]) >> 6, word >> 1 & 0x3ff, "POCSAG code word");
  }
  drop(pocsag);

  // The size of NAND flash pages: 512 bytes, 8 errors.
  void* flash = make(13, 8, 0, false);
  result.that(flash != nullptr, "no code for 512 bytes");
  if (result.failed())
    return result.done();
  const bytes sent = noise(512, 21);
  bytes check(13);
  encode(flash, sent.data(), 512, check.data());
  for (const std::size_t errors : {0u, 1u, 2u, 3u, 4u, 5u, 8u}) {
    bytes received = sent;
    const std::vector<unsigned> flipped = positions(errors, 512 * 8, 31 + errors);
    for (const unsigned bit : flipped)
      received[bit / 8] = static_cast<u8>(received[bit / 8] ^ (1u << bit % 8));
    std::vector<unsigned> found(8);
    const int count =
        decode(flash, received.data(), 512, check.data(), nullptr, nullptr, found.data());
    result.equal(static_cast<std::uint64_t>(count), errors, "bits found");
    found.resize(errors);
    std::ranges::sort(found);
    result.that(found == flipped, "positions of flipped bits");
  }
  bytes hopeless = noise(512, 22);
  std::vector<unsigned> found(8);
  result.equal(static_cast<std::uint64_t>(-decode(flash, hopeless.data(), 512, check.data(),
                                                  nullptr, nullptr, found.data())),
               EBADMSG, "hopeless damage");
  drop(flash);
  return result.done();
}

} // namespace

std::span<const module_check> correction_checks() {
  static const std::vector<module_check> all{
      {"reed_solomon", {}, "QR codes of ISO/IEC 18004, repair of damage", reed_solomon},
      {"bch", {}, "POCSAG code words, repair of damage", bch},
  };
  return all;
}

} // namespace linux_like::checks
