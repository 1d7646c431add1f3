// SPDX-License-Identifier: MIT
// /proc/modules, /proc/kallsyms, /proc/dynamic_debug/control, /proc/sys/kernel/tainted and the tree
// of /sys/module.
#include "virtual_files.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace linux_like {
namespace {

struct proc_file {
  std::string_view path;
  unsigned mode;
  std::string (*read)(host&);
};

std::string read_modules(host& self) {
  std::string text;
  const kmodld::lock_guard hold(self.lock);
  kmodld::proc_modules(self.loader.modules(), [&](std::string_view piece) { text += piece; });
  return text;
}

std::string read_kallsyms(host& self) {
  std::string text;
  for (const kernel_export& e : self.kernel_exports)
    text +=
        fmt::format("{:016x} {} {}\n", e.value.value, e.value.value < 0x200000 ? 'A' : 'T', e.name);
  const kmodld::read_guard reading(self.reclaimer);
  kmodld::proc_kallsyms<elf_format>(
      self.loader.modules(),
      [&](const kmodld::module& m, std::string_view name, kmodld::address value) {
        kmodld::exported_symbol found;
        return self.exports.find(name, false, found) && found.owner == &m && found.value == value;
      },
      [&](std::string_view piece) { text += piece; });
  return text;
}

std::string read_debug_control(host& self) { return self.hooks.debug_control(); }
std::string read_tainted(host& self) { return fmt::format("{}\n", self.loader.taints()); }

constexpr std::string_view debug_control = "/proc/dynamic_debug/control";
constexpr proc_file proc_files[] = {
    {debug_control, 0644, read_debug_control},
    {"/proc/kallsyms", 0444, read_kallsyms},
    {"/proc/modules", 0444, read_modules},
    {"/proc/sys/kernel/tainted", 0444, read_tainted},
};

std::string clean(std::string_view path) {
  std::string out(path);
  while (out.size() > 1 && out.back() == '/')
    out.pop_back();
  return out;
}

bool in_sysfs(std::string_view path) {
  return path == "/sys/module" || path.starts_with("/sys/module/");
}

/// Names right below a directory of proc_files and the tree's root.
std::vector<file_entry> list_above(const std::string& path) {
  const std::string prefix = path == "/" ? path : path + "/";
  std::vector<file_entry> out;
  const auto add = [&](std::string_view full, unsigned mode) {
    if (!full.starts_with(prefix))
      return;
    const std::string_view rest = full.substr(prefix.size());
    const std::size_t slash = rest.find('/');
    const bool inner = slash != rest.npos || mode == 0;
    const std::string name(rest.substr(0, slash));
    if (out.empty() || out.back().name != name)
      out.push_back({name, inner ? 'd' : '-', inner ? 0555 : mode, {}});
  };
  for (const proc_file& file : proc_files)
    add(file.path, file.mode);
  add("/sys/module", 0);
  return out;
}

[[noreturn]] void fail(kmodld::i64 status, std::string_view path) {
  const int number = static_cast<int>(-status);
  throw refusal(number, fmt::format("{}: {}", path, std::strerror(number)));
}

/// Parameters are read and written under the module's own lock, everything else under the loader's.
/// Only one thread runs commands, so the loader's serves for both.
template <class F>
auto locked(host& self, F&& f) {
  const kmodld::lock_guard hold(self.lock);
  return f();
}

} // namespace

bool is_virtual(std::string_view path) {
  return path == "/" || path == "/proc" || path == "/sys" || path.starts_with("/proc/") ||
         path.starts_with("/sys/");
}

std::string read_file(host& self, std::string_view path_given) {
  const std::string path = clean(path_given);
  for (const proc_file& file : proc_files)
    if (file.path == path)
      return file.read(self);
  if (!in_sysfs(path))
    fail(list_above(path).empty() ? -ENOENT : -EISDIR, path);
  std::string text;
  std::vector<char> piece(65536);
  for (;;) {
    const kmodld::i64 count =
        locked(self, [&] { return self.tree.read(path, text.size(), piece); });
    if (count < 0)
      fail(count, path);
    if (count == 0)
      return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

void write_file(host& self, std::string_view path_given, std::string_view text) {
  const std::string path = clean(path_given);
  kmodld::i64 status = 0;
  if (path == debug_control)
    status = self.hooks.debug_write(text);
  else if (std::ranges::find(proc_files, std::string_view(path), &proc_file::path) !=
           std::end(proc_files))
    status = -EACCES;
  else if (!in_sysfs(path))
    status = list_above(path).empty() ? -ENOENT : -EISDIR;
  else
    status = locked(self, [&] { return self.tree.write(path, text); });
  if (status < 0)
    fail(status, path);
}

std::vector<file_entry> list_files(host& self, std::string_view path_given) {
  const std::string path = clean(path_given);
  for (const proc_file& file : proc_files)
    if (file.path == path)
      return {{path, '-', file.mode, {}}};
  std::vector<file_entry> out;
  if (!in_sysfs(path)) {
    out = list_above(path);
    if (out.empty())
      fail(-ENOENT, path);
    return out;
  }
  locked(self, [&] {
    kmodld::sysfs_entry own;
    int status = self.tree.stat(path, own);
    const auto entry_of = [&](const kmodld::sysfs_entry& e) {
      constexpr char types[] = {'d', '-', 'l'};
      return file_entry{std::string(e.name), types[e.kind], e.mode, {}};
    };
    if (status == 0 && own.kind == kmodld::sysfs_entry::file)
      out = {{path, '-', own.mode, {}}};
    else if (status == 0)
      status =
          self.tree.list(path, [&](const kmodld::sysfs_entry& e) { out.push_back(entry_of(e)); });
    if (status < 0)
      fail(status, path);
    for (file_entry& e : out) {
      char target[128];
      if (e.type == 'l' && self.tree.read_link(path + "/" + e.name, target) > 0)
        e.target = target;
    }
  });
  std::ranges::sort(out, {}, &file_entry::name);
  return out;
}

} // namespace linux_like
