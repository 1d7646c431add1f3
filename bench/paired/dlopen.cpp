// SPDX-License-Identifier: MIT
// dlopen of a shared object with a million relocations, relative ones or symbolic ones of 20,000
// symbols, against kmodld's load of a relocatable object with the same words. Time a relocation,
// everything included. dlopen maps its object anew each time; kmodld's arena is measured both new
// and after it has held the object before, as in a host that loads and unloads; its image is in
// memory, or mapped from the file each time, as dlopen does it. The largest module stands beside.
#include "hosts.hpp"
#include "parts.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kmodld::bench {
namespace {

constexpr unsigned slots = 1'000'000, symbols = 20'000;

/// Loads an object that is no module of a kernel.
struct object_abi : abi::plain {
  static constexpr bool wide_relocations = false;
  static constexpr bool kallsyms = false;
  static constexpr bool modversions = false;
  static constexpr bool build_id = false;
};
struct object_host : link_host {
  using abi = object_abi;
};

struct objects {
  std::filesystem::path shared;      ///< for dlopen
  std::filesystem::path packed;      ///< the same with RELR, where the linker knows it
  std::filesystem::path relocatable; ///< for kmodld
  explicit operator bool() const { return !shared.empty(); }
};

/// A table of `slots` words that all need a relocation, in two forms. Symbolic ones are found by
/// name in either: in the shared object itself, among the host's exports.
objects make(std::filesystem::path const& scratch, bool symbolic) {
  std::string const name = scratch / (symbolic ? "symbolic" : "relative");
  std::ofstream words{name + ".inc"};
  if (symbolic)
    for (unsigned i = 0; i < slots; ++i)
      words << ".quad symbol_" << (i * 2654435761u >> 8) % symbols << "\n";
  else
    words << "here: .quad 0\n.rept " << slots << "\n.quad here\n.endr\n";
  words.close();
  std::ofstream definitions{name + "_all.inc"};
  for (unsigned i = 0; symbolic && i < symbols; ++i)
    definitions << ".globl symbol_" << i << "\nsymbol_" << i << ": .byte 0\n";
  definitions.close();
  std::string const note = ".section .note.GNU-stack,\"\",@progbits\n";
  std::ofstream{name + ".s"} << ".data\n.balign 8\n.include \"" << name << ".inc\"\n" << note;
  std::ofstream{name + "_all.s"} << ".data\n.include \"" << name << "_all.inc\"\n.balign 8\n"
                                 << ".include \"" << name << ".inc\"\n"
                                 << note;
  auto const done = [](std::string const& command) {
    return std::system((command + " 2>/dev/null").c_str()) == 0;
  };
  std::string const link = "cc -shared -nostdlib " + name + "_all.s -o " + name + ".so";
  bool const good = done("cc -c -o " + name + ".o " + name + ".s") &&
                    (done(link + " -Wl,-z,nopack-relative-relocs,--hash-style=gnu") || done(link));
  bool const packs = done(link + "-packed -Wl,-z,pack-relative-relocs");
  return good ? objects{name + ".so", packs ? name + ".so-packed" : "", name + ".o"} : objects{};
}

/// A file mapped for reading, while it lives.
class mapped_file {
public:
  explicit mapped_file(std::filesystem::path const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat is;
    if (fd < 0 || ::fstat(fd, &is) != 0)
      throw std::runtime_error(path.string() + ": cannot be read");
    size_ = static_cast<std::size_t>(is.st_size);
    at_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    ::close(fd);
    if (at_ == MAP_FAILED)
      throw std::runtime_error(path.string() + ": cannot be mapped");
  }
  mapped_file(mapped_file const&) = delete;
  ~mapped_file() { ::munmap(at_, size_); }
  byte_view view() const { return {static_cast<std::byte const*>(at_), size_}; }

private:
  void* at_;
  std::size_t size_;
};

/// Loads and unloads images in one arena.
class object_loader {
public:
  explicit object_loader(hosted::arena& arena, std::vector<std::string> const& exports)
      : protector_{arena}, table_{arena},
        loader_{{.allocator = arena, .symbol_resolver = table_, .protector = protector_}} {
    u64 at = 0x10000;
    for (std::string const& name : exports)
      table_.add(name, {.value = {at += 16}});
  }
  module_ref load(byte_view image) {
    auto loaded = loader_.load(image, {}, {.name = "object"});
    if (!loaded)
      throw std::runtime_error(fmt::format("an object was refused with error {}",
                                           static_cast<unsigned>(loaded.error().code)));
    return std::move(*loaded);
  }

private:
  hosted::mprotect_protector protector_;
  export_table table_;
  loader<object_host> loader_;
};

/// Whether every word of the loaded object is what its relocation asks for.
void check(module_ref const& m, bool symbolic) {
  region const* data = nullptr;
  for (module_memory const& part : m->all_memories())
    if (part.kind == memory_kind::data)
      data = &part.memory;
  for (unsigned i = 0; data != nullptr && i < slots; ++i) {
    u64 word = 0;
    std::memcpy(&word, data->host + (i + !symbolic) * 8, 8);
    u64 const wanted =
        symbolic ? 0x10000 + 16 * (u64{(i * 2654435761u >> 8) % symbols} + 1) : data->target.value;
    if (word != wanted)
      throw std::runtime_error("an object's word is wrong");
  }
  if (data == nullptr)
    throw std::runtime_error("an object has no data");
}

} // namespace

void measure_dlopen(report& out, std::vector<module_file> const& all, run_options const& o) {
  objects const relative = make(o.scratch, false), symbolic = make(o.scratch, true);
  if (!relative || !symbolic) {
    out.note("SKIPPED: dlopen: no compiler to make a shared object with");
    return;
  }
  auto const open = [](std::filesystem::path const& object) {
    return [object] {
      void* handle = nullptr;
      seconds const time = time_of(
          [&] { handle = ::dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND); });
      if (handle == nullptr)
        throw std::runtime_error(::dlerror());
      ::dlclose(handle);
      return time / slots;
    };
  };
  std::vector<std::string> exports;
  for (unsigned i = 0; i < symbols; ++i)
    exports.push_back(fmt::format("symbol_{}", i));
  mapped_file const in_memory[] = {mapped_file{relative.relocatable},
                                   mapped_file{symbolic.relocatable}};
  auto const load = [&](hosted::arena& arena, byte_view image) {
    object_loader loader{arena, exports};
    return time_of([&] { static_cast<void>(loader.load(image)); }) / slots;
  };
  auto const load_file = [&](hosted::arena& arena, std::filesystem::path const& path) {
    object_loader loader{arena, exports};
    return time_of([&] { static_cast<void>(loader.load(mapped_file{path}.view())); }) / slots;
  };
  auto const fresh_file = [&](std::filesystem::path const& path) {
    hosted::arena arena;
    return load_file(arena, path);
  };
  auto const fresh = [&](byte_view image) {
    hosted::arena arena;
    return load(arena, image);
  };
  hosted::arena used;
  for (bool by_name : {false, true}) {
    object_loader loader{used, exports};
    check(loader.load(in_memory[by_name].view()), by_name);
  }
  // The largest module by itself, as a plugin host would load it: fresh memory, protection at once.
  module_file const& file = named(all, "amdgpu");
  auto const kernel = kernel_imports({file});
  double relocations = 0;
  {
    elf::image<x86_64::format> image;
    error e;
    static_cast<void>(
        elf::image<x86_64::format>::check(file.view(), [](auto const&) { return true; }, image, e));
    for (u32 i = 1; i < image.section_count(); ++i)
      if (image.section(i).sh_type == elf::sht_rela &&
          (image.section(image.section(i).sh_info).sh_flags & elf::shf_alloc) != 0)
        relocations += static_cast<double>(image.entries<x86_64::relocation>(i).size());
  }
  auto const ours = [&](hosted::arena& arena) {
    hosted::mprotect_protector protector{arena};
    export_table table{arena};
    u64 at = 0x10000;
    for (std::string const& name : kernel)
      table.add(name, {.value = {at += 16}});
    loader<link_host> loader{
        {.allocator = arena, .symbol_resolver = table, .protector = protector}};
    return time_of([&] {
             if (!loader.load(file.view()))
               throw std::runtime_error("amdgpu was refused");
           }) /
           relocations;
  };
  hosted::arena kept;
  static_cast<void>(ours(kept));
  std::vector<variant> variants = {
      {"kmodld, relative, arena in use", [&] { return load(used, in_memory[0].view()); }},
      {"kmodld, relative, new arena", [&] { return fresh(in_memory[0].view()); }},
      {"kmodld, relative, new arena, from the file",
       [&] { return fresh_file(relative.relocatable); }},
      {"kmodld, symbolic, arena in use", [&] { return load(used, in_memory[1].view()); }},
      {"kmodld, symbolic, new arena", [&] { return fresh(in_memory[1].view()); }},
      {"kmodld, symbolic, new arena, from the file",
       [&] { return fresh_file(symbolic.relocatable); }},
      {"kmodld, amdgpu, arena in use", [&] { return ours(kept); }},
      {"dlopen, relative", open(relative.shared)},
      {"dlopen, symbolic", open(symbolic.shared)}};
  if (!relative.packed.empty())
    variants.push_back({"dlopen, relative, packed (RELR)", open(relative.packed)});
  auto const times = run_rounds(variants, o.rounds);
  out.add("dlopen", times, 1, "ns/relocation");
  out.at_least("dlopen-relative-to-link", ratio(times[7], times[0]), 3, 4.4);
  out.at_least("dlopen-symbolic-to-link", ratio(times[8], times[3]), 4, 6);
  out.at_least("dlopen-relative-to-link-fresh", ratio(times[7], times[1]), 3, 4.4);
  out.at_least("dlopen-symbolic-to-link-fresh", ratio(times[8], times[4]), 4, 6);
  auto const told = [&](char const* what, timing const& theirs, timing const& our) {
    out.add({"dlopen to kmodld", what, "x", ratio(theirs, our), 0});
  };
  told("relative, both from their file, new memory", times[7], times[2]);
  told("symbolic, both from their file, new memory", times[8], times[5]);
  told("relative, to amdgpu", times[7], times[6]);
  told("symbolic, to amdgpu", times[8], times[6]);
  if (!relative.packed.empty()) {
    told("packed, arena in use", times[9], times[0]);
    told("packed, both from their file, new memory", times[9], times[2]);
  }
}

} // namespace kmodld::bench
