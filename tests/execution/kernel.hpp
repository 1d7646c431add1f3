// SPDX-License-Identifier: MIT
// What Debian's modules import from a kernel, as far as those that are executed here do, and what
// they are to compute: published vectors, and for LZ4 a decoder of its own.
#pragma once

#include "host.hpp"

// How kernels call on this machine, where it differs from programs.
#if defined(__i386__)
#define KERNEL_CALL __attribute__((regparm(3)))
#else
#define KERNEL_CALL
#endif

namespace kmodld::execution {

template <class F>
address address_of(F* f) noexcept {
  return {reinterpret_cast<std::uintptr_t>(f)};
}

extern "C" {
#if defined(__i386__)
KERNEL_CALL inline void* kernel_memcpy(void* to, void const* from, size_type n) {
  return memcpy(to, from, n);
}
KERNEL_CALL inline void* kernel_memmove(void* to, void const* from, size_type n) {
  return memmove(to, from, n);
}
KERNEL_CALL inline void* kernel_memset(void* to, int value, size_type n) {
  return memset(to, value, n);
}
#else
// Themselves: on MIPS a function of the program that calls another needs to be called by $25, which
// modules do not do.
#define kernel_memcpy memcpy
#define kernel_memmove memmove
#define kernel_memset memset
#endif
/// __stack_chk_fail, __ubsan_handle_...: must not be called.
[[noreturn, gnu::used]] inline void kernel_panic() {
  print("a module noticed a fault of its own\n"sv);
  finish(3);
}
void kernel_profile(); ///< __fentry__, _mcount, __gnu_mcount_nc: what functions begin with
void kernel_return();  ///< __x86_return_thunk
}

#if defined(__x86_64__) || defined(__i386__)
asm(".globl kernel_profile, kernel_return\n kernel_profile: ret\n kernel_return: ret\n");
#elif defined(__arm__)
// The function has pushed lr.
asm(R"(
  .arm
  .globl kernel_profile
  .type kernel_profile, %function
kernel_profile:
  mov ip, lr
  pop {lr}
  bx ip
)");
#elif defined(__mips__)
// The function has its own return address in $1; with o32 it has made room for two words, too.
#if defined(__mips64)
#define PROFILE_ROOM "nop"
#else
#define PROFILE_ROOM "addiu $29, $29, 8"
#endif
asm(R"(
  .set push
  .set noreorder
  .set noat
  .globl kernel_profile
  .type kernel_profile, @function
kernel_profile:
  move $12, $31
  move $31, $1
  jr $12
  )" PROFILE_ROOM R"(
  .set pop
)");
#elif defined(__powerpc64__)
// Is never reached: the call becomes a nop (host.hpp).
asm(".globl kernel_profile\n .type kernel_profile, @function\n kernel_profile: trap\n");
#endif

inline u64 stack_guard = 0x5aa55aa5;

inline void export_kernel(symbols& to) noexcept {
  to.add("memcpy"sv, {.value = address_of(&kernel_memcpy)});
  to.add("memset"sv, {.value = address_of(&kernel_memset)});
  to.add("memmove"sv, {.value = address_of(&kernel_memmove)});
  for (std::string_view name : {"__stack_chk_fail"sv, "__ubsan_handle_out_of_bounds"sv,
                                "__aeabi_unwind_cpp_pr0"sv, "__aeabi_unwind_cpp_pr1"sv})
    to.add(name, {.value = address_of(&kernel_panic)});
  to.add("__stack_chk_guard"sv, {.value = address_of(&stack_guard)});
#if defined(__x86_64__) || defined(__i386__)
  to.add("__fentry__"sv, {.value = address_of(&kernel_profile)});
  to.add("__x86_return_thunk"sv, {.value = address_of(&kernel_return)});
#elif defined(__arm__)
  to.add("__gnu_mcount_nc"sv, {.value = address_of(&kernel_profile)});
#elif defined(__mips__) || defined(__powerpc64__)
  to.add("_mcount"sv, {.value = address_of(&kernel_profile)});
#endif
}

/// Where kernels keep what belongs to a CPU or a task, modules find zeros.
inline void prepare_registers() noexcept {
#if defined(__riscv) || defined(__powerpc64__) || defined(__arm__)
  static std::byte zeros[16384];
  std::byte* const middle = zeros + sizeof zeros / 2;
#if defined(__riscv)
  asm volatile("mv tp, %0" ::"r"(middle));
#elif defined(__powerpc64__)
  asm volatile("mr 13, %0" ::"r"(middle));
#else
  system_call(sys_set_tls, reinterpret_cast<long>(middle), 0, 0, 0, 0, 0);
#endif
#endif
}

/// LZ4's block format: what a block of `size` bytes decodes to; the number of bytes, 0 if it is
/// damaged.
inline u32 lz4_decode(u8 const* in, u32 size, u8* out, u32 room) noexcept {
  u32 at = 0, made = 0;
  auto const length = [&](u32 n) {
    if (n == 15)
      for (u8 more = 255; more == 255 && at < size; n += more)
        more = in[at++];
    return n;
  };
  while (at < size) {
    u8 const token = in[at++];
    u32 literals = length(token >> 4);
    if (literals > size - at || literals > room - made)
      return 0;
    for (; literals != 0; --literals)
      out[made++] = in[at++];
    if (at == size)
      return made;
    if (size - at < 2)
      return 0;
    u32 const distance = in[at] | static_cast<u32>(in[at + 1]) << 8;
    at += 2;
    u32 copy = length(token & 15) + 4;
    if (distance == 0 || distance > made || copy > room - made)
      return 0;
    for (; copy != 0; --copy, ++made)
      out[made] = out[made - distance];
  }
  return 0;
}

/// The exported function, or null.
template <class F>
F* exported(symbols& from, std::string_view name) noexcept {
  exported_symbol found;
  return from.find(name, true, found)
             ? reinterpret_cast<F*>(static_cast<std::uintptr_t>(found.value.value))
             : nullptr;
}

/// Text that repeats itself, but not too much.
inline void fill(std::span<u8> text) noexcept {
  u32 state = 12345;
  for (std::size_t i = 0; i < text.size(); ++i) {
    state = state * 1103515245 + 12345;
    text[i] =
        (state >> 28) < 6 && i > 40 ? text[i - 37] : static_cast<u8>('a' + (state >> 16) % 23);
  }
}

inline bool check_lz4(symbols& from, std::string_view name, bool high) noexcept {
  static u8 text[20000], packed[24000], again[20000];
  fill(text);
  int size = 0;
  // struct LZ4HC_CCtx has some 260 KB.
  static std::byte* const work = map_at(0, u64{1} << 20);
  if (high) {
    auto* f = exported<KERNEL_CALL int(u8 const*, u8*, int, int, int, void*)>(from, name);
    size = f(text, packed, sizeof text, sizeof packed, 9, work);
  } else {
    auto* f = exported<KERNEL_CALL int(u8 const*, u8*, int, int, void*)>(from, name);
    size = f(text, packed, sizeof text, sizeof packed, work);
  }
  memset(again, 0, sizeof again);
  return size > 0 && size < static_cast<int>(sizeof text) &&
         lz4_decode(packed, static_cast<u32>(size), again, sizeof again) == sizeof text &&
         memcmp(text, again, sizeof text) == 0;
}

/// Calls what is there; the name of the first function that is wrong, or "nothing was checked".
inline std::string_view check_kernel_modules(symbols& from) noexcept {
  static constexpr char digits[] = "123456789";
  u32 checked = 0;
  using crc16_type = KERNEL_CALL u16(u16, char const*, size_type);
  struct {
    std::string_view name;
    u16 start, wanted;
  } const crcs[] = {
      {"crc_itu_t"sv, 0, 0x31c3}, {"crc_itu_t"sv, 0xffff, 0x29b1}, {"crc16"sv, 0, 0xbb3d}};
  for (auto const& c : crcs)
    if (auto* f = exported<crc16_type>(from, c.name); f != nullptr && ++checked != 0)
      if (f(c.start, digits, 9) != c.wanted)
        return c.name;
  if (auto* f = exported<KERNEL_CALL u8(u8, char const*, size_type)>(from, "crc7_be"sv);
      f != nullptr && ++checked != 0)
    if (f(0, digits, 9) != 0x75 << 1)
      return "crc7_be"sv;
  if (auto* f = exported<KERNEL_CALL u64(u64, char const*, size_type)>(from, "crc64_be"sv);
      f != nullptr && ++checked != 0)
    if (f(0, digits, 9) != 0x6c40df5f0b497347)
      return "crc64_be"sv;
  auto* const set_key =
      exported<KERNEL_CALL int(void*, char const*, unsigned)>(from, "arc4_setkey"sv);
  auto* const crypt =
      exported<KERNEL_CALL void(void*, u8*, char const*, unsigned)>(from, "arc4_crypt"sv);
  if (set_key != nullptr && crypt != nullptr && ++checked != 0) {
    static u32 context[260];
    static constexpr u8 wanted[] = {0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3};
    u8 out[9];
    set_key(context, "Key", 3);
    crypt(context, out, "Plaintext", 9);
    if (memcmp(out, wanted, 9) != 0)
      return "arc4_crypt"sv;
  }
  for (bool const high : {false, true}) {
    std::string_view const name = high ? "LZ4_compress_HC"sv : "LZ4_compress_default"sv;
    if (exported<void()>(from, name) != nullptr && ++checked != 0)
      if (!check_lz4(from, name, high))
        return name;
  }
  return checked == 0 ? "nothing was checked"sv : ""sv;
}

} // namespace kmodld::execution
