// SPDX-License-Identifier: MIT
// /sys/module as data: directories, modes and contents, computed from the module records when they
// are asked for (Linux 6.1: kernel/module/sysfs.c, kernel/params.c, lib/kobject_uevent.c).
//
// A model of the introspection policy that stores nothing but one bit a part in the record. What a
// path names is found by the same walk that lists a directory, so the two cannot disagree.
#pragma once

#include <kmodld/linux/sysfs_parts.hpp>
#include <kmodld/policy/parameters.hpp>

namespace kmodld {

/// A name in a directory. Files of text have the size of a page, as everywhere in sysfs.
struct sysfs_entry {
  enum kind_type : u8 { directory, file, link };

  std::string_view name; ///< in the module's records; valid as long as the module
  kind_type kind = directory;
  u16 mode = 0755;
  u64 size = 0; ///< bytes
};

/// What the tree asks its host, with the answers of a host that says nothing; hide what you know
/// better in a derived class.
struct sysfs_host {
  /// Whether /sys is there yet.
  bool ready() noexcept { return true; }
  /// Whether /sys/module/NAME belongs to something built in.
  bool taken(std::string_view) noexcept { return false; }
  /// Whether the reader may see addresses; zeros otherwise (kallsyms_show_value).
  bool show_addresses() noexcept { return true; }
  /// Whether hardware parameters must not be set (LOCKDOWN_MODULE_PARAMETERS).
  bool locked_down() noexcept { return false; }
  /// An unsafe parameter is about to be set: the kernel gets taint U.
  void dangerous(module&, kernel_param const&) noexcept {}
  /// `add`, `remove` or an action that somebody wrote to a module's uevent, with its arguments.
  void uevent(module&, std::string_view, std::string_view) noexcept {}
};

/// The tree below `/sys/module`. Paths are absolute; errors are negative errno. Nothing is locked:
/// call with the loader's lock held, so that no module comes or goes, and reads and writes of
/// parameters/ with the module's parameter lock, too.
template <class Format, parameters_policy Parameters, class Host = sysfs_host>
class sysfs_tree {
public:
  static constexpr std::size_t page_size = 4096;
  /// Errno values that only a file system has.
  enum : int { access_refused = 13, not_a_directory = 20, is_a_directory = 21 };

  sysfs_tree(module_list const& modules, Parameters& parameters, Host& host) noexcept
      : modules_{modules}, parameters_{parameters}, host_{host} {}

  // The introspection policy.
  int create(sysfs_part part, module& m) noexcept {
    if (part == sysfs_part::object && !host_.ready())
      return e_nodev;
    if (part == sysfs_part::object && host_.taken(m.name()))
      return e_exist;
    return parts::create(part, m);
  }
  void remove(sysfs_part part, module& m) noexcept {
    parts::remove(part, m);
    if (part != sysfs_part::object)
      return;
    if ((m.sysfs_parts & parts::announced) != 0)
      host_.uevent(m, "remove"sv, {});
    m.sysfs_parts = 0;
  }
  void announce(module& m) noexcept {
    if (!parts::has(m, sysfs_part::object))
      return;
    m.sysfs_parts |= parts::announced;
    host_.uevent(m, "add"sv, {});
  }

  /// Calls f(sysfs_entry const&) for each name in a directory. 0, ENOENT or ENOTDIR.
  template <class F>
  int list(std::string_view path, F&& f) noexcept {
    node dir;
    if (int error = resolve(path, dir, true))
      return error;
    if (dir.entry.kind != sysfs_entry::directory)
      return -not_a_directory;
    children(dir, [&](node const& child) {
      f(child.entry);
      return false;
    });
    return 0;
  }

  /// What a path names; a link at its end is not followed.
  int stat(std::string_view path, sysfs_entry& out) noexcept {
    node found;
    int error = resolve(path, found, false);
    out = found.entry;
    return error;
  }

  /// Reads from byte `offset` of a file; the number of bytes, 0 at the end. A parameter is read in
  /// one go: give it a page of room. Sections are read from 0 or not at all.
  i64 read(std::string_view path, u64 offset, std::span<char> out) noexcept;

  /// Writes a file; the number of bytes taken, at most a page. The text reaches a parameter as it
  /// is, with the newline that echo adds.
  i64 write(std::string_view path, std::string_view text) noexcept;

  /// The target of a link in holders/; the length of the whole text.
  i64 read_link(std::string_view path, std::span<char> out) noexcept {
    node found;
    if (int error = resolve(path, found, false))
      return error;
    if (found.entry.kind != sysfs_entry::link)
      return -e_inval;
    detail::text_sink sink{out};
    sink.put("../../"sv);
    sink.put(found.entry.name);
    return static_cast<i64>(sink.finish());
  }

private:
  using parts = sysfs_parts<Format>;

  enum class what : u8 { root, module_dir, holders, parameters, sections, notes, attribute };

  /// `kind` is the directory that a file is in; for directories it is their own.
  struct node {
    sysfs_entry entry;
    what kind = what::root;
    module* owner = nullptr;
    u32 index = 0;
  };

  template <class F>
  bool children(node const& dir, F&& f) noexcept;
  int resolve(std::string_view path, node& out, bool follow) noexcept;
  i64 write_uevent(module& m, std::string_view text) noexcept;

  module_list const& modules_;
  Parameters& parameters_;
  Host& host_;
};

/// Calls f(node const&) for what is in `dir` until it answers true; whether it did.
template <class Format, parameters_policy Parameters, class Host>
template <class F>
bool sysfs_tree<Format, Parameters, Host>::children(node const& dir, F&& f) noexcept {
  auto file = [&](std::string_view name, what kind, u32 index, u16 mode, u64 size) {
    return f(node{{name, sysfs_entry::file, mode, size}, kind, dir.owner, index});
  };
  auto directory = [&](sysfs_part part, std::string_view name, what kind) {
    return parts::has(*dir.owner, part) &&
           f(node{{name, sysfs_entry::directory, 0755, 0}, kind, dir.owner, 0});
  };
  module* m = dir.owner;
  switch (dir.kind) {
  case what::root:
    for (module& other : modules_)
      if (parts::has(other, sysfs_part::object) &&
          f(node{{other.name(), sysfs_entry::directory, 0755, 0}, what::module_dir, &other, 0}))
        return true;
    return false;
  case what::module_dir:
    for (u32 i = 0; parts::has(*m, sysfs_part::attributes) && i < sysfs_attribute_count; ++i) {
      auto a = static_cast<sysfs_attribute>(i);
      u16 mode = a == sysfs_attribute::uevent ? 0200 : 0444;
      if (has_attribute(*m, a) &&
          file(sysfs_attribute_names[i], what::attribute, i, mode, page_size))
        return true;
    }
    return directory(sysfs_part::holders_dir, "holders"sv, what::holders) ||
           directory(sysfs_part::notes, "notes"sv, what::notes) ||
           directory(sysfs_part::parameters, "parameters"sv, what::parameters) ||
           directory(sysfs_part::sections, "sections"sv, what::sections);
  case what::holders:
    for (module_use const* use = m->source_list; use != nullptr; use = use->next_source)
      if (parts::has(*use->user, sysfs_part::holder_links) &&
          f(node{{use->user->name(), sysfs_entry::link, 0777, 0}, what::holders, use->user, 0}))
        return true;
    return false;
  case what::parameters:
    for (u32 i = 0; i < m->sections.kp.count; ++i) {
      kernel_param p = parts::parameter(*m, i);
      if (p.perm != 0 && file(p.name, what::parameters, i, p.perm, page_size))
        return true;
    }
    return false;
  case what::sections:
  case what::notes:
    for (u32 i = 0; i < m->section_attributes.size(); ++i) {
      section_attribute const& s = m->section_attributes[i];
      bool found =
          dir.kind == what::sections
              ? file(s.name, dir.kind, i, 0400, 3 + Format::bits / 4)
              : s.note && !s.bytes.empty() && file(s.name, dir.kind, i, 0444, s.bytes.size());
      if (found)
        return true;
    }
    return false;
  case what::attribute: break;
  }
  return false;
}

template <class Format, parameters_policy Parameters, class Host>
int sysfs_tree<Format, Parameters, Host>::resolve(std::string_view path, node& out,
                                                  bool follow) noexcept {
  constexpr std::string_view root = "/sys/module"sv;
  out = {};
  out.entry.name = "module"sv;
  if (!starts_with(path, root) || (path.size() > root.size() && path[root.size()] != '/'))
    return -e_noent;
  auto enter_link = [&] {
    if (out.entry.kind == sysfs_entry::link)
      out = {{out.entry.name, sysfs_entry::directory, 0755, 0}, what::module_dir, out.owner, 0};
  };
  std::string_view rest = tail(path, root.size());
  while (!rest.empty()) {
    enter_link();
    if (out.entry.kind != sysfs_entry::directory)
      return -not_a_directory;
    std::size_t begin = 0;
    while (begin < rest.size() && rest[begin] == '/')
      ++begin;
    std::size_t end = index_of(rest, '/', begin);
    std::string_view name = head(tail(rest, begin), end - begin);
    rest = tail(rest, end);
    if (name.empty() || equal(name, "."sv))
      continue;
    node found;
    if (!children(out, [&](node const& child) {
          if (!equal(child.entry.name, name))
            return false;
          found = child;
          return true;
        }))
      return -e_noent;
    out = found;
  }
  if (follow)
    enter_link();
  return 0;
}

template <class Format, parameters_policy Parameters, class Host>
i64 sysfs_tree<Format, Parameters, Host>::read(std::string_view path, u64 offset,
                                               std::span<char> out) noexcept {
  node n;
  if (int error = resolve(path, n, true))
    return error;
  if (n.entry.kind == sysfs_entry::directory)
    return -is_a_directory;
  if ((n.entry.mode & 0444) == 0)
    return -access_refused;
  module& m = *n.owner;
  if (n.kind == what::parameters) {
    if (offset != 0)
      return 0;
    int length = parameters_.get(m, parts::parameter(m, n.index), out);
    return length > 0 && static_cast<std::size_t>(length) > out.size()
               ? static_cast<i64>(out.size())
               : length;
  }
  if (n.kind == what::sections && offset != 0)
    return offset < n.entry.size ? -e_inval : 0;
  u64 skip = offset;
  std::size_t used = 0;
  auto window = [&](std::string_view piece) {
    std::string_view rest =
        skip < piece.size() ? tail(piece, static_cast<std::size_t>(skip)) : ""sv;
    skip -= piece.size() - rest.size();
    rest = head(rest, out.size() - used);
    if (!rest.empty())
      __builtin_memcpy(out.data() + used, rest.data(), rest.size());
    used += rest.size();
  };
  detail::piecewise<decltype(window)> sink{window};
  if (n.kind == what::attribute)
    detail::put_attribute(sink, m, static_cast<sysfs_attribute>(n.index));
  else if (n.kind == what::notes)
    sink.put(as_text(m.section_attributes[n.index].bytes));
  else {
    sink.put("0x"sv);
    u64 shown = host_.show_addresses() ? m.section_attributes[n.index].target.value : 0;
    detail::put_fixed_hex(sink, shown, Format::bits / 4);
    sink.put('\n');
  }
  return static_cast<i64>(used);
}

template <class Format, parameters_policy Parameters, class Host>
i64 sysfs_tree<Format, Parameters, Host>::write(std::string_view path,
                                                std::string_view text) noexcept {
  node n;
  if (int error = resolve(path, n, true))
    return error;
  if (n.entry.kind == sysfs_entry::directory)
    return -is_a_directory;
  if ((n.entry.mode & 0222) == 0)
    return -access_refused;
  text = head(text, page_size);
  if (n.kind == what::attribute)
    return write_uevent(*n.owner, text);
  kernel_param p = parts::parameter(*n.owner, n.index);
  if ((p.flags & kernel_param::hardware) != 0 && host_.locked_down())
    return -e_perm;
  if ((p.flags & kernel_param::unsafe) != 0)
    host_.dangerous(*n.owner, p);
  int error = parameters_.set(*n.owner, p, text);
  return error != 0 ? -i64{error} : static_cast<i64>(text.size());
}

/// kobject_synth_uevent: an action, then perhaps a space and arguments, which are handed on.
template <class Format, parameters_policy Parameters, class Host>
i64 sysfs_tree<Format, Parameters, Host>::write_uevent(module& m, std::string_view text) noexcept {
  constexpr std::string_view actions[] = {"add"sv,    "remove"sv,  "change"sv, "move"sv,
                                          "online"sv, "offline"sv, "bind"sv,   "unbind"sv};
  std::string_view line = text;
  if (!line.empty() && (line.back() == '\n' || line.back() == '\0'))
    line = head(line, line.size() - 1);
  std::size_t end = index_of(line, ' ');
  for (std::string_view action : actions)
    if (equal(head(line, end), action)) {
      host_.uevent(m, action, tail(line, end + 1));
      return static_cast<i64>(text.size());
    }
  return -e_inval;
}

} // namespace kmodld
