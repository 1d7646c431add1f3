// SPDX-License-Identifier: MIT
// LLVM's linkers of a JIT, in this process: JITLink and RuntimeDyld link each module by itself, all
// imports answered at once with made-up addresses, memory in the low 2 GiB. Their results are the
// same bytes as kmodld's at the same addresses.
#include "hosts.hpp"
#include "parts.hpp"
#include "prepared.hpp"

#include <fmt/core.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/ExecutionEngine/RTDyldMemoryManager.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/Object/ELFObjectFile.h>
#include <map>
#include <set>
#include <sys/mman.h>

namespace kmodld::bench {
namespace {

namespace jitlink = llvm::jitlink;

constexpr std::size_t page = 4096;
constexpr u64 imports_at = 0x10000;

/// Imports get one address a name, in the order in which they are asked for.
class made_up {
public:
  u64 operator()(llvm::StringRef name) {
    return known_.try_emplace(name.str(), imports_at + 16 * known_.size()).first->second;
  }
  std::map<std::string, u64> const& all() const { return known_; }

private:
  std::map<std::string, u64> known_;
};

/// Where an object's sections came to lie, by name; those of a name used twice drop out.
using placement_map = std::map<std::string, std::byte*>;

std::byte* map_low(std::size_t size) {
  void* const p =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (p == MAP_FAILED)
    throw std::runtime_error("no room in the low 2 GiB");
  return static_cast<std::byte*>(p);
}

/// As jitlink::InProcessMemoryManager, but low: one mapping an object, then its protection.
class low_memory final : public jitlink::JITLinkMemoryManager {
public:
  struct mapping {
    std::byte* first;
    std::size_t size;
  };
  std::vector<mapping> mappings;

  ~low_memory() override {
    for (mapping const& m : mappings)
      ::munmap(m.first, m.size);
  }

  void allocate(jitlink::JITLinkDylib const*, jitlink::LinkGraph& graph,
                OnAllocatedFunction done) override {
    jitlink::BasicLayout layout{graph};
    auto sizes = layout.getContiguousPageBasedLayoutSizes(page);
    if (!sizes)
      return done(sizes.takeError());
    std::size_t const size = std::max<std::size_t>(sizes->total(), page);
    std::byte* at = map_low(size);
    mappings.push_back({at, size});
    for (auto& entry : layout.segments()) {
      auto& segment = entry.second;
      segment.WorkingMem = reinterpret_cast<char*>(at);
      segment.Addr = llvm::orc::ExecutorAddr::fromPtr(at);
      at += llvm::alignTo(segment.ContentSize + segment.ZeroFillSize, page);
    }
    if (auto failed = layout.apply())
      return done(std::move(failed));
    done(std::make_unique<in_flight>(std::move(layout)));
  }
  using JITLinkMemoryManager::allocate;

  void deallocate(std::vector<FinalizedAlloc> all, OnDeallocatedFunction done) override {
    for (FinalizedAlloc& one : all)
      one.release();
    done(llvm::Error::success());
  }
  using JITLinkMemoryManager::deallocate;

private:
  class in_flight final : public InFlightAlloc {
  public:
    explicit in_flight(jitlink::BasicLayout layout) : layout_{std::move(layout)} {}
    void finalize(OnFinalizedFunction done) override {
      for (auto& entry : layout_.segments()) {
        auto& segment = entry.second;
        using llvm::orc::MemProt;
        auto const allowed = [&entry](MemProt what, int bit) {
          bool const has =
              (static_cast<unsigned>(entry.first.getMemProt()) & static_cast<unsigned>(what)) != 0;
          return has ? bit : 0;
        };
        int const bits = allowed(MemProt::Read, PROT_READ) | allowed(MemProt::Write, PROT_WRITE) |
                         allowed(MemProt::Exec, PROT_EXEC);
        ::mprotect(segment.WorkingMem,
                   llvm::alignTo(segment.ContentSize + segment.ZeroFillSize, page), bits);
      }
      done(FinalizedAlloc(llvm::orc::ExecutorAddr{1}));
    }
    void abandon(OnAbandonedFunction done) override { done(llvm::Error::success()); }

  private:
    jitlink::BasicLayout layout_;
  };
};

class link_context final : public jitlink::JITLinkContext {
public:
  link_context(low_memory& memory, made_up& imports, placement_map* placed, bool& good)
      : JITLinkContext(nullptr), memory_{memory}, imports_{imports}, placed_{placed}, good_{good} {}
  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_; }
  void notifyFailed(llvm::Error failed) override {
    llvm::consumeError(std::move(failed));
    good_ = false;
  }
  void lookup(LookupMap const& wanted,
              std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> go_on) override {
    jitlink::AsyncLookupResult found;
    for (auto const& entry : wanted)
      found[entry.first] = {llvm::orc::ExecutorAddr{imports_(entry.first)},
                            llvm::JITSymbolFlags::Exported};
    go_on->run(std::move(found));
  }
  llvm::Error notifyResolved(jitlink::LinkGraph& graph) override {
    if (placed_ != nullptr)
      for (auto& section : graph.sections()) {
        std::byte* at = nullptr;
        std::size_t blocks = 0;
        for (auto* block : section.blocks()) {
          at = block->getAddress().toPtr<std::byte*>();
          ++blocks;
        }
        if (blocks == 1)
          (*placed_)[section.getName().str()] = at;
      }
    return llvm::Error::success();
  }
  void notifyFinalized(jitlink::JITLinkMemoryManager::FinalizedAlloc memory) override {
    memory.release();
  }

private:
  low_memory& memory_;
  made_up& imports_;
  placement_map* placed_;
  bool& good_;
};

llvm::MemoryBufferRef buffer(module_file const& file) {
  return {llvm::StringRef{reinterpret_cast<char const*>(file.bytes.data()), file.bytes.size()},
          "module"};
}

bool link_by_jitlink(module_file const& file, low_memory& memory, made_up& imports,
                     placement_map* placed = nullptr) {
  auto graph = jitlink::createLinkGraphFromObject(buffer(file));
  if (!graph) {
    llvm::consumeError(graph.takeError());
    return false;
  }
  bool good = true;
  jitlink::link(std::move(*graph), std::make_unique<link_context>(memory, imports, placed, good));
  return good;
}

/// As llvm::SectionMemoryManager, but low: code, constants and data of all objects each one behind
/// the other, the object's new pages protected when it is complete.
class dyld_memory final : public llvm::RTDyldMemoryManager {
public:
  placement_map placed;
  std::set<std::string> twice;

  std::uint8_t* allocateCodeSection(std::uintptr_t size, unsigned align, unsigned,
                                    llvm::StringRef name) override {
    return take(code_, size, align, name);
  }
  std::uint8_t* allocateDataSection(std::uintptr_t size, unsigned align, unsigned,
                                    llvm::StringRef name, bool read_only) override {
    return take(read_only ? constants_ : data_, size, align, name);
  }
  bool finalizeMemory(std::string*) override {
    code_.protect(PROT_READ | PROT_EXEC);
    constants_.protect(PROT_READ);
    return false;
  }
  void registerEHFrames(std::uint8_t*, std::uint64_t, std::size_t) override {}
  void deregisterEHFrames() override {}

private:
  class pool {
  public:
    pool() = default;
    pool(pool const&) = delete;
    ~pool() { ::munmap(first_, size); }
    std::byte* take(std::size_t bytes, unsigned align) {
      at_ = llvm::alignTo(at_, std::max(align, 1u));
      std::byte* const p = first_ + at_;
      at_ += bytes;
      if (at_ > size)
        throw std::runtime_error("the modules do not fit their memory");
      return p;
    }
    void protect(int bits) {
      at_ = llvm::alignTo(at_, page);
      if (at_ != protected_)
        ::mprotect(first_ + protected_, at_ - protected_, bits);
      protected_ = at_;
    }

  private:
    static constexpr std::size_t size = std::size_t{200} << 20;
    std::byte* first_ = map_low(size);
    std::size_t at_ = 0, protected_ = 0;
  };

  std::uint8_t* take(pool& from, std::size_t size, unsigned align, llvm::StringRef name) {
    std::byte* const p = from.take(size, align);
    if (!placed.try_emplace(name.str(), p).second)
      twice.insert(name.str());
    return reinterpret_cast<std::uint8_t*>(p);
  }

  pool code_, constants_, data_;
};

class dyld_resolver final : public llvm::JITSymbolResolver {
public:
  explicit dyld_resolver(made_up& imports) : imports_{imports} {}
  void lookup(LookupSet const& wanted, OnResolvedFunction done) override {
    LookupResult found;
    for (llvm::StringRef name : wanted)
      found[name] = {imports_(name), llvm::JITSymbolFlags::Exported};
    done(std::move(found));
  }
  llvm::Expected<LookupSet> getResponsibilitySet(LookupSet const&) override { return LookupSet{}; }

private:
  made_up& imports_;
};

bool link_by_dyld(module_file const& file, dyld_memory& memory, made_up& imports) {
  auto object = llvm::object::ObjectFile::createObjectFile(buffer(file));
  if (!object) {
    llvm::consumeError(object.takeError());
    return false;
  }
  dyld_resolver resolver{imports};
  llvm::RuntimeDyld linker{memory, resolver};
  auto const loaded = linker.loadObject(**object);
  linker.resolveRelocations();
  return !linker.hasError() && !memory.finalizeMemory(nullptr);
}

/// Whether a linker made of a module's sections what kmodld makes of them at these addresses.
/// `is_dyld`: RuntimeDyld calls imports by stubs of its own and takes local symbols of one name for
/// one, so that such sections cannot be compared.
std::size_t compared_sections(module_file const& file, placement_map const& placed,
                              made_up& imports, std::string const& who, bool is_dyld) {
  using format = x86_64::format;
  elf::image<format> image;
  error e;
  static_cast<void>(
      elf::image<format>::check(file.view(), [](auto const&) { return true; }, image, e));
  std::vector<u64> values;
  auto const address_of = [&](u32 section) -> std::byte* {
    auto const found = placed.find(std::string{image.name(section)});
    return found == placed.end() ? nullptr : found->second;
  };
  u32 symtab = 0;
  for (u32 i = 1; i < image.section_count(); ++i)
    if (image.section(i).sh_type == elf::sht_symtab)
      symtab = i;
  std::vector<bool> known, imported;
  std::map<std::string_view, int> named;
  for (auto const& s : image.entries<format::sym>(symtab))
    ++named[string_at(image.data(image.section(symtab).sh_link), s.st_name)];
  for (auto const& s : image.entries<format::sym>(symtab)) {
    u32 const section = s.st_shndx;
    u64 value = s.st_value;
    bool is_known = true;
    if (section == elf::shn_undef && s.st_name != 0)
      value = imports(std::string{string_at(image.data(image.section(symtab).sh_link), s.st_name)});
    else if (section != elf::shn_undef && section < image.section_count()) {
      value += reinterpret_cast<std::uintptr_t>(address_of(section));
      is_known = address_of(section) != nullptr;
    }
    values.push_back(value);
    auto const name = string_at(image.data(image.section(symtab).sh_link), s.st_name);
    known.push_back(is_known && (!is_dyld || name.empty() || named[name] == 1));
    imported.push_back(section == elf::shn_undef);
  }
  std::size_t compared = 0;
  for (u32 i = 1; i < image.section_count(); ++i) {
    auto const& s = image.section(i);
    std::byte* const at = s.sh_type == elf::sht_rela ? address_of(s.sh_info) : nullptr;
    if (at == nullptr)
      continue;
    auto const all = image.entries<x86_64::relocation>(i);
    if (!std::ranges::all_of(all, [&](auto const& r) {
          u32 const symbol = x86_64::symbol_of(r);
          bool const by_stub = is_dyld && x86_64::type_of(r) == 4 && imported[symbol];
          return known[symbol] && !by_stub;
        }))
      continue;
    byte_view const original = image.data(s.sh_info);
    std::vector<std::byte> ours{original.begin(), original.end()};
    auto const done =
        relocate<x86_64>({ours, {reinterpret_cast<std::uintptr_t>(at)}, original, all}, {values});
    if (!done || std::memcmp(ours.data(), at, ours.size()) != 0)
      throw std::runtime_error(
          fmt::format("{} and kmodld differ in {}", who, std::string{image.name(s.sh_info)}));
    ++compared;
  }
  return compared;
}

void compare(report& out, module_file const& file) {
  made_up imports;
  low_memory jit;
  placement_map placed;
  if (!link_by_jitlink(file, jit, imports, &placed))
    throw std::runtime_error("JITLink refused a module");
  std::size_t const by_jitlink = compared_sections(file, placed, imports, "JITLink", false);
  dyld_memory dyld;
  if (!link_by_dyld(file, dyld, imports))
    throw std::runtime_error("RuntimeDyld refused a module");
  for (std::string const& name : dyld.twice)
    dyld.placed.erase(name);
  std::size_t const by_dyld = compared_sections(file, dyld.placed, imports, "RuntimeDyld", true);
  out.note(fmt::format("same bytes as kmodld in sections of {}: JITLink {}, RuntimeDyld {}",
                       file.path.filename().string(), by_jitlink, by_dyld));
  if (by_jitlink == 0 || by_dyld == 0)
    throw std::runtime_error("nothing to compare");
}

} // namespace

void measure_llvm(report& out, std::vector<module_file> const& all, run_options const& o) {
  compare(out, named(all, "xfs"));
  std::vector<module_file const*> files;
  for (module_file const& file : all)
    files.push_back(&file);
  auto const jitlink_all = [&] {
    low_memory memory;
    made_up imports;
    std::size_t refused = 0;
    seconds const time = time_of([&] {
      for (module_file const* file : files)
        refused += !link_by_jitlink(*file, memory, imports);
    });
    if (refused != 0)
      throw std::runtime_error(fmt::format("JITLink refused {} modules", refused));
    return time;
  };
  auto const dyld_all = [&] {
    dyld_memory memory;
    made_up imports;
    std::size_t refused = 0;
    seconds const time = time_of([&] {
      for (module_file const* file : files)
        refused += !link_by_dyld(*file, memory, imports);
    });
    if (refused != 0)
      throw std::runtime_error(fmt::format("RuntimeDyld refused {} modules", refused));
    return time;
  };
  auto const times = run_rounds(
      {{"kmodld, whole link, pre-faulted memory", whole_link(all, o, memory_state::populated)},
       {"kmodld, whole link, fresh memory", whole_link(all, o, memory_state::fresh)},
       {"kmodld, fresh memory, each protected at once",
        whole_link(all, o, memory_state::fresh, hosted::settles::at_once)},
       {"kmodld, places and copies only", whole_copy(all, o, memory_state::populated)},
       {"JITLink", jitlink_all},
       {"RuntimeDyld", dyld_all}},
      std::min(o.rounds, 7));
  out.add("linkers of a JIT, all modules", times, static_cast<double>(all.size()), "ns/module");
  out.at_least("jitlink-to-link", ratio(times[4], times[0]), 30, 45);
  out.at_least("runtimedyld-to-link", ratio(times[5], times[0]), 50, 80);
  out.at_least("jitlink-to-link-fresh", ratio(times[4], times[1]), 30, 45);
  out.at_least("runtimedyld-to-link-fresh", ratio(times[5], times[1]), 50, 80);
}

} // namespace kmodld::bench
