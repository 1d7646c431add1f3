// SPDX-License-Identifier: MIT
// RAID 5 and 6: parity by the definition (H. Peter Anvin, "The mathematics of RAID-6"), recovery of
// lost disks.
#include "support.hpp"

#include <cstring>
#include <memory>
#include <utility>

namespace linux_like::checks {
namespace {

using u8 = std::uint8_t;
constexpr std::size_t block = 4096;

/// Disks as the functions want them: page-aligned blocks, the last two are P and Q.
struct disks {
  struct alignas(4096) page {
    u8 bytes[block];
  };
  std::vector<std::unique_ptr<page>> pages;
  std::vector<void*> pointers;

  explicit disks(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      pages.push_back(std::make_unique<page>());
      const bytes content = noise(block, i + 1);
      std::memcpy(pages.back()->bytes, content.data(), block);
      pointers.push_back(pages.back()->bytes);
    }
  }
  std::span<u8> at(std::size_t i) { return pages[i]->bytes; }
  bytes copy(std::size_t i) { return {at(i).begin(), at(i).end()}; }
};

/// Product with x in GF(2^8) of x^8+x^4+x^3+x^2+1.
u8 twice(u8 a) { return static_cast<u8>(a << 1 ^ ((a & 0x80) != 0 ? 0x1d : 0)); }

/// struct raid6_calls of Linux.
struct raid6_calls {
  void (*gen_syndrome)(int disks, std::size_t bytes, void** pointers);
  void (*xor_syndrome)(int disks, int start, int stop, std::size_t bytes, void** pointers);
  int (*valid)();
  const char* name;
  int priority;
};

/// P and Q of the data disks first..last, by the definition.
std::pair<bytes, bytes> syndromes(disks& array, std::size_t first, std::size_t last) {
  bytes p(block), q(block);
  for (std::size_t i = last + 1; i-- > 0;)
    for (std::size_t k = 0; k < block; ++k) {
      const u8 data = i >= first ? array.at(i)[k] : u8{0};
      p[k] ^= data;
      q[k] = static_cast<u8>(twice(q[k]) ^ data);
    }
  return {p, q};
}

/// Every algorithm that the CPU has, not only the one that init found fastest.
void all_algorithms(verdict& result, const raid6_calls* const* algorithm) {
  for (; *algorithm != nullptr; ++algorithm) {
    if ((*algorithm)->valid != nullptr && (*algorithm)->valid() == 0)
      continue;
    const std::string name = (*algorithm)->name;
    disks array(8);
    (*algorithm)->gen_syndrome(8, block, array.pointers.data());
    const auto [p, q] = syndromes(array, 0, 5);
    result.equal(array.at(6), p, name + ": P");
    result.equal(array.at(7), q, name + ": Q");
    if ((*algorithm)->xor_syndrome == nullptr)
      continue;
    // Adding the share of disks 2 to 4 once more takes it away.
    (*algorithm)->xor_syndrome(8, 2, 4, block, array.pointers.data());
    const auto [p_share, q_share] = syndromes(array, 2, 4);
    for (std::size_t k = 0; k < block; ++k) {
      array.at(6)[k] ^= p_share[k];
      array.at(7)[k] ^= q_share[k];
    }
    result.equal(array.at(6), p, name + ": P after an update");
    result.equal(array.at(7), q, name + ": Q after an update");
  }
}

bool raid6(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto* chosen = static_cast<const raid6_calls*>(symbols.find("raid6_call"));
  using recover_two = void(int, std::size_t, int, int, void**);
  using recover_one = void(int, std::size_t, int, void**);
  const auto two = *static_cast<recover_two**>(symbols.find("raid6_2data_recov"));
  const auto one = *static_cast<recover_one**>(symbols.find("raid6_datap_recov"));
  result.that(chosen->gen_syndrome != nullptr && two != nullptr && one != nullptr,
              "init chose no algorithm");
  if (result.failed())
    return result.done();

  all_algorithms(result, static_cast<const raid6_calls* const*>(symbols.find("raid6_algos")));

  for (const int count : {4, 6, 10}) {
    const auto data = static_cast<std::size_t>(count) - 2;
    disks array(data + 2);
    chosen->gen_syndrome(count, block, array.pointers.data());
    const auto [p, q] = syndromes(array, 0, data - 1);
    result.equal(array.at(data), p, "P");
    result.equal(array.at(data + 1), q, "Q");

    for (std::size_t a = 0; a < data; ++a) {
      const bytes lost_a = array.copy(a);
      for (std::size_t b = a + 1; b < data; ++b) {
        const bytes lost_b = array.copy(b);
        std::memset(array.at(a).data(), 0xaa, block);
        std::memset(array.at(b).data(), 0x55, block);
        two(count, block, static_cast<int>(a), static_cast<int>(b), array.pointers.data());
        result.equal(array.at(a), lost_a, "first of two lost disks");
        result.equal(array.at(b), lost_b, "second of two lost disks");
      }
      std::memset(array.at(a).data(), 0xaa, block);
      std::memset(array.at(data).data(), 0x55, block);
      one(count, block, static_cast<int>(a), array.pointers.data());
      result.equal(array.at(a), lost_a, "lost data disk");
      result.equal(array.at(data), p, "lost P");
    }
  }
  const bool good = result.done();
  if (good)
    why += std::string(", algorithm ") + chosen->name;
  return good;
}

bool xor_module(const symbol_lookup& symbols, std::string& why) {
  verdict result(why);
  const auto xor_blocks = symbols.function<void(unsigned, unsigned, void*, void**)>("xor_blocks");
  for (unsigned sources = 1; sources <= 4; ++sources) {
    disks array(5);
    bytes expected = array.copy(0);
    for (std::size_t i = 1; i <= sources; ++i)
      for (std::size_t k = 0; k < block; ++k)
        expected[k] ^= array.at(i)[k];
    xor_blocks(sources, block, array.pointers[0], array.pointers.data() + 1);
    result.equal(array.at(0), expected, "sum of blocks");
  }
  return result.done();
}

} // namespace

std::span<const module_check> raid_checks() {
  static const std::vector<module_check> all{
      {"raid6_pq", {}, "definition of P and Q, recovery of every pair of disks", raid6},
      {"xor", {}, "sums made here", xor_module},
  };
  return all;
}

} // namespace linux_like::checks
