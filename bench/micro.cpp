// SPDX-License-Identifier: MIT
// Small parts by themselves, for work on one of them: `bench_micro --benchmark_filter=...`. Inputs
// are made up and warm; what counts against peers is measured by bench_paired.
#include <kmodld/arch/aarch64.hpp>
#include <kmodld/arch/riscv.hpp>
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/arena.hpp>
#include <kmodld/linux/address_list.hpp>
#include <kmodld/policy/symbol_table.hpp>
#include <kmodld/reloc.hpp>

#include <benchmark/benchmark.h>
#include <deque>
#include <random>
#include <string>
#include <vector>

using namespace kmodld;

namespace {

/// One section whose relocations repeat the types given, 8 bytes apart.
template <class Arch>
void relocation_loop(benchmark::State& state, std::vector<u32> const& types) {
  constexpr std::size_t count = 4096, symbols = count;
  std::vector<std::byte> bytes(count * 8);
  std::vector<u64> values(symbols);
  std::vector<typename Arch::relocation> all(count);
  u64 const place = 0xffffffff80000000;
  for (std::size_t i = 0; i < symbols; ++i)
    values[i] = place + i * 64;
  std::minstd_rand random{1};
  for (std::size_t i = 0; i < count; ++i) {
    all[i].r_offset = i * 8;
    all[i].r_info = u64{random() % symbols} << 32 | types[i % types.size()];
  }
  if constexpr (std::is_same_v<Arch, arch::riscv64>) // a low part names the place of its AUIPC
    for (std::size_t i = 1; i < count; ++i)
      if (types[i % types.size()] == Arch::pcrel_lo12_i) {
        values[i % symbols] = place + (i - 1) * 8;
        all[i].r_info = u64{i % symbols} << 32 | Arch::pcrel_lo12_i;
      }
  std::vector<std::byte> const original = bytes;
  for (auto _ : state) {
    state.PauseTiming();
    bytes = original; // x86-64 wants places that are zero
    state.ResumeTiming();
    error e;
    if (relocate<Arch>({bytes, {place}, original, all}, {values}, {}, e) != errc::ok)
      state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
void x86_64_loop(benchmark::State& s, std::vector<u32> const& types) {
  relocation_loop<arch::x86_64>(s, types);
}
BENCHMARK_CAPTURE(x86_64_loop, pc32, {2});
BENCHMARK_CAPTURE(x86_64_loop, pc32_plt32_32s, {2, 4, 2, 11});
BENCHMARK_CAPTURE(x86_64_loop, abs64, {1});
void aarch64_loop(benchmark::State& s, std::vector<u32> const& types) {
  relocation_loop<arch::aarch64>(s, types);
}
BENCHMARK_CAPTURE(aarch64_loop, call26, {283});
BENCHMARK_CAPTURE(aarch64_loop, adrp_add, {275, 277});
void riscv64_loop(benchmark::State& s, std::vector<u32> const& types) {
  relocation_loop<arch::riscv64>(s, types);
}
BENCHMARK_CAPTURE(riscv64_loop, hi20_lo12,
                  {arch::riscv64::pcrel_hi20, arch::riscv64::pcrel_lo12_i});

/// Names as kernels have them; each batch of look-ups takes other ones.
struct names {
  std::deque<std::string> all;
  explicit names(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i)
      all.push_back("subsystem_function_" + std::to_string(i * 7919));
  }
};
using table = symbol_table<hosted::arena>;

void look_up(benchmark::State& state, bool batched) {
  names const known{state.range(0)};
  hosted::arena memory;
  table symbols{memory};
  for (std::string const& name : known.all)
    symbols.add(name, {.value = {1}});
  constexpr std::size_t wanted = 64;
  std::vector<symbol_query> queries(wanted);
  std::minstd_rand random{1};
  for (auto _ : state) {
    state.PauseTiming();
    for (symbol_query& q : queries)
      q.name = known.all[random() % known.all.size()];
    state.ResumeTiming();
    if (batched)
      symbols.find_batch(queries.data(), queries.size());
    else
      for (symbol_query& q : queries)
        q.found = symbols.find(q.name, true, q.symbol);
    for (symbol_query const& q : queries)
      if (!q.found)
        state.SkipWithError("not found");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(wanted));
}
BENCHMARK_CAPTURE(look_up, one_by_one, false)->Range(1 << 10, 1 << 18);
BENCHMARK_CAPTURE(look_up, batched, true)->Range(1 << 10, 1 << 18);

/// Which module an address lies in.
void address_to_module(benchmark::State& state) {
  std::deque<address_node> nodes(static_cast<std::size_t>(state.range(0)));
  address_list list;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].first = {0x10000 + i * 0x3000};
    list.insert(nodes[i], 0);
  }
  std::minstd_rand random{1};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        list.last_not_after({0x10000 + random() % nodes.size() * 0x3000 + 0x123}));
}
BENCHMARK(address_to_module)->RangeMultiplier(10)->Range(1, 4000);

} // namespace

BENCHMARK_MAIN();
