// SPDX-License-Identifier: MIT
// Which parts of a module's directory in /sys/module there are, what may become a file there, and
// the text of its attributes (Linux 6.1: mod_sysfs_setup's parts, modinfo_attrs, kernel/params.c).
#pragma once

#include <kmodld/errc.hpp>
#include <kmodld/linux/kernel_param.hpp>
#include <kmodld/linux/proc_modules.hpp>
#include <kmodld/policy/introspection.hpp>

namespace kmodld {

/// The files of a module's directory, in the kernel's order.
enum class sysfs_attribute : u8 {
  uevent,
  version,
  srcversion,
  initstate,
  coresize,
  initsize,
  taint,
  refcnt,
};

inline constexpr std::string_view sysfs_attribute_names[] = {
    "uevent"sv,   "version"sv,  "srcversion"sv, "initstate"sv,
    "coresize"sv, "initsize"sv, "taint"sv,      "refcnt"sv};
inline constexpr u32 sysfs_attribute_count =
    sizeof sysfs_attribute_names / sizeof sysfs_attribute_names[0];

/// version and srcversion are there only if modinfo has the tag.
inline bool has_attribute(module const& m, sysfs_attribute a) noexcept {
  return !(a == sysfs_attribute::version && m.version.data() == nullptr) &&
         !(a == sysfs_attribute::srcversion && m.srcversion.data() == nullptr);
}

namespace detail {

/// The text of an attribute other than uevent, which cannot be read.
template <class Out>
void put_attribute(Out& out, module const& m, sysfs_attribute a) noexcept {
  switch (a) {
  case sysfs_attribute::uevent: return;
  case sysfs_attribute::version: out.put(m.version); break;
  case sysfs_attribute::srcversion: out.put(m.srcversion); break;
  case sysfs_attribute::initstate: {
    module_state s = m.state.load(std::memory_order_acquire);
    out.put(s == module_state::live     ? "live"sv
            : s == module_state::coming ? "coming"sv
                                        : "going"sv);
    break;
  }
  case sysfs_attribute::coresize: out.put_decimal(memory_size(m, false)); break;
  case sysfs_attribute::initsize: out.put_decimal(memory_size(m, true)); break;
  case sysfs_attribute::taint: put_taint_letters(out, m.taints); break;
  case sysfs_attribute::refcnt: put_signed(out, visible_refcount(m)); break;
  }
  out.put('\n');
}

} // namespace detail

/// The parts of a module as bits of its record; the module's __param as files.
template <class Format>
struct sysfs_parts {
  /// More sections or parameters than this, or longer names, are refused: names are compared each
  /// with each, and no file system shows longer ones.
  static constexpr u32 max_files = 2048;
  static constexpr std::size_t max_name = 255;
  /// The bit that says that `add` has been announced.
  static constexpr u8 announced = 1 << 7;

  static constexpr u8 bit(sysfs_part part) noexcept {
    return static_cast<u8>(1u << static_cast<unsigned>(part));
  }
  static bool has(module const& m, sysfs_part part) noexcept {
    return (m.sysfs_parts.load(std::memory_order_acquire) & bit(part)) != 0;
  }

  /// Makes a part of an object; 0 or a positive errno. parameters and notes stay away, without an
  /// error, if they would be empty; notes also if there are no sections.
  static int create(sysfs_part part, module& m) noexcept {
    int error = 0;
    if (part == sysfs_part::parameters) {
      if (m.sections.kp && m.sections.kp.entry_size < sizeof(kernel_param_entry<Format>))
        return e_inval;
      error = check_names(m, part, m.sections.kp.count);
      if (error != 0 || !any_parameter(m))
        return error;
    } else if (part == sysfs_part::sections)
      error = check_names(m, part, m.section_attributes.size());
    else if (part == sysfs_part::notes && !(has(m, sysfs_part::sections) && any_note(m)))
      return 0;
    if (error == 0)
      m.sysfs_parts.fetch_or(bit(part), std::memory_order_release);
    return error;
  }

  static void remove(sysfs_part part, module& m) noexcept {
    m.sysfs_parts.fetch_and(~u32{bit(part)}, std::memory_order_release);
  }

  /// Entry i < sections.kp.count of the module's __param. The name has no data if it does not lie
  /// in the module or is too long for a file.
  static kernel_param parameter(module const& m, u32 i) noexcept {
    kernel_param_entry<Format> e;
    __builtin_memcpy(&e, m.sections.kp.host + u64{i} * m.sections.kp.entry_size, sizeof e);
    return {name_at(m, {e.name}),
            {e.ops},
            {e.arg},
            static_cast<u16>(e.perm & 0777),
            static_cast<signed char>(e.level),
            e.flags};
  }

  /// Whether an entry of section_attributes is a file of notes/.
  static bool is_note(section_attribute const& s) noexcept { return s.note && !s.bytes.empty(); }

private:
  static std::string_view name_at(module const& m, address a) noexcept {
    for (module_memory const& part : m.all_memories()) {
      if (!part.memory.contains(a))
        continue;
      u64 room = part.memory.size - (a - part.memory.target);
      std::size_t limit = room <= max_name ? static_cast<std::size_t>(room) : max_name + 1;
      std::string_view text{reinterpret_cast<char const*>(part.memory.at(a)), limit};
      std::size_t end = index_of(text, '\0');
      return end == limit ? std::string_view{} : head(text, end);
    }
    return {};
  }

  static bool any_parameter(module const& m) noexcept {
    for (u32 i = 0; i < m.sections.kp.count; ++i)
      if (parameter(m, i).perm != 0)
        return true;
    return false;
  }
  static bool any_note(module const& m) noexcept {
    for (section_attribute const& s : m.section_attributes)
      if (is_note(s))
        return true;
    return false;
  }

  struct file {
    std::string_view name;
    bool shown;
  };
  static file file_at(module const& m, sysfs_part part, u32 i) noexcept {
    if (part == sysfs_part::sections)
      return {m.section_attributes[i].name, true};
    kernel_param p = parameter(m, i);
    return {p.name, p.perm != 0};
  }

  /// 0 if the files of a part can stand in one directory.
  static int check_names(module const& m, sysfs_part part, std::size_t count) noexcept {
    if (count > max_files)
      return e_nomem;
    for (u32 i = 0; i < count; ++i) {
      file f = file_at(m, part, i);
      if (!f.shown)
        continue;
      if (f.name.empty() || f.name.size() > max_name || index_of(f.name, '/') != f.name.size())
        return e_inval;
      for (u32 j = 0; j < i; ++j)
        if (file other = file_at(m, part, j); other.shown && equal(other.name, f.name))
          return e_exist;
    }
    return 0;
  }
};

} // namespace kmodld
