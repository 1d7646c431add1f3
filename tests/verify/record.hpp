// SPDX-License-Identifier: MIT
// One line of the ground truth (tests/data/ground-truth.md, linked.md) as a structure.
#pragma once

#include "support/files.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <set>

namespace kmodld::verify {

/// A region: "core" and "init" with their ends, or one of the seven kinds without.
struct region_record {
  std::string name;
  u64 base = 0, size = 0;
  u64 text_size = 0, ro_size = 0, ro_after_init_size = 0;
};

struct section_record {
  u32 index = 0;
  std::string name;
  u64 address = 0, size = 0;
  std::optional<std::string> hash; ///< none: NOBITS of a linked file
  std::string region;              ///< empty in a linked file
};

struct slot_record {
  u32 symbol = 0;
  std::string name;
  u64 address = 0, content = 0;
};

/// s390x: GOT or PLT before the first section of core.
struct prefix_record {
  u64 address = 0, size = 0; ///< address 0 if there is none
  std::string hash;
};

struct record {
  std::string name, path;
  std::optional<std::string> file_hash;
  bool linked = false; ///< relocation alone: section addresses are inputs
  std::string arch;    ///< of a linked file

  bool seven_kinds = false;
  std::vector<region_record> regions;
  u64 percpu = 0;
  std::optional<u64> symtab, strtab;

  std::optional<u64> toc, got_base;
  std::vector<slot_record> got_slots;
  std::map<u32, std::string> masked;
  std::optional<prefix_record> got, plt;

  std::vector<section_record> sections;
  std::map<std::string, u64> undefined;

  /// The kernel release in the path: the component after "modules".
  std::string release() const {
    std::size_t at = path.find("modules/");
    if (at == std::string::npos)
      return {};
    at += 8;
    return path.substr(at, path.find('/', at) - at);
  }
};

namespace detail {

using json = nlohmann::json;

/// Numbers are hexadecimal strings or plain integers.
inline u64 number(json const& j) {
  if (!j.is_string())
    return j.get<u64>();
  std::string const& s = j.get_ref<std::string const&>();
  std::size_t used = 0;
  u64 n = std::stoull(s, &used, 0);
  if (used != s.size())
    throw std::runtime_error("not a number: " + s);
  return n;
}

inline region_record core_or_init(std::string name, json const& j) {
  return {std::move(name),           number(j.at("base")),    number(j.at("size")),
          number(j.at("text_size")), number(j.at("ro_size")), number(j.at("ro_after_init_size"))};
}

inline section_record section(json const& j) {
  section_record s;
  s.index = j.at(0).get<u32>();
  s.name = j.at(1).get<std::string>();
  s.address = number(j.at(2));
  s.size = number(j.at(3));
  if (!j.at(4).is_null())
    s.hash = j.at(4).get<std::string>();
  if (j.size() > 5)
    s.region = j.at(5).get<std::string>();
  return s;
}

inline prefix_record prefix(json const& j) {
  return {number(j.at(0)), number(j.at(1)), j.at(2).get<std::string>()};
}

inline void read_got(json const& got, record& r) {
  if (!got.is_object()) {
    r.got = prefix(got);
    return;
  }
  r.got_base = number(got.at("base"));
  for (json const& s : got.at("slots"))
    r.got_slots.push_back({s.at(0).get<u32>(),
                           s.at(1).is_string() ? s.at(1).get<std::string>() : std::string{},
                           number(s.at(2)), number(s.at(3))});
}

} // namespace detail

/// Throws with a reason if the line is not a record.
inline record parse_record(std::string_view line) {
  using detail::number;
  detail::json j = detail::json::parse(line);
  record r;
  r.name = j.at("name").get<std::string>();
  r.path = j.at("path").get<std::string>();
  if (j.contains("file_sha256"))
    r.file_hash = j["file_sha256"].get<std::string>();
  if (j.contains("core")) {
    r.regions.push_back(detail::core_or_init("core", j["core"]));
    r.regions.push_back(detail::core_or_init("init", j.at("init")));
  } else if (j.contains("mem")) {
    r.seven_kinds = true;
    for (detail::json const& m : j["mem"])
      r.regions.push_back({m.at(0).get<std::string>(), number(m.at(1)), number(m.at(2)), 0, 0, 0});
  } else {
    r.linked = true;
    r.arch = j.value("arch", "");
  }
  if (j.contains("percpu"))
    r.percpu = number(j["percpu"]);
  if (j.contains("symtab")) {
    r.symtab = number(j["symtab"].at(0));
    r.strtab = number(j["symtab"].at(1));
  }
  if (j.contains("toc"))
    r.toc = number(j["toc"]);
  if (j.contains("got"))
    detail::read_got(j["got"], r);
  if (j.contains("plt"))
    r.plt = detail::prefix(j["plt"]);
  if (j.contains("masked"))
    for (auto const& [index, hash] : j["masked"].items())
      r.masked[static_cast<u32>(std::stoul(index))] = hash.get<std::string>();
  for (detail::json const& s : j.at("sections"))
    r.sections.push_back(detail::section(s));
  for (auto const& [name, value] : j.at("undefined").items())
    r.undefined[name] = number(value);
  return r;
}

/// All records of a `.jsonl` or `.jsonl.xz`; throws, naming the line.
inline std::vector<record> read_records(std::filesystem::path const& path) {
  test::byte_vector bytes = test::read_maybe_xz(path);
  std::string_view text = as_text(bytes);
  std::vector<record> records;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::size_t end = index_of(text, '\n');
    if (std::string_view one = head(text, end); !one.empty()) {
      try {
        records.push_back(parse_record(one));
      } catch (std::exception const& e) {
        throw std::runtime_error(path.string() + ":" + std::to_string(line) + ": " + e.what());
      }
    }
    text = tail(text, end + 1);
  }
  return records;
}

} // namespace kmodld::verify
