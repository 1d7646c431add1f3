// SPDX-License-Identifier: MIT
// CORDIC against sine and cosine of libm, GF(2^128) products against the GCM specification.
#include "support.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

extern "C" void host_kfree_sensitive(void* block);

namespace linux_like::checks {
namespace {

struct point {
  std::int32_t cosine, sine; // 16.16 fixed point
};

bool cordic(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto calculate = symbols.function<point(std::int32_t)>("cordic_calc_iq");
  double worst = 0;
  for (int degrees = -360; degrees <= 720; ++degrees) {
    const point got = calculate(degrees);
    const double angle = degrees * std::numbers::pi / 180;
    const double off = std::max(std::abs(got.cosine / 65536.0 - std::cos(angle)),
                                std::abs(got.sine / 65536.0 - std::sin(angle)));
    worst = std::max(worst, off);
    result.that(off < 1e-3, std::to_string(degrees) + " degrees: off by " + std::to_string(off));
  }
  const bool good = result.done();
  if (good)
    why += ", worst difference " + std::to_string(worst);
  return good;
}

bool gf128mul(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  using element = std::uint8_t;
  const auto multiply = symbols.function<void(element*, const element*)>("gf128mul_lle");
  const auto make_table = symbols.function<void*(const element*)>("gf128mul_init_4k_lle");
  const auto by_table = symbols.function<void(element*, const void*)>("gf128mul_4k_lle");
  // McGrew, Viega: The Galois/Counter mode of operation, appendix B, test case 2: H, X1, GHASH.
  const bytes h = from_hex("66e94bd4ef8a2c3b884cfa59ca342b2e");
  const auto product = [&](bytes a) {
    multiply(a.data(), h.data());
    return a;
  };
  bytes x = product(from_hex("0388dace60b6a392f328c2b971b2fe78"));
  result.equal(x, from_hex("5e2ec746917062882c85b0685353deb7"), "X1");
  x[15] ^= 0x80; // the lengths: no additional data, 128 bits of text
  result.equal(product(x), from_hex("f38cbb1ad69223dcc3457ae5b6b0f885"), "GHASH");

  void* table = make_table(h.data());
  result.that(table != nullptr, "no table");
  if (result.failed())
    return result.done();
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    bytes a = noise(16, seed);
    const bytes expected = product(a);
    by_table(a.data(), table);
    result.equal(a, expected, "product by table");
  }
  host_kfree_sensitive(table);

  // The other bit order, against itself: products by bits, by 4 KiB and by 64 KiB tables agree,
  // and one times H is H.
  const auto multiply_bbe = symbols.function<void(element*, const element*)>("gf128mul_bbe");
  const auto make_64k = symbols.function<void*(const element*)>("gf128mul_init_64k_bbe");
  const auto by_64k = symbols.function<void(element*, const void*)>("gf128mul_64k_bbe");
  const auto free_64k = symbols.function<void(void*)>("gf128mul_free_64k");
  void* big = make_64k(h.data());
  bytes one(16);
  one[15] = 1;
  by_64k(one.data(), big);
  result.equal(one, h, "one times H");
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    bytes a = noise(16, seed), b = a;
    by_64k(a.data(), big);
    multiply_bbe(b.data(), h.data());
    result.equal(a, b, "product by 64 KiB");
  }
  free_64k(big);
  return result.done();
}

} // namespace

std::span<const module_check> arithmetic_checks() {
  static const std::vector<module_check> all{
      {"cordic", {}, "sin and cos of libm", cordic},
      {"gf128mul", {}, "GCM specification", gf128mul},
  };
  return all;
}

} // namespace linux_like::checks
