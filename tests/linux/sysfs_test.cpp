// SPDX-License-Identifier: MIT
#include <kmodld/linux/sysfs.hpp>
#include <kmodld/linux/taint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

using namespace kmodld;
using elf::elf32_be;
using elf::elf64_le;

namespace {

/// Parameters as text, by their address.
struct text_parameters {
  std::string value = "7";
  std::string trace;

  int set(module&, kernel_param const& p, std::string_view text) noexcept {
    trace += "set " + std::string{p.name} + "; ";
    if (text == "bad\n")
      return e_inval;
    value = text;
    return 0;
  }
  int get(module&, kernel_param const& p, std::span<char> out) noexcept {
    if (p.name == "secret")
      return -e_perm;
    std::string text = value + "\n";
    std::memcpy(out.data(), text.data(), std::min(text.size(), out.size()));
    return static_cast<int>(text.size());
  }
  bool no_argument(module&, kernel_param const&) noexcept { return false; }
  void free(module&, kernel_param const&) noexcept {}
};

struct host : sysfs_host {
  bool is_ready = true, show = true, locked = false;
  std::string trace;

  bool ready() noexcept { return is_ready; }
  bool taken(std::string_view name) noexcept { return name == "printk"; }
  bool show_addresses() noexcept { return show; }
  bool locked_down() noexcept { return locked; }
  void dangerous(module&, kernel_param const& p) noexcept {
    trace += "dangerous " + std::string{p.name} + "; ";
  }
  void uevent(module& m, std::string_view action, std::string_view arguments) noexcept {
    trace +=
        std::string{action} + "@" + std::string{m.name()} + " " + std::string{arguments} + "; ";
  }
};

/// A module with memory, to which parameters and sections are added by hand.
template <class Format>
struct shown : module {
  static constexpr u64 base = Format::bits == 64 ? 0xffffffffc0201000 : 0xbf001000;
  std::vector<std::byte> memory = std::vector<std::byte>(0x1000);
  std::vector<section_attribute> attributes;
  std::size_t used = 0x800;

  explicit shown(std::string_view name) {
    copy_text(name_text, name);
    state = module_state::live;
    refcnt = 1;
    memories[0] = {{{base}, memory.data(), memory.size()}, memory_kind::core, 0, 0, 0};
    memories[1] = {{{base + 0x8000}, nullptr, 0x2000}, memory_kind::init, 0, 0, 0};
    memory_count = 2;
    sections.kp = {{base}, memory.data(), 0, sizeof(kernel_param_entry<Format>)};
  }
  u64 text(std::string_view s) {
    std::size_t at = used;
    std::memcpy(memory.data() + at, s.data(), s.size());
    used += s.size() + 1;
    return base + at;
  }
  shown& parameter(std::string_view name, u16 perm, u8 flags = 0) {
    kernel_param_entry<Format> e{};
    e.name = static_cast<typename Format::word_type>(text(name));
    e.perm = perm;
    e.flags = flags;
    std::memcpy(memory.data() + sections.kp.count++ * sizeof e, &e, sizeof e);
    return *this;
  }
  shown& section(std::string_view name, u64 at, std::string_view bytes = "x", bool note = false) {
    attributes.push_back({name, {at}, std::as_bytes(std::span{bytes}), note});
    section_attributes = attributes;
    return *this;
  }
};

template <class Format = elf64_le>
struct world {
  module_list modules;
  text_parameters parameters;
  host machine;
  sysfs_tree<Format, text_parameters, host> tree{modules, parameters, machine};

  int show(module& m) {
    modules.push_front(m);
    sysfs_part failed{};
    return create_all(tree, m, failed);
  }
  std::string ls(std::string_view path) {
    std::string all;
    int error = tree.list(path, [&](sysfs_entry const& e) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%03o", unsigned{e.mode});
      all += std::string{"-d@"}[e.kind == sysfs_entry::file   ? 0
                                : e.kind == sysfs_entry::link ? 2
                                                              : 1];
      all += mode + (" " + std::string{e.name}) + "\n";
    });
    return error != 0 ? std::to_string(error) : all;
  }
  std::string cat(std::string_view path, u64 offset = 0, std::size_t room = 4096) {
    std::vector<char> out(room);
    i64 n = tree.read(path, offset, out);
    return n < 0 ? std::to_string(n) : std::string{out.data(), static_cast<std::size_t>(n)};
  }
};

} // namespace

TEST_CASE("sysfs: a module's directory") {
  world<> w;
  static_assert(introspection_policy<decltype(w.tree)>);
  shown<elf64_le> m{"dummy"};
  CHECK(w.show(m) == 0);
  CHECK(w.ls("/sys/module") == "d755 dummy\n");
  CHECK(w.ls("/sys/module/dummy") == "-200 uevent\n-444 initstate\n-444 coresize\n-444 initsize\n"
                                     "-444 taint\n-444 refcnt\nd755 holders\nd755 sections\n");
  m.version = "1.0";
  m.srcversion = "A1B2";
  CHECK(w.ls("/sys/module//dummy/") ==
        "-200 uevent\n-444 version\n-444 srcversion\n-444 initstate\n-444 coresize\n"
        "-444 initsize\n-444 taint\n-444 refcnt\nd755 holders\nd755 sections\n");
  CHECK(w.cat("/sys/module/dummy/version") == "1.0\n");
  CHECK(w.cat("/sys/module/dummy/srcversion") == "A1B2\n");
  CHECK(w.cat("/sys/module/dummy/initstate") == "live\n");
  CHECK(w.cat("/sys/module/dummy/coresize") == "4096\n");
  CHECK(w.cat("/sys/module/dummy/initsize") == "8192\n");
  CHECK(w.cat("/sys/module/dummy/taint") == "\n");
  CHECK(w.cat("/sys/module/dummy/refcnt") == "0\n");
  m.state = module_state::coming;
  m.refcnt = 3;
  m.taints = taint_out_of_tree | taint_unsigned;
  m.memories[1].memory.size = 0;
  CHECK(w.cat("/sys/module/dummy/initstate") == "coming\n");
  CHECK(w.cat("/sys/module/dummy/refcnt") == "2\n");
  CHECK(w.cat("/sys/module/dummy/taint") == "OE\n");
  CHECK(w.cat("/sys/module/dummy/initsize") == "0\n");
  m.state = module_state::going;
  m.refcnt = 0;
  CHECK(w.cat("/sys/module/dummy/initstate") == "going\n");
  CHECK(w.cat("/sys/module/dummy/refcnt") == "-1\n");
}

TEST_CASE("sysfs: paths that name nothing, and what is asked of the wrong kind") {
  world<> w;
  shown<elf64_le> m{"m"};
  m.parameter("p", 0644);
  CHECK(w.show(m) == 0);
  for (std::string_view path : {"", "/", "/sys", "/sys/modules", "/sys/module/n", "/sys/module/m/x",
                                "/sys/module/m/parameters/q", "sys/module", "/sys/module/m/notes"})
    CHECK(w.ls(path) == "-2");
  CHECK(w.ls("/sys/module/m/refcnt") == "-20");
  CHECK(w.ls("/sys/module/m/refcnt/x") == "-20");
  CHECK(w.cat("/sys/module/m") == "-21");
  CHECK(w.cat("/sys/module/m/uevent") == "-13");
  CHECK(w.cat("/sys/module/./m/./refcnt") == "0\n");
  CHECK(w.tree.write("/sys/module/m/refcnt", "1") == -13);
  CHECK(w.tree.write("/sys/module/m", "1") == -21);
  CHECK(w.tree.write("/sys/module/x", "1") == -e_noent);
  CHECK(w.tree.read_link("/sys/module/m", {}) == -e_inval);
  sysfs_entry e;
  CHECK(w.tree.stat("/sys/module/m/refcnt", e) == 0);
  CHECK(e.kind == sysfs_entry::file);
  CHECK(e.size == 4096);
  CHECK(w.tree.stat("/sys/module/m/none", e) == -e_noent);
}

TEST_CASE("sysfs: reading from the middle and into little room") {
  world<> w;
  shown<elf64_le> m{"m"};
  CHECK(w.show(m) == 0);
  CHECK(w.cat("/sys/module/m/coresize", 1) == "096\n");
  CHECK(w.cat("/sys/module/m/coresize", 4) == "\n");
  CHECK(w.cat("/sys/module/m/coresize", 5).empty());
  CHECK(w.cat("/sys/module/m/coresize", ~u64{0}).empty());
  CHECK(w.cat("/sys/module/m/coresize", 1, 2) == "09");
  CHECK(w.cat("/sys/module/m/coresize", 0, 0).empty());
}

TEST_CASE_TEMPLATE("sysfs: parameters", F, elf64_le, elf32_be) {
  world<F> w;
  shown<F> m{"m"}, none{"none"};
  m.parameter("debug", 0644).parameter("hidden", 0).parameter("mode", 0444);
  m.parameter("secret", 0600).parameter("trigger", 0200).parameter("poke", 0600, 1);
  m.parameter("io", 0644, kernel_param::hardware);
  none.parameter("hidden", 0);
  CHECK(w.show(m) == 0);
  CHECK(w.show(none) == 0);
  CHECK(w.ls("/sys/module/m/parameters") == "-644 debug\n-444 mode\n-600 secret\n-200 trigger\n"
                                            "-600 poke\n-644 io\n");
  CHECK(w.ls("/sys/module/none/parameters") == "-2");
  CHECK(w.cat("/sys/module/m/parameters/debug") == "7\n");
  CHECK(w.cat("/sys/module/m/parameters/debug", 0, 1) == "7");
  CHECK(w.cat("/sys/module/m/parameters/debug", 2).empty());
  CHECK(w.cat("/sys/module/m/parameters/secret") == "-1");
  CHECK(w.cat("/sys/module/m/parameters/trigger") == "-13");
  CHECK(w.cat("/sys/module/m/parameters/hidden") == "-2");

  CHECK(w.tree.write("/sys/module/m/parameters/debug", "12\n") == 3);
  CHECK(w.parameters.value == "12\n");
  CHECK(w.tree.write("/sys/module/m/parameters/debug", "bad\n") == -e_inval);
  CHECK(w.tree.write("/sys/module/m/parameters/mode", "1") == -13);
  CHECK(w.tree.write("/sys/module/m/parameters/trigger", "") == 0);
  CHECK(w.machine.trace.empty());
  CHECK(w.tree.write("/sys/module/m/parameters/poke", "1") == 1);
  CHECK(w.machine.trace == "dangerous poke; ");
  CHECK(w.tree.write("/sys/module/m/parameters/io", "1") == 1);
  w.machine.locked = true;
  CHECK(w.tree.write("/sys/module/m/parameters/io", "1") == -e_perm);
  CHECK(w.parameters.trace == "set debug; set debug; set trigger; set poke; set io; ");
  CHECK(w.tree.write("/sys/module/m/parameters/debug", std::string(5000, 'x')) == 4096);
}

TEST_CASE("sysfs: sections and notes") {
  world<> w;
  shown<elf64_le> m{"m"};
  m.section(".text", 0xffffffffc0201000).section(".note.gnu.build-id", 0x1234, {"\0\1a", 3}, true);
  m.section(".empty.note", 0x10, "", true);
  CHECK(w.show(m) == 0);
  CHECK(w.ls("/sys/module/m/sections") ==
        "-400 .text\n-400 .note.gnu.build-id\n-400 .empty.note\n");
  CHECK(w.ls("/sys/module/m/notes") == "-444 .note.gnu.build-id\n");
  CHECK(w.cat("/sys/module/m/sections/.text") == "0xffffffffc0201000\n");
  CHECK(w.cat("/sys/module/m/sections/.note.gnu.build-id") == "0x0000000000001234\n");
  CHECK(w.cat("/sys/module/m/sections/.text", 1) == "-22");
  CHECK(w.cat("/sys/module/m/sections/.text", 19).empty());
  CHECK(w.cat("/sys/module/m/sections/.text", 0, 4) == "0xff");
  CHECK(w.tree.write("/sys/module/m/sections/.text", "0") == -13);
  w.machine.show = false;
  CHECK(w.cat("/sys/module/m/sections/.text") == "0x0000000000000000\n");
  CHECK(w.cat("/sys/module/m/notes/.note.gnu.build-id") == std::string{"\0\1a", 3});
  CHECK(w.cat("/sys/module/m/notes/.note.gnu.build-id", 2) == "a");
  sysfs_entry e;
  CHECK(w.tree.stat("/sys/module/m/notes/.note.gnu.build-id", e) == 0);
  CHECK(e.size == 3);

  world<elf32_be> narrow;
  shown<elf32_be> n{"n"};
  n.section(".text", 0xbf001000);
  CHECK(narrow.show(n) == 0);
  CHECK(narrow.cat("/sys/module/n/sections/.text") == "0xbf001000\n");
  CHECK(narrow.ls("/sys/module/n/notes") == "-2");
}

TEST_CASE(
    "sysfs: two sections of one name leave neither sections nor notes, and the load goes on") {
  world<> w;
  shown<elf64_le> m{"m"};
  m.section(".text", 1).section(".text", 2).section(".note", 3, "x", true);
  CHECK(w.show(m) == 0);
  CHECK(w.ls("/sys/module/m/sections") == "-2");
  CHECK(w.ls("/sys/module/m/notes") == "-2");
  CHECK(w.tree.create(sysfs_part::sections, m) == e_exist);
  m.attributes.assign(2049, {});
  m.section_attributes = m.attributes;
  CHECK(w.tree.create(sysfs_part::sections, m) == e_nomem);
}

TEST_CASE("sysfs: holders are links to their users") {
  world<> w;
  shown<elf64_le> used{"used"}, user{"user"};
  module_use use{&user, &used, nullptr, nullptr};
  CHECK(w.show(used) == 0);
  used.source_list = &use;
  user.target_list = &use;
  CHECK(w.ls("/sys/module/used/holders").empty());
  CHECK(w.show(user) == 0);
  CHECK(w.ls("/sys/module") == "d755 user\nd755 used\n");
  CHECK(w.ls("/sys/module/used/holders") == "@777 user\n");
  CHECK(w.ls("/sys/module/user/holders").empty());
  char text[32];
  i64 length = w.tree.read_link("/sys/module/used/holders/user", text);
  CHECK(length == 10);
  CHECK(std::string_view{text} == "../../user");
  sysfs_entry e;
  CHECK(w.tree.stat("/sys/module/used/holders/user", e) == 0);
  CHECK(e.kind == sysfs_entry::link);
  CHECK(w.ls("/sys/module/used/holders/user") == w.ls("/sys/module/user"));
  CHECK(w.cat("/sys/module/used/holders/user/initstate") == "live\n");
  CHECK(w.cat("/sys/module/used/holders/user") == "-21");
  w.tree.remove(sysfs_part::holder_links, user);
  CHECK(w.ls("/sys/module/used/holders").empty());
}

TEST_CASE("sysfs: objects that cannot be made") {
  world<> w;
  shown<elf64_le> m{"m"}, printk{"printk"};
  CHECK(w.show(printk) == e_exist);
  w.machine.is_ready = false;
  CHECK(w.show(m) == e_nodev);
  CHECK(w.ls("/sys/module").empty());
  CHECK(m.sysfs_parts == 0);
}

TEST_CASE("sysfs: events, and parts that go one by one") {
  world<> w;
  shown<elf64_le> m{"m"};
  m.parameter("p", 0444).section(".note", 3, "x", true);
  w.tree.announce(m);
  CHECK(w.machine.trace.empty());
  CHECK(w.show(m) == 0);
  w.tree.announce(m);
  CHECK(w.tree.write("/sys/module/m/uevent", "change\n") == 7);
  CHECK(w.tree.write("/sys/module/m/uevent", "add fe4d7c9d A=1") == 16);
  for (std::string_view wrong : {"", "\n", "chang", "changed", " add"})
    CHECK(w.tree.write("/sys/module/m/uevent", wrong) == -e_inval);
  CHECK(w.machine.trace == "add@m ; change@m ; add@m fe4d7c9d A=1; ");
  w.machine.trace.clear();

  w.tree.remove(sysfs_part::attributes, m);
  CHECK(w.ls("/sys/module/m") == "d755 holders\nd755 notes\nd755 parameters\nd755 sections\n");
  w.tree.remove(sysfs_part::parameters, m);
  w.tree.remove(sysfs_part::notes, m);
  CHECK(w.ls("/sys/module/m") == "d755 holders\nd755 sections\n");
  CHECK(w.machine.trace.empty());
  remove_all(w.tree, m);
  CHECK(w.machine.trace == "remove@m ; ");
  CHECK(w.ls("/sys/module").empty());
  CHECK(m.sysfs_parts == 0);
  remove_all(w.tree, m);
  CHECK(w.machine.trace == "remove@m ; ");
}
