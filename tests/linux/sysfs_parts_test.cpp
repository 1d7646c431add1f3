// SPDX-License-Identifier: MIT
#include <kmodld/linux/sysfs_parts.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

using namespace kmodld;
using elf::elf32_be;
using elf::elf64_le;

namespace {

/// A module whose parameters are added by hand; its memory ends where it was asked to.
template <class Format>
struct parametrised : module {
  using parts = kmodld::sysfs_parts<Format>;

  std::vector<std::byte> memory = std::vector<std::byte>(0x1000);
  std::size_t used = 0x800;

  parametrised() {
    memories[0] = {{{0x10000}, memory.data(), memory.size()}, memory_kind::core, 0, 0, 0};
    memory_count = 1;
    sections.kp = {{0x10000}, memory.data(), 0, sizeof(kernel_param_entry<Format>)};
  }
  parametrised& add(std::string_view name, u16 perm, u8 flags = 0) {
    kernel_param_entry<Format> e{};
    e.name = static_cast<typename Format::word_type>(0x10000 + used);
    e.ops = 0x1234;
    e.arg = 0x5678;
    e.perm = perm;
    e.level = 0xff;
    e.flags = flags;
    std::memcpy(memory.data() + used, name.data(), name.size());
    used += name.size() + 1;
    std::memcpy(memory.data() + sections.kp.count++ * sizeof e, &e, sizeof e);
    return *this;
  }
  int make() { return parts::create(sysfs_part::parameters, *this); }
  bool made() { return parts::has(*this, sysfs_part::parameters); }
};

} // namespace

TEST_CASE_TEMPLATE("sysfs_parts: an entry of __param, decoded", F, elf64_le, elf32_be) {
  parametrised<F> m;
  m.add("first", 0444).add("debug", 0100644, kernel_param::unsafe);
  kernel_param p = sysfs_parts<F>::parameter(m, 1);
  CHECK(p.name == "debug");
  CHECK(p.ops == address{0x1234});
  CHECK(p.arg == address{0x5678});
  CHECK(p.perm == 0644);
  CHECK(p.level == -1);
  CHECK(p.flags == kernel_param::unsafe);
}

TEST_CASE_TEMPLATE("sysfs_parts: parameters that can be files", F, elf64_le, elf32_be) {
  parametrised<F> none, hidden, same, longest;
  CHECK(none.make() == 0);
  CHECK(!none.made());
  hidden.add("p", 0).add("", 0).add("p", 0);
  CHECK(hidden.make() == 0);
  CHECK(!hidden.made());
  same.add("p", 0).add("p", 0444);
  CHECK(same.make() == 0);
  CHECK(same.made());
  longest.add(std::string(255, 'x'), 0444);
  CHECK(longest.make() == 0);
  CHECK(longest.made());
}

TEST_CASE_TEMPLATE("sysfs_parts: parameters that cannot", F, elf64_le, elf32_be) {
  parametrised<F> twice, nameless, longer, slash, small, many, cut, outside;
  CHECK(twice.add("p", 0444).add("q", 0).add("p", 0644).make() == e_exist);
  CHECK(nameless.add("", 0444).make() == e_inval);
  CHECK(longer.add(std::string(256, 'x'), 0444).make() == e_inval);
  CHECK(slash.add("a/b", 0444).make() == e_inval);
  small.add("p", 0444).sections.kp.entry_size = sizeof(kernel_param_entry<F>) - 1;
  CHECK(small.make() == e_inval);
  many.sections.kp.count = sysfs_parts<F>::max_files + 1;
  CHECK(many.make() == e_nomem);
  cut.add("p", 0444).memories[0].memory.size = 0x801;
  CHECK(cut.make() == e_inval);
  outside.add("p", 0444).memories[0].memory.size = 0x800;
  CHECK(outside.make() == e_inval);
  for (auto* m : {&twice, &nameless, &longer, &slash, &small, &many, &cut, &outside})
    CHECK(!m->made());
}

TEST_CASE("sysfs_parts: sections and notes") {
  using parts = sysfs_parts<elf64_le>;
  std::byte one{1};
  std::vector<section_attribute> list{{".text", {1}, {&one, 1}, false},
                                      {".note.a", {2}, {&one, 1}, true}};
  module m;
  CHECK(parts::create(sysfs_part::sections, m) == 0);
  CHECK(parts::has(m, sysfs_part::sections));
  CHECK(parts::create(sysfs_part::notes, m) == 0);
  CHECK(!parts::has(m, sysfs_part::notes));
  parts::remove(sysfs_part::sections, m);
  m.section_attributes = list;
  CHECK(parts::create(sysfs_part::notes, m) == 0);
  CHECK(!parts::has(m, sysfs_part::notes));
  CHECK(parts::create(sysfs_part::sections, m) == 0);
  CHECK(parts::create(sysfs_part::notes, m) == 0);
  CHECK(parts::has(m, sysfs_part::notes));
  parts::remove(sysfs_part::notes, m);
  CHECK(!parts::has(m, sysfs_part::notes));
  CHECK(parts::has(m, sysfs_part::sections));
  list[1].name = ".text";
  CHECK(parts::create(sysfs_part::sections, m) == e_exist);
}
