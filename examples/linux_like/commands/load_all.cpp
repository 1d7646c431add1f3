// SPDX-License-Identifier: MIT
// load-all and unload-all: every module below a directory, each behind those that it needs.
#include "commands.hpp"

#include <algorithm>

namespace linux_like::commands {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

struct module_file {
  std::filesystem::path path;
  byte_vector bytes;
};

std::vector<module_file> read_all(const std::filesystem::path& directory) {
  std::error_code status;
  std::vector<module_file> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, status))
    if (!entry.is_symlink() && is_module_file(entry.path()))
      out.push_back({entry.path(), {}});
  if (status)
    throw refusal(status.value(), directory.string() + ": " + status.message());
  std::ranges::sort(out, {}, &module_file::path);
  for (module_file& file : out)
    file.bytes = read_module_file(file.path);
  return out;
}

} // namespace

void load_all(shell& self, words given) {
  expect_words(given, 1, 1, "load-all DIR");
  auto start = clock::now();
  const std::vector<module_file> files = read_all(given[0].text);
  if (files.empty())
    throw refusal(ENOENT, given[0].text + ": no modules there");
  const double reading = seconds_since(start);

  start = clock::now();
  std::vector<std::vector<std::string_view>> exported(files.size()), needed(files.size());
  for (std::size_t i = 0; i < files.size(); ++i)
    try {
      const module_view view = view_module(files[i].bytes);
      exported[i] = view.exported_names();
      needed[i] = view.needed_names();
    } catch (const refusal&) {
      continue; // the loader will say it again
    }
  const auto order = dependency_order(exported, needed);
  const double ordering = seconds_since(start);

  start = clock::now();
  std::vector<std::string> refusals;
  for (const std::size_t i : order)
    try {
      self.host.load(files[i].bytes);
    } catch (const refusal& no) {
      refusals.push_back(fmt::format("{}: {}", files[i].path.string(), text_of(no)));
    }
  const double loading = seconds_since(start);

  for (const std::string& line : refusals)
    fmt::print("refused {}\n", line);
  fmt::print("{} modules loaded, {} refused; {:.3f} s after reading ({:.3f} s to find the order, "
             "{:.3f} s to load), {:.3f} s to read\n",
             files.size() - refusals.size(), refusals.size(), ordering + loading, ordering, loading,
             reading);
  if (!refusals.empty())
    throw refusal(ENOEXEC, fmt::format("{} modules were refused", refusals.size()));
}

void unload_all(shell& self, words given) {
  expect_words(given, 0, 0, "unload-all");
  const auto start = clock::now();
  std::size_t before = 0, after = 0;
  for (const kmodld::module& m : self.host.loader.modules())
    before += m.name().empty() ? 0 : 1;
  self.host.loader.unload_all();
  self.host.exports.collect(self.host.lock);
  for (const kmodld::module& m : self.host.loader.modules())
    after += m.name().empty() ? 0 : 1;
  const auto bytes = self.host.memory.in_use();
  const std::size_t percpu = self.host.percpu.in_use();
  const std::size_t exports = self.host.exports.names();
  const std::size_t leaked_exports = exports - self.host.kernel_exports.size();
  fmt::print(
      "{} modules unloaded in {:.3f} s; left behind: {} modules, {} bytes, {} per-CPU areas, "
      "{} exports\n",
      before - after, seconds_since(start), after, bytes, percpu, leaked_exports);
  if (after + bytes + percpu + leaked_exports != 0)
    throw refusal(ENOTEMPTY, "something was left behind");
}

} // namespace linux_like::commands
