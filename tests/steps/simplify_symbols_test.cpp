// SPDX-License-Identifier: MIT
// Values of symbols: special sections, resolution, licences, namespaces, references.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {

using sym = elf::elf64_le::sym;

/// The value of a symbol after the step, from the transient symbol table.
std::map<std::string, u64> values_of(host& h, byte_vector const& image) {
  std::map<std::string, u64> out;
  after(h, "post_relocation", [&](module& m) {
    auto const* symbols = reinterpret_cast<sym const*>(m.full_kallsyms.symtab);
    for (u32 i = 1; i < m.full_kallsyms.count; ++i)
      out[std::string{string_at(m.full_kallsyms.strtab, symbols[i].st_name)}] = symbols[i].st_value;
  });
  auto r = h.load(image);
  CHECK_MESSAGE(r, text_of(r.error()));
  h.tracer.on_leave = nullptr;
  return out;
}

builder using_symbols(std::string_view name, std::initializer_list<std::string_view> symbols,
                      std::string_view license = "GPL") {
  builder b = simple_builder(name, license);
  for (auto s : symbols)
    b.undefined(s);
  return b;
}

} // namespace

TEST_CASE("simplify_symbols: special section indexes") {
  auto h = make_host();
  builder b = simple_builder();
  u32 data = b.writable(byte_vector(32));
  u32 percpu = b.section(".data..percpu", elf::sht_progbits, elf::shf_alloc | elf::shf_write,
                         byte_vector(16), 16);
  b.symbol("absolute", elf::shn_abs, 0x123456789abc);
  b.symbol("livepatched", elf::shn_livepatch, 0x77);
  b.symbol("in_data", data, 24);
  b.symbol("in_percpu", percpu, 8);
  b.symbol("__gnu_lto_slim", elf::shn_common, 1);
  b.undefined("nowhere", true);
  b.undefined("_GLOBAL_OFFSET_TABLE_");
  auto v = values_of(*h, image_of(b));
  module& m = *h->modules().begin();
  CHECK(v["absolute"] == 0x123456789abc);
  CHECK(v["livepatched"] == 0x77);
  CHECK(v["in_percpu"] == m.percpu.value + 8);
  CHECK(v["nowhere"] == 0);
  CHECK(v["_GLOBAL_OFFSET_TABLE_"] == 0);
  for (section_attribute const& s : m.section_attributes)
    if (s.name == ".data")
      CHECK(v["in_data"] == s.target.value + 24);
}

TEST_CASE("simplify_symbols: common symbols, bad sections and bad names are refused") {
  auto h = make_host();
  builder common = simple_builder();
  common.symbol("c", elf::shn_common, 8);
  error e = refused(*h, common, errc::symbol_common, "simplify_symbols");
  CHECK(e.os_errno() == e_noexec);
  CHECK(text_of(e) == "demo: please compile with -fno-common");

  builder section = simple_builder();
  section.symbol("s", 0x1000, 8);
  e = refused(*h, section, errc::symbol_section, "simplify_symbols");
  CHECK(e.os_errno() == e_noexec);
  CHECK(e.number[0] == 0x1000);
  CHECK(e.number[1] == section.build().section_count() - 1);

  auto f = using_symbols("demo", {"x"}).build();
  f.symbol("x").st_name = 0x100000;
  CHECK(refused(*h, f.bytes, errc::symbol_name_range, "simplify_symbols").os_errno() == e_noexec);
}

TEST_CASE("simplify_symbols: GOT slots and stubs of the loader are no sections of the file") {
  auto h = make_host();
  builder b = simple_builder();
  u32 const text = b.text(byte_vector(8), ".text.got");
  b.rela(text, 0, 9, b.symbol("s", elf::shn_abs, 1), -4); // R_X86_64_GOTPCREL
  u32 const count = b.build().section_count();
  b.symbol("beyond", count, 0); // where the GOT is in the loader's table
  refused(*h, b, errc::symbol_section, "simplify_symbols");
}

TEST_CASE("simplify_symbols: every unknown symbol is reported, the last error counts") {
  auto h = make_host();
  error e = refused(*h, using_symbols("demo", {"first", "second", "third"}), errc::symbol_unknown,
                    "simplify_symbols");
  CHECK(e.os_errno() == e_noent);
  CHECK(text_of(e) == "demo: Unknown symbol third (err -2)");
  CHECK(h->diagnostics.said("demo: Unknown symbol first (err -2)"));
  CHECK(h->diagnostics.said("demo: Unknown symbol second (err -2)"));
  CHECK(h->diagnostics.count(errc::symbol_unknown) == 3);
}

TEST_CASE("simplify_symbols: a weak symbol takes what is exported") {
  auto h = make_host();
  u64 const value = h->symbols.kernel("there").value.value;
  builder b = simple_builder();
  b.undefined("there", true);
  CHECK(values_of(*h, image_of(b))["there"] == value);
}

TEST_CASE("simplify_symbols: GPL-only symbols are unknown to others") {
  auto h = make_host();
  h->symbols.kernel("g", true);
  CHECK(loaded(*h, using_symbols("free", {"g"})).using_gplonly_symbols);
  refused(*h, using_symbols("closed", {"g"}, "Proprietary"), errc::symbol_unknown,
          "simplify_symbols");
}

TEST_CASE("simplify_symbols: proprietary exporters pass their taint on") {
  auto h = make_host();
  h->symbols.kernel("g", true);
  loaded(*h, exporting_module("closed", "c", false, "Proprietary"));
  builder heir = using_symbols("heir", {"c"});
  heir.version("c", 0x1234);
  module& m = loaded(*h, heir);
  CHECK((m.taints & taint_proprietary) != 0);
  CHECK(h->diagnostics.said("heir: module uses symbols c from proprietary module closed, "
                            "inheriting taint."));
  // From then on GPL-only symbols are unknown, also to the same load.
  builder late = using_symbols("late", {"c", "g"});
  late.version("c", 0x1234);
  refused(*h, late, errc::symbol_unknown, "simplify_symbols");
  CHECK(h->diagnostics.said("late: Unknown symbol g (err -2)"));
  // And after a GPL-only symbol proprietary ones are.
  builder early = using_symbols("early", {"g", "c"});
  early.version("c", 0x1234);
  refused(*h, early, errc::symbol_unknown, "simplify_symbols");
  CHECK(h->diagnostics.said("early: module using GPL-only symbols uses symbols c from proprietary "
                            "module closed."));
  CHECK(h->diagnostics.said("early: Unknown symbol c (err -2)"));
}

TEST_CASE("simplify_symbols: a user that is proprietary already inherits without a word") {
  auto h = make_host();
  loaded(*h, exporting_module("closed", "c", false, "Proprietary"));
  builder b = using_symbols("also", {"c"}, "Proprietary");
  b.version("c", 0x1234);
  loaded(*h, b);
  CHECK(h->diagnostics.count(errc::taint_inherited) == 0);
}

TEST_CASE("simplify_symbols: namespaces") {
  auto h = make_host();
  h->symbols.kernel("n").name_space = "SPACE";
  error e = refused(*h, using_symbols("demo", {"n"}), errc::symbol_namespace, "simplify_symbols");
  CHECK(e.os_errno() == e_inval);
  CHECK(text_of(e) == "demo: module uses symbol (n) from namespace SPACE, but does not import it.");
  builder other = using_symbols("demo", {"n"});
  other.modinfo("import_ns", "SPAC").modinfo("import_ns", "SPACES");
  refused(*h, other, errc::symbol_namespace, "simplify_symbols");
  other.modinfo("import_ns", "SPACE");
  loaded(*h, other);
  auto lenient = make_host(kernel::lenient);
  lenient->symbols.kernel("n").name_space = "SPACE";
  loaded(*lenient, using_symbols("demo", {"n"}));
  CHECK(lenient->diagnostics.count(errc::symbol_namespace_missing) == 1);
}

TEST_CASE("simplify_symbols: one reference on each module that is used") {
  auto h = make_host();
  module& base = loaded(*h, base_module());
  builder b = using_symbols("user", {"base_function", "base_function"});
  b.version("base_function", 0x1234);
  module& user = loaded(*h, b);
  CHECK(base.refcnt == 2);
  REQUIRE(base.source_list != nullptr);
  CHECK(base.source_list->user == &user);
  CHECK(base.source_list->next_source == nullptr);
  CHECK(user.target_list == base.source_list);
}

TEST_CASE("simplify_symbols: an exporter that is going or has lost its base is ENOENT") {
  auto h = make_host();
  module& base = loaded(*h, base_module());
  builder b = using_symbols("user", {"base_function"});
  b.version("base_function", 0x1234);
  base.state = module_state::going;
  CHECK(refused(*h, b, errc::symbol_owner_going, "simplify_symbols").os_errno() == e_noent);
  base.state = module_state::live;
  base.refcnt = 0;
  refused(*h, b, errc::symbol_owner_going, "simplify_symbols");
  base.refcnt = 1;
  loaded(*h, b);
}

TEST_CASE("simplify_symbols: an exporter that is coming is waited for") {
  auto h = make_host();
  module& base = loaded(*h, base_module());
  builder b = using_symbols("user", {"base_function"});
  b.version("base_function", 0x1234);
  base.state = module_state::coming;
  error e = refused(*h, b, errc::symbol_owner_coming, "simplify_symbols");
  CHECK(e.os_errno() == e_busy);
  CHECK(text_of(e) == "user: gave up waiting for init of module base.");
  CHECK(h->diagnostics.said("user: Unknown symbol base_function (err -16)"));
  CHECK(h->lock.waits == 1);

  h->lock.on_wait = [&] { return wait_status::interrupted; };
  refused(*h, b, errc::symbol_owner_coming, "simplify_symbols");

  int rounds = 0;
  h->lock.on_wait = [&] {
    if (++rounds == 3)
      base.state = module_state::live;
    return wait_status::woken;
  };
  loaded(*h, b);
  CHECK(rounds == 3);
}

TEST_CASE("simplify_symbols: what vanishes while waiting is unknown") {
  auto h = make_host();
  module& base = loaded(*h, base_module());
  base.state = module_state::coming;
  auto saved = h->symbols.table.at("base_function");
  h->lock.on_wait = [&] {
    h->symbols.table.erase("base_function");
    return wait_status::woken;
  };
  builder b = using_symbols("user", {"base_function"});
  b.version("base_function", 0x1234);
  CHECK(code_of(h->load(image_of(b))) == errc::symbol_unknown);
  h->symbols.table["base_function"] = saved;
  base.state = module_state::live;
}

TEST_CASE("simplify_symbols: an empty symbol table") {
  auto h = make_host();
  auto f = simple_builder().build();
  f.section(".symtab").sh_size = 0;
  auto r = h->load(f.bytes);
  CHECK(!r);
  CHECK(h->clean());
}

} // namespace kmodld::test
