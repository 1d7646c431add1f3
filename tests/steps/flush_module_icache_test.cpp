// SPDX-License-Identifier: MIT
// Instruction caches: init first, then core.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("flush_module_icache: every region with memory, newest first, before protection") {
  for (kernel k : {kernel::v6_1, kernel::v6_12}) {
    auto h = make_host(k);
    loaded(*h, base_module());
    h->protector.flushed.clear();
    std::vector<u64> regions;
    std::size_t batches = 0;
    after(*h, "flush_module_icache", [&](module& m) {
      for (module_memory const& part : m.all_memories())
        if (part.memory.size != 0)
          regions.insert(regions.begin(), part.memory.target.value);
      batches = h->protector.batches.size();
    });
    h->protector.batches.clear();
    loaded(*h, full_module());
    REQUIRE(h->protector.flushed.size() == regions.size());
    for (std::size_t i = 0; i < regions.size(); ++i)
      CHECK(h->protector.flushed[i].target.value == regions[i]);
    CHECK(batches == 0);
    CHECK(regions.size() == (k == kernel::v6_1 ? 2 : 7));
  }
}

} // namespace kmodld::test
