// SPDX-License-Identifier: MIT
// corpora ROOT [--every K] [--jobs N]: links every K-th module (1: all) of the kernel package
// unpacked at ROOT, by path, against made-up exports. Prints a line for each that is refused, then
//   ARCH RELEASE: N of M modules, R refused, X relocations, Y in the files, T ms in the loader, B
//   MB
// where X is what the loader applied and Y an independent count. Exit status 1 if any was refused.
#include "corpora/link.hpp"
#include "support/files.hpp"
#include "verify/workers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <thread>

using namespace kmodld;
using namespace kmodld::corpora;
namespace fs = std::filesystem;

namespace {

struct arguments {
  fs::path root;
  unsigned every = 1;
  unsigned jobs = std::thread::hardware_concurrency();
};

bool parse_number(char const* text, unsigned& out) {
  char const* const end = text + std::strlen(text);
  auto const [stop, bad] = std::from_chars(text, end, out);
  return bad == std::errc{} && stop == end && out != 0;
}

bool parse(int argc, char** argv, arguments& out) {
  for (int i = 1; i < argc; ++i) {
    std::string_view const a = argv[i];
    if (a == "--every" || a == "--jobs") {
      if (++i == argc || !parse_number(argv[i], a == "--every" ? out.every : out.jobs))
        return false;
    } else if (a.starts_with("--") || !out.root.empty()) {
      return false;
    } else {
      out.root = a;
    }
  }
  return !out.root.empty();
}

std::vector<fs::path> find_modules(fs::path const& root) {
  std::vector<fs::path> all;
  for (auto const& entry : fs::recursive_directory_iterator(root)) {
    std::string const name = entry.path().filename().string();
    if (entry.is_regular_file() && (name.ends_with(".ko") || name.ends_with(".ko.xz")))
      all.push_back(entry.path());
  }
  std::ranges::sort(all);
  return all;
}

/// The component after "modules".
std::string release_of(fs::path const& path) {
  for (auto it = path.begin(); it != path.end(); ++it)
    if (*it == "modules" && std::next(it) != path.end())
      return std::next(it)->string();
  throw std::runtime_error(path.string() + ": is not below modules/RELEASE");
}

/// Linux 6.4 split core and init into seven kinds.
bool has_seven_kinds(std::string const& release) {
  unsigned major = 0, minor = 0;
  if (std::sscanf(release.c_str(), "%u.%u", &major, &minor) != 2)
    throw std::runtime_error(release + ": is no release");
  return major > 6 || (major == 6 && minor >= 4);
}

linker const& choose(byte_view image, bool seven_kinds) {
  for (linker const* one : linkers())
    if (one->seven_kinds == seven_kinds && one->accepts(image))
      return *one;
  throw std::runtime_error("no linker for this architecture and release");
}

struct counts {
  u64 relocations = 0, counted = 0, nanoseconds = 0, bytes = 0;
};

/// The first line of a result are its counts.
verify::job_result link_file(linker const& with, fs::path const& path) {
  test::byte_vector const image = test::read_maybe_xz(path);
  linked const l = with.link(image);
  std::ostringstream line;
  line << l.relocations << ' ' << count_relocations(image) << ' ' << l.nanoseconds << ' '
       << image.size();
  verify::job_result out{verify::verdict::passed, {line.str()}};
  if (!l.refused.empty()) {
    out.status = verify::verdict::failed;
    out.lines.push_back(l.refused);
  }
  return out;
}

int run(arguments const& a) {
  std::vector<fs::path> const all = find_modules(a.root);
  std::vector<fs::path> chosen;
  for (std::size_t i = a.every - 1; i < all.size(); i += a.every)
    chosen.push_back(all[i]);
  if (chosen.empty())
    throw std::runtime_error(a.root.string() + ": no modules");
  std::string const release = release_of(chosen[0]);
  linker const& with = choose(test::read_maybe_xz(chosen[0]), has_seven_kinds(release));

  verify::workers work{chosen.size(), a.jobs,
                       [&](std::size_t i) { return link_file(with, chosen[i]); }};
  std::vector<verify::job_result> const results = work();
  counts sum;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    counts one;
    bool const counted = results[i].lines.size() > 0 && std::istringstream{results[i].lines[0]} >>
                                                            one.relocations >> one.counted >>
                                                            one.nanoseconds >> one.bytes;
    sum.relocations += one.relocations;
    sum.counted += one.counted;
    sum.nanoseconds += one.nanoseconds;
    sum.bytes += one.bytes;
    if (results[i].status == verify::verdict::passed)
      continue;
    ++refused;
    // A crash has no counts, and a reason for its first line.
    for (std::size_t k = counted; k < results[i].lines.size(); ++k)
      std::printf("%s: %s\n", chosen[i].filename().c_str(), results[i].lines[k].c_str());
  }
  std::printf("%s %s: %zu of %zu modules, %zu refused, %llu relocations, %llu in the files, "
              "%.0f ms in the loader, %.0f MB\n",
              std::string{with.arch}.c_str(), release.c_str(), chosen.size(), all.size(), refused,
              static_cast<unsigned long long>(sum.relocations),
              static_cast<unsigned long long>(sum.counted),
              static_cast<double>(sum.nanoseconds) / 1e6, static_cast<double>(sum.bytes) / 1e6);
  return refused == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fprintf(stderr, "usage: corpora ROOT [--every K] [--jobs N]\n");
    return 2;
  }
  try {
    return run(a);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "corpora: %s\n", e.what());
    return 2;
  }
}
