// SPDX-License-Identifier: MIT
// The part of the script that deals with modules, the same for every kernel. A kernel supplies a
// `Host`, whose numbers are Linux's errnos (0: done):
//   int load(bytes image, char const* arguments)   int unload(text name)   void unload_all()
//   u64 exported(text name)                         address of a symbol, 0 if there is none
//   Usage usage()                                   memory held for modules; comparable
//   bool write_refused(u64 address)                 tries to write there
//   call_outcome guarded_call(u64 function, u64 argument)
//   u64 faulting_instruction()                      of the last fault
//   bool sealed()                                   nothing is writable and executable
//   bool far(bool on)                               whether to load beyond a call's reach of the
//                                                   kernel; false if everything is in reach
//   void start_readers(), stop_readers()            symbolise from interrupts meanwhile
//   u64 reads_in_modules(), reads_in_kernel()       what the readers interrupted
//   u64 symbols_found(), wrong_reads()              and their answers
//   void quiet(bool)                                whether modules are announced
//   u64 stack_depth()                               of the deepest load so far, in bytes
#pragma once

#include "cpio.hpp"
#include "lz4_decode.hpp"
#include "script.hpp"
#include "symbols.hpp"

namespace kernel {

template <class Host>
class module_script {
public:
  module_script(Host& host, bytes archive, script& checks)
      : host_{host}, archive_{archive}, checks_{checks} {}

  void run() {
    list_files();
    load_own();
    refuse();
    trap_in_module();
    unload_own();
    load_given();
    load_far();
    read_meanwhile();
    u64 depth = host_.stack_depth();
    checks_.check(depth != 0 && depth <= stack_limit, "a load needs ", depth, " bytes of stack");
  }

private:
  static constexpr int no_entry = 2, no_exec = 8, again = 11, exists = 17, no_device = 19,
                       invalid = 22;
  static constexpr u64 stack_limit = 4096;
  static constexpr u64 far_distance = u64{128} << 20; ///< what a branch of AArch64 reaches

  template <class... Arguments>
  static u64 call(u64 function, Arguments... arguments) {
    return reinterpret_cast<u64 (*)(Arguments...)>(function)(arguments...);
  }

  static bool is_own(text name) {
    for (text own : {text{"greeter.ko"}, text{"caller.ko"}, text{"refuser.ko"}, text{"damaged.ko"}})
      if (same(name, own))
        return true;
    return false;
  }

  int load(text name, char const* arguments = "") {
    return host_.load(cpio_archive::find(archive_, name), arguments);
  }

  template <class... Parts>
  void expect(int got, int wanted, Parts const&... parts) {
    checks_.check(got == wanted, parts..., ": ", got);
  }

  void list_files() {
    cpio_archive all{archive_};
    for (cpio_archive::file f; all.next(f);)
      print("initrd: ", f.name, ", ", f.content.size(), " bytes\n");
    checks_.check(host_.write_refused(reinterpret_cast<u64>(archive_.data())),
                  "the initrd cannot be written");
    before_ = host_.usage();
  }

  void load_own() {
    expect(load("caller.ko"), no_entry, "caller is refused without greeter");
    expect(load("greeter.ko", "times=many"), invalid, "greeter refuses a bad parameter");
    expect(load("greeter.ko", "times=3"), 0, "greeter loads");
    expect(load("caller.ko"), 0, "caller loads");
    checks_.check(call(host_.exported("last_answer")) == 3, "caller got greeter's answer");
    checks_.check(host_.sealed(), "no module memory is writable and executable");
    checks_.check(host_.write_refused(host_.exported("greet")),
                  "a write to a module's text faults");
  }

  void refuse() {
    auto held = host_.usage();
    expect(load("greeter.ko"), exists, "a second greeter is refused");
    expect(load("refuser.ko"), no_device, "a module whose init fails is refused");
    expect(load("damaged.ko"), no_exec, "a damaged module is refused");
    checks_.check(host_.usage() == held, "they leave nothing");
  }

  void trap_in_module() {
    print("expected: a trap in greeter\n");
    checks_.check(host_.guarded_call(host_.exported("peek"), 8).faulted != 0, "peek(8) traps");
    symbol_info s;
    checks_.check(find_symbol_at(host_.faulting_instruction(), s) && same(s.name, "peek") &&
                      s.offset != 0 && same(s.module, "greeter"),
                  "the trap was in ", s);
    print("expected: a trap in greeter\n");
    checks_.check(host_.guarded_call(host_.exported("give_up"), 0).faulted != 0, "give_up() traps");
    auto fixed = host_.guarded_call(host_.exported("peek_safely"), 8);
    checks_.check(fixed.faulted == 0 && static_cast<u32>(fixed.value) == ~u32{0},
                  "peek_safely(8) has a fixup");
  }

  void unload_own() {
    expect(host_.unload("greeter"), again, "greeter cannot go before caller");
    expect(host_.unload("caller"), 0, "caller goes");
    expect(host_.unload("greeter"), 0, "greeter goes");
    checks_.check(host_.exported("greet") == 0, "its exports are gone");
    checks_.check(host_.usage() == before_, "they leave nothing");
  }

  void load_given() {
    cpio_archive all{archive_};
    for (cpio_archive::file f; all.next(f);)
      if (!is_own(f.name))
        expect(host_.load(f.content, ""), 0, f.name, " loads");
    if (u64 crc = host_.exported("crc_itu_t"); crc != 0)
      check_crc(crc);
    if (u64 compress = host_.exported("LZ4_compress_default"); compress != 0)
      check_lz4(compress);
    checks_.check(host_.sealed(), "no module memory is writable and executable");
    host_.unload_all();
    checks_.check(host_.usage() == before_, "unloaded, they leave nothing");
  }

  // Modules whose calls to the kernel need what the loader makes for far ones.
  void load_far() {
    if (!host_.far(true))
      return;
    expect(load("greeter.ko", "times=2"), 0, "greeter loads far away");
    u64 distance = host_.exported("greet") - kernel_symbol("_printk");
    checks_.check(distance >= far_distance && distance < ~far_distance, "0x", hex(distance),
                  " bytes from what it calls");
    expect(load("caller.ko"), 0, "caller loads");
    checks_.check(call(host_.exported("last_answer")) == 2, "caller got greeter's answer");
    host_.unload_all();
    host_.far(false);
    checks_.check(host_.usage() == before_, "unloaded, they leave nothing");
  }

  // Check values of CRC-16/XMODEM (initial 0) and CRC-16/IBM-3740 (initial 0xffff), same
  // polynomial.
  void check_crc(u64 crc) {
    auto of = [&](u16 initial) {
      return static_cast<u16>(call(crc, initial, static_cast<char const*>("123456789"), u64{9}));
    };
    checks_.check(of(0) == 0x31c3, "crc_itu_t(0, \"123456789\") = ", hex(of(0)));
    checks_.check(of(0xffff) == 0x29b1, "crc_itu_t(ffff, \"123456789\") = ", hex(of(0xffff)));
    checks_.check(host_.write_refused(crc), "a write to crc_itu_t's text faults");
  }

  void check_lz4(u64 compress) {
    static std::byte source[8192], packed[9000], unpacked[8192];
    static u64 work[16384 / 8]; // LZ4_MEM_COMPRESS
    u32 state = 1;
    for (std::size_t i = 0; i < sizeof source; ++i) {
      state = state * 1664525 + 1013904223;
      source[i] =
          i >= 64 && (state >> 28) != 0 ? source[i - 64] : static_cast<std::byte>(state >> 20);
    }
    u64 size = call(compress, static_cast<void const*>(source), static_cast<void*>(packed),
                    static_cast<int>(sizeof source), static_cast<int>(sizeof packed),
                    static_cast<void*>(work)) &
               0xffffffff;
    bool fits = size != 0 && size < sizeof source;
    u64 back = fits ? lz4_decode({packed, size}, unpacked) : 0;
    checks_.check(back == sizeof source && memcmp(source, unpacked, sizeof source) == 0,
                  "LZ4_compress_default: ", sizeof source, " bytes to ", size, " and back");
  }

  void read_meanwhile() {
    host_.quiet(true);
    auto held = host_.usage();
    host_.start_readers();
    int failed = 0, rounds = 0;
    constexpr u64 enough_in_modules = 20, enough_in_kernel = 200;
    while (rounds < 100 || (rounds < 10000 && (host_.reads_in_modules() < enough_in_modules ||
                                               host_.reads_in_kernel() < enough_in_kernel))) {
      ++rounds;
      failed += load("greeter.ko", "quietly") != 0;
      if (u64 spin = host_.exported("spin"); spin != 0)
        call(spin, u64{20000});
      failed += host_.unload("greeter") != 0;
    }
    host_.stop_readers();
    host_.quiet(false);
    checks_.check(failed == 0 && host_.usage() == held, rounds, " loads and unloads leave nothing");
    checks_.check(host_.reads_in_modules() >= enough_in_modules &&
                      host_.reads_in_kernel() >= enough_in_kernel,
                  "interrupts: ", host_.reads_in_modules(), " in the module, ",
                  host_.reads_in_kernel(), " while it came or went");
    checks_.check(host_.symbols_found() != 0 && host_.wrong_reads() == 0, "they found its symbol ",
                  host_.symbols_found(), " times, wrong answers: ", host_.wrong_reads());
  }

  Host& host_;
  bytes archive_;
  script& checks_;
  decltype(host_.usage()) before_{};
};

} // namespace kernel
