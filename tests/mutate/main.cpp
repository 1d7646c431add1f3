// SPDX-License-Identifier: MIT
// mutate [--count N] [--seed S] [--seconds T] FILE...: damages modules at random and takes each
// through a whole load, all readers and an unload, under the sanitizers. Each must load or be
// refused, and leave nothing. A failure names the seed that shows it again with --count 1.
#include "mutate/damage.hpp"
#include "mutate/host.hpp"
#include "support/files.hpp"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <string>

using namespace kmodld;
using namespace kmodld::mutate;

namespace {

struct corpus {
  std::vector<std::string> names;
  std::vector<bytes> images;
  std::set<std::string> wanted; ///< undefined in some module and exported by none
};

void learn(corpus& all, bytes const& image) {
  elf::image<elf_format> view;
  error e;
  if (elf::image<elf_format>::check(image, [](auto const&) { return true; }, view, e) != errc::ok)
    return;
  for (u32 i = 1; i < view.section_count(); ++i)
    if (view.section(i).sh_type == elf::sht_symtab)
      for (auto const& s : view.entries<elf_format::sym>(i))
        if (s.st_shndx == elf::shn_undef && s.st_name != 0)
          all.wanted.emplace(string_at(view.data(view.section(i).sh_link), s.st_name));
}

/// What a kernel would look at while the module is there.
template <class Host>
void read_everything(Host& h, module& m, std::mt19937_64& random) {
  volatile u64 sum = 0;
  auto sink = [&](std::string_view s) {
    for (char c : s)
      sum = sum + static_cast<u8>(c);
  };
  proc_modules(h.loads.modules(), sink);
  proc_kallsyms<elf_format>(
      h.loads.modules(), [](module const&, std::string_view, address) { return false; }, sink);
  symbol_at found;
  for (module_memory const& part : m.all_memories())
    for (int i = 0; i < 8 && part.memory.size != 0; ++i)
      if (find_symbol_at<elf_format>(h.loads.modules(),
                                     part.memory.target + random() % part.memory.size, found))
        sink(found.name);
  std::string const root = "/sys/module/" + std::string{m.name()};
  for (char const* directory : {"", "/parameters", "/sections", "/notes", "/holders"}) {
    std::vector<std::string> files;
    h.tree.list(root + directory, [&](sysfs_entry const& e) { files.emplace_back(e.name); });
    char buffer[4096];
    for (std::string const& f : files)
      h.tree.read(root + directory + "/" + f, 0, buffer);
  }
  if (auto const* table = m.extable.load()) {
    exception_table<elf_format, abi::linux_6_1::extable> const entries{*table};
    exception out;
    for (u32 i = 0; i < entries.size() && i < 16; ++i)
      entries.find(entries[i].insn, out);
  }
}

char doing[256];

template <class Abi>
class run {
  host<Abi> host_;
  u64 base_ = 0;

public:
  u64 loaded = 0, refused = 0;

  explicit run(corpus const& all) {
    u64 at = 0xffffffff81000000;
    u32 crc = 1;
    for (std::string const& name : all.wanted) {
      exported_symbol s{.value = {at += 16}, .crc = crc++, .has_crc = crc % 7 == 0};
      for (std::size_t i = 0; i < std::size(ops_names); ++i)
        if (name == ops_names[i])
          s.value = ops.rows[i].ops;
      if (!host_.symbols.add(name, s))
        std::abort();
    }
    if (!host_.symbols.reserve(3000)) // so that no load makes the table grow
      std::abort();
    base_ = host_.allocator.live_regions();
  }

  /// True if nothing was left behind.
  bool operator()(bytes const& image, u64 seed) {
    std::mt19937_64 random{seed};
    static constexpr std::string_view arguments[] = {
        "", "debug=1", "a=1,2,3 b=\"x y\" dyndbg=+p -- rest", "x= nosuch async_probe"};
    load_flags const flags{.ignore_modversions = random() % 2 == 0,
                           .ignore_vermagic = random() % 2 == 0};
    // The exact size, on the heap: one byte beyond is seen.
    auto copy = std::make_unique<std::byte[]>(image.size());
    std::memcpy(copy.get(), image.data(), image.size());
    auto result = host_.loads.load({copy.get(), image.size()}, arguments[random() % 4], flags);
    copy.reset();
    if (result) {
      ++loaded;
      read_everything(host_, **result, random);
    } else {
      ++refused;
      char text[512];
      kmodld::format(result.error(), text);
      if (result.error().os_errno() <= 0)
        return false;
    }
    if (result)
      result->reset();
    host_.loads.unload_all();
    return host_.allocator.live_regions() == base_ && host_.allocator.mistakes() == 0 &&
           host_.percpu.live == 0 && host_.loads.modules().empty();
  }
};

} // namespace

extern "C" void __asan_on_error();
extern "C" void __asan_on_error() { std::fprintf(stderr, "while loading %s\n", doing); }

int main(int argc, char** argv) {
  u64 count = 3000, seed = 1, seconds = 60;
  corpus all;
  for (int i = 1; i < argc; ++i) {
    std::string_view const a = argv[i];
    u64* number = a == "--count"     ? &count
                  : a == "--seed"    ? &seed
                  : a == "--seconds" ? &seconds
                                     : nullptr;
    if (number != nullptr && i + 1 < argc) {
      *number = std::strtoull(argv[++i], nullptr, 10);
      continue;
    }
    auto const image = test::read_maybe_xz(argv[i]);
    all.names.emplace_back(argv[i]);
    all.images.push_back(image);
    learn(all, image);
  }
  if (all.images.empty()) {
    std::fprintf(stderr, "usage: mutate [--count N] [--seed S] [--seconds T] FILE...\n");
    return 2;
  }
  run<linux_6_1> two_regions{all};
  run<linux_6_12_far> seven_regions{all};
  auto const start = std::chrono::steady_clock::now();
  u64 done = 0, failed = 0;
  for (; done < count; ++done) {
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds{seconds})
      break;
    u64 const s = seed + done;
    std::size_t const which = std::mt19937_64{s}() % all.images.size();
    std::snprintf(doing, sizeof doing, "%s, --seed %llu", all.names[which].c_str(),
                  static_cast<unsigned long long>(s));
    bytes image = all.images[which];
    damage{image, s}();
    bool const good = s % 2 == 0 ? two_regions(image, s) : seven_regions(image, s);
    if (!good) {
      std::printf("FAILED: something left behind: %s\n", doing);
      ++failed;
    }
  }
  std::printf("%llu damaged modules: %llu loaded, %llu refused\n",
              static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(two_regions.loaded + seven_regions.loaded),
              static_cast<unsigned long long>(two_regions.refused + seven_regions.refused));
  std::printf("%d passed, %d failed, 0 skipped\n", failed == 0 ? 1 : 0, failed == 0 ? 0 : 1);
  return failed == 0 ? 0 : 1;
}
