// SPDX-License-Identifier: MIT
// The commit.
#include "steps/support.hpp"

namespace kmodld::test {
TEST_CASE("free_copy: no scratch memory while init runs, and the image is not needed any more") {
  auto h = make_host();
  loaded(*h, base_module());
  byte_vector image = full_module();
  h->hooks.log->clear();
  u64 scratch = 1, before = 0;
  h->tracer.on_leave = [&](std::string_view step) {
    if (step == "mod_sysfs_setup")
      before = h->allocator.live_regions(memory_kind::scratch);
    if (step == "free_copy") {
      scratch = h->allocator.live_regions(memory_kind::scratch);
      std::fill(image.begin(), image.end(), std::byte{0xee});
    }
  };
  loaded(*h, image);
  CHECK(before > 0);
  CHECK(scratch == 0);
  CHECK(h->find("full")->version == "1.2");
  CHECK(h->unload("full"));
}

TEST_CASE("free_copy: its undo is the end of a failing init") {
  auto h = make_host();
  loaded(*h, base_module());
  h->tracer.fail_step = "trace_module_load";
  unsigned const grace = h->reclaimer.grace_periods;
  refused(*h, full_module(), errc::injected, "trace_module_load");
  CHECK(h->reclaimer.grace_periods >= grace + 2);
  CHECK(h->tracer.undone_actions.front() == "notifier GOING");
}

} // namespace kmodld::test
