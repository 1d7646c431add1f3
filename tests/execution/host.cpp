// SPDX-License-Identifier: MIT
// Loads objects and Debian's modules for the machine that it runs on, executes them, and compares
// results. Without libc; see docs/execution.md.
//
//   host [sample NAME PLACES PROVIDER CONSUMER]... [kernel NAME PLACES FILE,FILE...]...
//
// PLACES is letters of n (near the program), m (beyond the reach of branches, within that of data),
// f (as far as the machine has addresses). A line for each that differs or fails; status 1 if any
// did.
#include "coverage.hpp"
#include "kernel.hpp"

#define PREFIX linked_
extern "C" {
#include "samples/sample.h"
word module_run(word, word);
word kmodld_host_double(word x) { return 2 * x + 1; }
extern char _end[];
#if defined(__arm__) // of libgcc
void __aeabi_uidivmod();
void __aeabi_uidiv();
#elif defined(__m68k__) // what a 68000 does not have
void __mulsi3();
void __udivsi3();
void __umodsi3();
#endif
}

namespace kmodld::execution {
namespace {

// Nobody runs constructors here.
constinit memory module_memory_;
constinit symbols exports, kernel_exports;
constinit log messages;
constinit coverage types;
constinit u32 failures = 0, executed = 0;

/// The first of the addresses where there is room.
u64 free_place(std::initializer_list<u64> wishes) noexcept {
  constexpr u64 size = u64{16} << 20;
  for (u64 at : wishes)
    if (std::byte* p = map_at(at, size); p != nullptr) {
      system_call(sys_munmap, reinterpret_cast<long>(p), static_cast<long>(size), 0, 0, 0, 0);
      return at;
    }
  return 0;
}

u64 place_for(char letter) noexcept {
  u64 const near =
      round_up(u64{reinterpret_cast<std::uintptr_t>(_end)} + (u64{1} << 20), u64{1} << 20);
  // Many bits of the addresses are ones, so that carries and signs are seen.
  if (letter == 'n' || letter == 't')
    return near;
  if constexpr (sizeof(void*) == 8) {
    if (letter == 'm')
      return free_place({near + 0x3fef0000, near + 0x2ff70000});
    return free_place({0x3fffdfff0000, 0x7ffddfff0000, 0x5fffdfff0000, 0x1fffdfff0000, 0xffdfff0000,
                       0xefdfff0000, 0x7fdfff0000, 0x3fdfff0000});
  } else {
    if (letter == 'm')
      return free_place({0x5fef0000, 0x4fef0000, 0x6fef0000});
    return free_place({0xdfef0000, 0xcfef0000, 0xbfef0000, 0x7bef0000, 0x6bef0000});
  }
}

/// So that the log tells where it ended.
void begin_part(std::string_view name, char letter) noexcept {
  say("# "sv, name, " "sv, std::string_view{&letter, 1});
}

void fail(std::string_view name, char letter, std::string_view what) noexcept {
  ++failures;
  say("FAILED "sv, name, " "sv, std::string_view{&letter, 1}, ": "sv, what);
}

/// The address of a function of a loaded object, as a pointer.
template <class F>
F* function(module const& m, std::string_view name) noexcept {
  return reinterpret_cast<F*>(
      static_cast<std::uintptr_t>(lookup_name<machine::format>(m, name).value));
}

void run_sample(std::string_view name, char letter, u64 provider_place, u64 consumer_place,
                byte_view provider, byte_view consumer) noexcept {
  loader<object_host> objects{
      {.allocator = module_memory_, .symbol_resolver = exports, .diagnostics = messages}};
  exports.forget_objects();
  module_memory_.place = provider_place;
  auto first = objects.load(provider, {}, {.name = "provider"sv});
  if (!first)
    return fail(name, letter, "the provider is refused"sv);
  exports.add_object(**first);
  module_memory_.place = consumer_place;
  auto second = objects.load(consumer, {}, {.name = "consumer"sv});
  exports.forget_objects();
  if (!second)
    return fail(name, letter, "the consumer is refused"sv);
  auto* const count = function<word()>(**second, "module_count"sv);
  auto* const run = function<word(word, word)>(**second, "module_run"sv);
  if (count == nullptr || run == nullptr)
    return fail(name, letter, "symbols are missing"sv);
  word const parts = count();
  if (parts != linked_count())
    return fail(name, letter, "the number of parts differs"sv);
  for (word part = 0; part < parts; ++part)
    for (word x : {0u, 1u, 2u, 3u, 5u, 10u, 12u, 77u, 254u, 12345u, 0x7fffffffu, 0xfedcba98u})
      if (word const got = run(part, x), wanted = linked_run(part, x); got != wanted) {
        fail(name, letter, "a part has another result"sv);
        say("  part "sv, part, " of "sv, x, ": "sv, got, " instead of "sv, wanted);
        break;
      }
  executed += 2;
}

void sample(char const* name, char const* places, char const* provider_path,
            char const* consumer_path) noexcept {
  byte_view const provider = read_file(provider_path), consumer = read_file(consumer_path);
  for (; *places != '\0'; ++places) {
    begin_part(c_string(name), *places);
    u64 const near = place_for('n'), other = place_for(*places),
              apart = *places == 't' ? u64{1} << 18 : u64{8} << 20;
    if (other == 0) {
      fail(c_string(name), *places, "no room there"sv);
      continue;
    }
    run_sample(c_string(name), *places, other, near + apart, provider, consumer);
    if (*places != 'n' && *places != 't')
      run_sample(c_string(name), *places, near, other, provider, consumer);
    if (module_memory_.in_use != 0)
      fail(c_string(name), *places, "memory is not given back"sv);
  }
  types.note(provider);
  types.note(consumer);
}

kernel_settings settings() noexcept {
  kernel_settings s;
#if defined(__powerpc64__) // the stub of _mcount counts from the kernel's TOC
  s.kernel_toc = address_of(&kernel_profile);
#endif
  return s;
}

void kernel(char const* name, char const* places, std::string_view files) noexcept {
  byte_view images[8];
  u32 count = 0;
  while (!files.empty() && count < 8) {
    std::size_t const comma = index_of(files, ',');
    char path[512];
    path[copy_text(path, head(files, comma))] = '\0';
    images[count++] = read_file(path);
    files = comma == files.size() ? ""sv : tail(files, comma + 1);
  }
  for (; *places != '\0'; ++places) {
    begin_part(c_string(name), *places);
    {
      loader<kernel_host> modules{
          {.allocator = module_memory_, .symbol_resolver = kernel_exports, .diagnostics = messages},
          settings()};
      module_memory_.place = place_for(*places);
      module_ref loaded[8];
      bool good = true;
      for (u32 i = 0; i < count && good; ++i) {
        auto one = modules.load(images[i]);
        good = one.has_value();
        if (good)
          loaded[i] = static_cast<module_ref&&>(*one);
        else
          fail(c_string(name), *places, "a module is refused"sv);
      }
      if (good) {
        std::string_view const wrong = check_kernel_modules(kernel_exports);
        if (!wrong.empty())
          fail(c_string(name), *places, wrong);
        executed += count;
      }
    }
    if (module_memory_.in_use != 0)
      fail(c_string(name), *places, "memory is not given back"sv);
  }
  for (u32 i = 0; i < count; ++i)
    types.note(images[i]);
}

int main(long count, char** words) noexcept {
  export_kernel(kernel_exports);
  exports.add("memcpy"sv, {.value = address_of(&memcpy)});
  exports.add("memmove"sv, {.value = address_of(&memmove)});
  exports.add("memset"sv, {.value = address_of(&memset)});
#if defined(__arm__)
  exports.add("__aeabi_unwind_cpp_pr0"sv, {.value = address_of(&kernel_panic)});
  exports.add("__aeabi_unwind_cpp_pr1"sv, {.value = address_of(&kernel_panic)});
  exports.add("__aeabi_uidivmod"sv, {.value = address_of(&__aeabi_uidivmod)});
  exports.add("__aeabi_uidiv"sv, {.value = address_of(&__aeabi_uidiv)});
#elif defined(__m68k__)
  exports.add("__mulsi3"sv, {.value = address_of(&__mulsi3)});
  exports.add("__udivsi3"sv, {.value = address_of(&__udivsi3)});
  exports.add("__umodsi3"sv, {.value = address_of(&__umodsi3)});
#endif
  exports.add("kmodld_host_double"sv, {.value = address_of(&kmodld_host_double)});
  for (long i = 1; i < count;) {
    if (equal(c_string(words[i]), "sample"sv) && i + 4 < count) {
      sample(words[i + 1], words[i + 2], words[i + 3], words[i + 4]);
      i += 5;
    } else if (equal(c_string(words[i]), "kernel"sv) && i + 3 < count) {
      kernel(words[i + 1], words[i + 2], c_string(words[i + 3]));
      i += 4;
    } else {
      say("usage: see the source"sv);
      return 2;
    }
  }
  types.report();
  say(executed, " objects executed, "sv, failures, " failed"sv);
  return failures != 0;
}

} // namespace

extern "C" void begin(long* stack) noexcept {
  prepare_registers();
  finish(main(stack[0], reinterpret_cast<char**>(stack + 1)));
}

} // namespace kmodld::execution
