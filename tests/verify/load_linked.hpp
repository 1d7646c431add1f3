// SPDX-License-Identifier: MIT
// linked-*: the relocation core alone. Sections stand at the addresses of the record, with the
// file's bytes; every relocation section of a kept one is applied.
#pragma once

#include "verify/linked_got.hpp"

#include <kmodld/elf/image.hpp>
#include <kmodld/reloc.hpp>

namespace kmodld::verify {

template <class Arch>
class linked_load {
  using format = typename Arch::format;
  using sym = typename format::sym;
  using relocation = typename Arch::relocation;
  static constexpr bool with_addend = requires(relocation r) { r.r_addend; };
  static constexpr bool got_by_value = requires(typename Arch::state s) { s.got_slots.index; } &&
                                       requires(std::span<relocation> all) { Arch::sort(all); };

  record const& record_;
  outcome& out_;
  elf::image<format> image_;
  std::vector<u64> addresses_;
  std::vector<loaded_section*> kept_;
  std::vector<u64> values_;
  std::vector<u8> attributes_;
  std::vector<u32> got_slot_;
  bool unresolved_weak_ = false;
  std::vector<relocation> order_;
  linked_got<Arch> got_;

public:
  linked_load(record const& r, outcome& o) : record_{r}, out_{o} {}

  void operator()(byte_view bytes) {
    error e;
    if (elf::image<format>::check(
            bytes, [](auto const& h) { return Arch::accepts(h); }, image_, e) != errc::ok) {
      out_.refused = text_of(e);
      return;
    }
    place_sections();
    resolve_symbols();
    for (u32 i = 1; i < image_.section_count() && out_.refused.empty(); ++i)
      relocate_section(i);
    if constexpr (got_by_value)
      if (out_.refused.empty())
        got_.compare(record_, out_);
  }

private:
  void place_sections() {
    u32 const count = image_.section_count();
    addresses_.resize(count);
    kept_.resize(count);
    out_.sections.reserve(count); // kept_ points into it
    for (section_record const& s : record_.sections)
      if (s.index < count)
        addresses_[s.index] = s.address;
    for (u32 i = 1; i < count; ++i) {
      auto const& s = image_.section(i);
      if ((s.sh_flags & elf::shf_alloc) == 0)
        continue;
      loaded_section l;
      l.index = i;
      l.name = image_.name(i);
      l.address = addresses_[i];
      l.size = s.sh_size;
      byte_view data = image_.data(i);
      l.bytes.assign(data.begin(), data.end());
      l.has_bytes = s.sh_type != elf::sht_nobits;
      out_.sections.push_back(std::move(l));
      kept_[i] = &out_.sections.back();
    }
  }

  void resolve_symbols() {
    u32 table = 0;
    while (++table < image_.section_count() && image_.section(table).sh_type != elf::sht_symtab)
      ;
    if (table == image_.section_count()) {
      out_.complaints.push_back("there is no symbol table");
      return;
    }
    byte_view names = image_.data(image_.section(table).sh_link);
    elf::table<sym> symbols = image_.template entries<sym>(table);
    for (sym const& s : symbols) {
      values_.push_back(value_of(s, string_at(names, s.st_name), values_.empty()));
      u8 a = static_cast<u8>(s.st_other & 0xe0);
      if (s.st_shndx == elf::shn_undef)
        a |= symbol_undefined;
      if (elf::st_bind(s.st_info) == elf::stb_weak)
        a |= symbol_weak;
      if (elf::st_type(s.st_info) == elf::stt_func)
        a |= symbol_function;
      attributes_.push_back(a);
    }
  }

  u64 value_of(sym const& s, std::string_view name, bool first) {
    u32 const section = s.st_shndx;
    if (section == elf::shn_undef) {
      if (first)
        return 0;
      typename Arch::state state{};
      place_tables(state);
      u64 own = 0;
      if constexpr (requires { state.own_symbol(name, own); })
        if (state.own_symbol(name, own))
          return own;
      out_.asked.emplace(name);
      auto found = record_.undefined.find(std::string{name});
      return found == record_.undefined.end() ? 0 : found->second;
    }
    if (section == elf::shn_abs || section >= image_.section_count())
      return s.st_value;
    return addresses_[section] + s.st_value;
  }

  /// What a loader would have built: the record says where it lies.
  template <class State>
  void prepare(State& state) {
    place_tables(state);
    if constexpr (requires { state.got_slot; })
      if (record_.got_base) {
        got_slot_.resize(values_.size());
        for (slot_record const& s : record_.got_slots)
          if (s.symbol < got_slot_.size())
            got_slot_[s.symbol] =
                static_cast<u32>((s.address - *record_.got_base) / Arch::got_slot_size + 1);
        state.got_slot = got_slot_;
      }
  }

  template <class State>
  void place_tables(State& state) const {
    if constexpr (requires { state.toc.value; })
      state.toc = {record_.toc.value_or(0)};
    if constexpr (requires { state.got.value; })
      state.got = {record_.got_base.value_or(0)};
  }

  void relocate_section(u32 i) {
    auto const& s = image_.section(i);
    if (s.sh_type != elf::sht_rela && s.sh_type != elf::sht_rel)
      return;
    loaded_section* target = kept_[s.sh_info];
    if (target == nullptr)
      return;
    if ((s.sh_type == elf::sht_rela) != with_addend) {
      out_.complaints.push_back("relocation section " + std::to_string(i) + " is of another kind");
      return;
    }
    auto relocations = image_.template entries<relocation>(i);
    typename Arch::state state{};
    prepare(state);
    std::span<relocation const> entries{relocations.data(), relocations.size()};
    if constexpr (got_by_value) {
      got_.lend(record_, state);
      if ((image_.section(s.sh_info).sh_flags & elf::shf_execinstr) != 0) {
        order_.assign(entries.begin(), entries.end());
        Arch::sort(order_);
        entries = order_;
      }
    }
    error e;
    if (relocate<Arch>({target->bytes, {target->address}, image_.data(s.sh_info), entries},
                       {values_, attributes_, unresolved_weak_}, state, e) != errc::ok) {
      e.section = i;
      out_.refused = text_of(e);
    }
    if constexpr (got_by_value)
      got_.take_back(state);
  }
};

} // namespace kmodld::verify
