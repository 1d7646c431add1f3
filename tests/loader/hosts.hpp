// SPDX-License-Identifier: MIT
// The loaders behind fixture.hpp. Included by one source of each test program.
#pragma once

#include "loader/fixture.hpp"

namespace kmodld::test {

template <class Abi>
struct test_config {
  using arch = kmodld::arch::x86_64;
  using abi = Abi;
  using allocator = memory_kinds&;
  using symbol_resolver = test_symbols&;
  using protector = test_protector&;
  using notifier = test_notifier&;
  using lock = test_lock&;
  using percpu = test_percpu&;
  using verifier = test_verifier&;
  using invoker = test_invoker&;
  using parameters = test_parameters&;
  using introspection = test_introspection&;
  using tracer = test_tracer&;
  using diagnostics = test_diagnostics&;
  using reclaimer = test_reclaimer&;
  using hooks = test_hooks&;
};

struct abi_options : abi::linux_6_1 {
  static constexpr bool constructors = true, livepatch = true, retpoline = true;
};
struct abi_lenient : abi::linux_6_1 {
  static constexpr bool modversions_strict = false, allow_missing_namespace_imports = true;
};
struct abi_strict : abi::linux_6_1 {
  static constexpr bool force_load = false, force_unload = false, kallsyms_all = false;
};
struct abi_unversioned : abi::linux_6_1 {
  static constexpr bool modversions = false;
};

template <class Abi>
class host_of final : public host {
public:
  host_of() { start(); }
  result<module_ref> load(byte_view image, std::string_view args, load_flags flags) override {
    return loader_->load(image, args, flags);
  }
  result<void> unload(std::string_view name, unload_flags flags) override {
    return loader_->unload(name, flags);
  }
  module_ref find(std::string_view name) override { return loader_->find(name); }
  module_list const& modules() override { return loader_->modules(); }
  kernel_settings& settings() override { return loader_->settings(); }
  u32 taints() override { return loader_->taints(); }
  std::string_view last_unloaded() override { return loader_->last_unloaded(); }
  u32 last_unloaded_taints() override { return loader_->last_unloaded_taints(); }
  void end() override {
    loader_.reset();
    start();
  }

private:
  using loader_type = loader<test_config<Abi>>;
  void start() {
    loader_.reset(
        new loader_type{{allocator, symbols, protector, notifier, lock, percpu, verifier, invoker,
                         parameters, introspection, tracer, diagnostics, reclaimer, hooks}});
  }
  std::unique_ptr<loader_type> loader_;
};

inline std::unique_ptr<host> make_host_now(kernel k) {
  switch (k) {
  case kernel::v6_12: return std::make_unique<host_of<abi::linux_6_12>>();
  case kernel::options: return std::make_unique<host_of<abi_options>>();
  case kernel::lenient: return std::make_unique<host_of<abi_lenient>>();
  case kernel::strict: return std::make_unique<host_of<abi_strict>>();
  case kernel::unversioned: return std::make_unique<host_of<abi_unversioned>>();
  default: return std::make_unique<host_of<abi::linux_6_1>>();
  }
}

inline builder full_builder_now(std::string_view name) {
  constexpr u64 alloc = elf::shf_alloc, write = elf::shf_alloc | elf::shf_write;
  builder b{name};
  u32 text = b.text(byte_vector(64, std::byte{0x90}));
  u32 init = b.text(bytes_of({0x31, 0xc0, 0xc3, 0x90}), ".init.text");
  b.init(init, 0).exit(text, 32);
  u32 base = b.undefined("base_function");
  b.rela(text, 8, 24, base, 0); // R_X86_64_PC64: works from any distance
  for (std::size_t i = 8; i < 16; ++i)
    b.data(text)[i] = std::byte{0};
  b.export_symbol("full_function", b.function("full_function", text, 0), false, {}, 0x77);
  b.export_symbol("full_gpl", b.function("full_gpl", text, 16), true, {}, 0x78);
  u32 data = b.writable(byte_vector(16));
  u32 ops = b.symbol("test_ops", elf::shn_abs, 0x1000);
  b.param("number", ops, b.section_symbol(data));
  b.param("flag", ops, b.section_symbol(data));
  b.version("base_function", 0x1234);
  b.modinfo("version", "1.2").modinfo("srcversion", "ABCDEF");
  b.section(".data..percpu", elf::sht_progbits, write, bytes_of({1, 2, 3, 4}), 4);
  b.section(".data..ro_after_init", elf::sht_progbits, write, byte_vector(8), 8);
  b.section(".init.data", elf::sht_progbits, write, byte_vector(8), 8);
  b.section(".init.rodata", elf::sht_progbits, alloc, byte_vector(8), 8);
  b.section(".note.test", elf::sht_note, alloc, byte_vector(16), 4);
  u32 sites = b.section("__mcount_loc", elf::sht_progbits, alloc, byte_vector(8), 8);
  b.pointer(sites, 0, b.section_symbol(text));
  b.section("__dyndbg", elf::sht_progbits, write, byte_vector(56), 8);
  b.nobits(".bss", write, 100, 32);
  return b;
}

} // namespace kmodld::test
