// SPDX-License-Identifier: MIT
// Compares what a load gave with the ground truth: one line a difference.
#pragma once

#include "support/sha256.hpp"
#include "verify/outcome.hpp"

#include <cstdio>

namespace kmodld::verify {

namespace detail {

inline std::string hex(u64 n) {
  char out[24];
  std::snprintf(out, sizeof out, "%#llx", static_cast<unsigned long long>(n));
  return out;
}

class differences {
public:
  template <class T>
  void expect(std::string const& what, T const& is, T const& should) {
    if (is != should)
      lines.push_back(what + " is " + text(is) + ", should be " + text(should));
  }
  std::vector<std::string> lines;

private:
  static std::string text(u64 n) { return hex(n); }
  static std::string const& text(std::string const& s) { return s; }
};

inline void compare_regions(record const& r, outcome const& o, differences& d) {
  for (region_record const& should : r.regions) {
    region_record const* is = nullptr;
    for (region_record const& candidate : o.regions)
      if (candidate.name == should.name)
        is = &candidate;
    region_record const none{should.name};
    if (is == nullptr)
      is = &none;
    std::string const name = "region " + should.name + ": ";
    d.expect(name + "base", is->base, should.base);
    d.expect(name + "size", is->size, should.size);
    d.expect(name + "text_size", is->text_size, should.text_size);
    d.expect(name + "ro_size", is->ro_size, should.ro_size);
    d.expect(name + "ro_after_init_size", is->ro_after_init_size, should.ro_after_init_size);
  }
  for (region_record const& is : o.regions) {
    bool known = false;
    for (region_record const& should : r.regions)
      known = known || should.name == is.name;
    if (!known)
      d.lines.push_back("region " + is.name + " should not exist");
  }
}

inline void compare_section(section_record const& should, loaded_section const& is,
                            differences& d) {
  std::string const name = "section " + std::to_string(should.index) + " " + should.name + ": ";
  d.expect(name + "name", is.name, should.name);
  d.expect(name + "address", is.address, should.address);
  d.expect(name + "size", is.size, should.size);
  if (!should.region.empty())
    d.expect(name + "region", is.region, should.region);
  if (!should.hash)
    return;
  if (!is.has_bytes)
    d.lines.push_back(name + "has no bytes");
  else
    d.expect(name + "sha256", test::sha256_prefix(is.bytes), *should.hash);
}

inline void compare_sections(record const& r, outcome const& o, differences& d) {
  std::map<u32, loaded_section const*> loaded;
  for (loaded_section const& s : o.sections)
    if (!loaded.emplace(s.index, &s).second)
      d.lines.push_back("section " + std::to_string(s.index) + " " + s.name + " is there twice");
  for (section_record const& should : r.sections) {
    auto is = loaded.find(should.index);
    if (is == loaded.end()) {
      d.lines.push_back("section " + std::to_string(should.index) + " " + should.name +
                        " is not in memory");
      continue;
    }
    compare_section(should, *is->second, d);
    loaded.erase(is);
  }
  for (auto const& [index, s] : loaded)
    d.lines.push_back("section " + std::to_string(index) + " " + s->name +
                      " should not be in memory");
}

inline void compare_names(record const& r, outcome const& o, differences& d) {
  for (auto const& [name, value] : r.undefined)
    if (!o.asked.contains(name))
      d.lines.push_back("symbol " + name + " was not asked for");
  for (std::string const& name : o.asked)
    if (!r.undefined.contains(name))
      d.lines.push_back("symbol " + name + " was asked for, but is not undefined");
}

inline void compare_prefix(std::string const& name, std::optional<prefix_record> const& should,
                           u64 address, test::byte_vector const& is, differences& d) {
  if (!should)
    return;
  d.expect(name + ": size", u64{is.size()}, should->size);
  if (should->size == 0)
    return;
  d.expect(name + ": address", address, should->address);
  d.expect(name + ": sha256", test::sha256_prefix(is), should->hash);
}

} // namespace detail

/// Every difference, in words; none if the load was right.
inline std::vector<std::string> compare(record const& r, outcome const& o) {
  detail::differences d;
  if (!o.refused.empty()) {
    d.lines.push_back("refused: " + o.refused);
    return d.lines;
  }
  detail::compare_regions(r, o, d);
  detail::compare_sections(r, o, d);
  detail::compare_names(r, o, d);
  detail::compare_prefix("GOT", r.got, o.got_address, o.got, d);
  detail::compare_prefix("PLT", r.plt, o.plt_address, o.plt, d);
  d.expect("percpu", o.percpu, r.percpu);
  if (r.symtab)
    d.expect("address of .symtab", o.symtab.value_or(0), *r.symtab);
  if (r.strtab)
    d.expect("address of .strtab", o.strtab.value_or(0), *r.strtab);
  d.lines.insert(d.lines.end(), o.complaints.begin(), o.complaints.end());
  return d.lines;
}

} // namespace kmodld::verify
