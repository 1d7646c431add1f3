// SPDX-License-Identifier: MIT
// painted_stack FILE...: loads and unloads each module on a stack that was painted before, prints
// how deep each load reached and a last line 'N bytes'. The policies do next to nothing and no init
// is run, so that what is measured is the loader itself: the cross-check of worst_stack.
#include "support/files.hpp"

#include <kmodld/kmodld.hpp>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <sys/mman.h>
#include <ucontext.h>

using namespace kmodld;

namespace {

constexpr std::size_t pool_size = std::size_t{64} << 20, stack_size = 1 << 16;
constexpr unsigned char paint = 0xa5;

struct pool {
  std::byte* base;
  std::size_t used = 0;

  memory_status allocate(memory_request const& q, region& out) noexcept {
    std::size_t const at = round_up(used, static_cast<std::size_t>(q.align));
    if (q.size > pool_size - at)
      return memory_status::no_room;
    used = at + static_cast<std::size_t>(q.size);
    out = {{reinterpret_cast<std::uintptr_t>(base + at)}, base + at, q.size};
    for (std::size_t i = 0; i < q.size; ++i)
      out.host[i] = std::byte{0};
    return memory_status::ok;
  }
  void release(memory_kind, region) noexcept {}
};

/// Answers what the module at hand imports.
struct imports {
  std::set<std::string, std::less<>> names;
  u64 value;

  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    out = {};
    out.value = {value};
    return names.contains(name);
  }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using allocator = pool&;
  using symbol_resolver = imports&;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
};

struct job {
  kmodld::loader<config>* loader;
  byte_view image;
  bool loaded;
  char* frame;
};
job now;
ucontext_t here, there;

[[gnu::noinline]] void load() {
  now.frame = static_cast<char*>(__builtin_frame_address(0));
  now.loaded = now.loader->load(now.image).has_value();
}

std::set<std::string, std::less<>> imports_of(test::elf_file<elf::elf64_le>& f) {
  std::set<std::string, std::less<>> out;
  auto const table = f.data(".symtab");
  auto const strings = byte_view{f.data(".strtab")};
  auto const* s = reinterpret_cast<elf::elf64_le::sym const*>(table.data());
  for (std::size_t i = 1; i < table.size() / sizeof *s; ++i)
    if (s[i].st_shndx == elf::shn_undef)
      out.emplace(string_at(strings, s[i].st_name));
  return out;
}

} // namespace

int main(int argc, char** argv) {
  // In the low 2 GiB, as the modules are of the small or the kernel's code model.
  void* const memory = mmap(nullptr, pool_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_NORESERVE, -1, 0);
  auto* const stack = static_cast<unsigned char*>(std::malloc(stack_size));
  if (memory == MAP_FAILED || stack == nullptr)
    return std::perror("memory"), 2;
  pool p{static_cast<std::byte*>(memory)};
  imports names{{}, reinterpret_cast<std::uintptr_t>(memory) + pool_size / 2};
  long most = 0;
  for (int i = 1; i < argc; ++i) {
    p.used = 0;
    loader<config> loader{
        {.allocator = p, .symbol_resolver = names, .protector = {}, .notifier = {}}};
    test::elf_file<elf::elf64_le> file{test::read_maybe_xz(argv[i])};
    names.names = imports_of(file);
    now = {&loader, file.view(), false, nullptr};
    for (std::size_t k = 0; k < stack_size; ++k)
      stack[k] = paint;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = stack_size;
    there.uc_link = &here;
    makecontext(&there, load, 0);
    swapcontext(&here, &there);
    std::size_t lowest = 0;
    while (lowest < stack_size && stack[lowest] == paint)
      ++lowest;
    long const depth = now.frame - reinterpret_cast<char*>(stack + lowest);
    std::printf("%6ld  %s%s\n", depth, argv[i], now.loaded ? "" : " (refused)");
    if (!now.loaded)
      return 1;
    most = depth > most ? depth : most;
  }
  std::printf("%ld bytes\n", most);
  return argc > 1 ? 0 : 2;
}
