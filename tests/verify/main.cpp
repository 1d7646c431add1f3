// SPDX-License-Identifier: MIT
// verify FILE.jsonl[.xz] ROOT [--jobs N]: loads each module of a ground-truth file from the package
// unpacked at ROOT and compares regions, sections, bytes and symbols with what a real kernel (or a
// static linker, linked-*) made of it. Exit status 0 only if none failed and one passed.
#include "verify/compare.hpp"
#include "verify/load.hpp"
#include "verify/workers.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <thread>

using namespace kmodld;
using namespace kmodld::verify;

namespace {

struct arguments {
  std::filesystem::path file, root;
  unsigned jobs = std::thread::hardware_concurrency();
};

bool parse(int argc, char** argv, arguments& out) {
  int positional = 0;
  for (int i = 1; i < argc; ++i) {
    std::string_view a = argv[i];
    if (a == "--jobs" || a.starts_with("--jobs=")) {
      if (a == "--jobs" && ++i == argc)
        return false;
      std::string_view n = a == "--jobs" ? std::string_view{argv[i]} : a.substr(7);
      auto [end, bad] = std::from_chars(n.data(), n.data() + n.size(), out.jobs);
      if (bad != std::errc{} || end != n.data() + n.size() || out.jobs == 0)
        return false;
    } else if (a.starts_with("--") || positional == 2) {
      return false;
    } else {
      (positional++ == 0 ? out.file : out.root) = a;
    }
  }
  return positional == 2;
}

job_result judge(record const& r, std::filesystem::path const& root) {
  std::filesystem::path path = test::find_in_package(root, r.path);
  if (path.empty())
    return {verdict::skipped, {r.path + " is not there"}};
  test::byte_vector image = test::read_maybe_xz(path);
  if (r.file_hash && test::sha256_prefix(image) != *r.file_hash)
    return {verdict::skipped, {"another file: its sha256 differs"}};
  outcome o = load_for_verify(r, image);
  if (!o.skipped.empty())
    return {verdict::skipped, {o.skipped}};
  std::vector<std::string> lines = compare(r, o);
  return {lines.empty() ? verdict::passed : verdict::failed, std::move(lines)};
}

int run(arguments const& a) {
  std::vector<record> records = read_records(a.file);
  workers all{records.size(), a.jobs, [&](std::size_t i) { return judge(records[i], a.root); }};
  std::vector<job_result> results = all();
  std::size_t counts[3] = {};
  for (std::size_t i = 0; i < results.size(); ++i) {
    ++counts[static_cast<std::size_t>(results[i].status)];
    for (std::string const& line : results[i].lines)
      std::printf("%s%s: %s\n", results[i].status == verdict::skipped ? "SKIPPED: " : "",
                  records[i].name.c_str(), line.c_str());
  }
  std::printf("%zu passed, %zu failed, %zu skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] == 0 && counts[0] != 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fprintf(stderr, "usage: verify FILE.jsonl[.xz] ROOT [--jobs N]\n");
    return 2;
  }
  try {
    return run(a);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "verify: %s\n", e.what());
    return 2;
  }
}
