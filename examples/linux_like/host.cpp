// SPDX-License-Identifier: MIT
// Puts the policies together and answers what addresses are.
#include "host.hpp"

#include "env/exports.hpp"
#include "exports_file.hpp"
#include "signatures/kernel_image.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unordered_map>

namespace linux_like {
namespace {

constexpr std::size_t spare_percpu_size = std::size_t{16} << 20;
constexpr kmodld::u64 made_up_stride = 16;

kmodld::address address_of(const void* p) { return {reinterpret_cast<std::uintptr_t>(p)}; }

std::vector<kmodld::param_ops> standard_types() {
  using enum kmodld::param_type;
  constexpr std::pair<kmodld::param_type, const char*> names[] = {
      {byte, "param_ops_byte"},       {short_, "param_ops_short"},
      {ushort, "param_ops_ushort"},   {int_, "param_ops_int"},
      {uint, "param_ops_uint"},       {long_, "param_ops_long"},
      {ulong, "param_ops_ulong"},     {ullong, "param_ops_ullong"},
      {hexint, "param_ops_hexint"},   {bool_, "param_ops_bool"},
      {invbool, "param_ops_invbool"}, {bint, "param_ops_bint"},
      {charp, "param_ops_charp"},     {string, "param_ops_string"},
      {array, "param_array_ops"},     {bool_enable_only, "param_ops_bool_enable_only"},
  };
  std::vector<kmodld::param_ops> out;
  for (const auto& [type, name] : names)
    out.push_back({type, address_of(find_export(name))});
  return out;
}

} // namespace

host::host(host_options options_)
    : options(std::move(options_)), memory({.size = kmodld::u64{768} << 20}),
      spare_percpu(options.link_only ? new std::byte[spare_percpu_size] : nullptr),
      percpu(options.link_only ? spare_percpu.get() : percpu_base(), percpu_for_modules().begin,
             options.link_only ? spare_percpu_size : percpu_for_modules().end),
      invoker{options.link_only, [this](const std::string& oops) { note_oops(oops); }},
      parameter_types(standard_types()),
      parameters(parameter_types, memory, own_parameters(invoker), {}, values_mutex),
      hooks(protector, address_of(find_export("__fentry__"))),
      loader({.allocator = memory,
              .symbol_resolver = exports,
              .protector = protector,
              .notifier = notifiers,
              .lock = lock,
              .percpu = percpu,
              .verifier = keys,
              .invoker = invoker,
              .parameters = parameters,
              .introspection = introspection,
              .tracer = tracer,
              .reclaimer = reclaimer,
              .hooks = hooks},
             {.vermagic = options.vermagic}),
      tree(loader.modules(), parameters, events) {
  if (!memory.valid())
    throw refusal(ENOMEM, "no room for modules in the low 2 GiB");
  introspection.tree = &tree;
  events.on_dangerous = [](kmodld::module& m, const kmodld::kernel_param& p) {
    log(4, fmt::format("Setting dangerous option {}.{} - tainting kernel", m.name(), p.name));
  };
  announcer_.call = [](void*, kmodld::module_event event, kmodld::module& m) noexcept {
    constexpr const char* names[] = {"coming", "live", "going"};
    log(7, fmt::format("module {}: {}", m.name(), names[static_cast<unsigned>(event)]));
    return 0;
  };
  notifiers.add(announcer_);
  add_exports();
  add_keys();
  if (!options.link_only)
    environment_.emplace();
}

host::~host() {
  loader.unload_all();
  if (made_up_.size != 0)
    munmap(made_up_.host, made_up_.size);
}

void host::add_exports() {
  std::unordered_map<std::string, std::uint32_t> crcs;
  if (options.kernel_exports.empty()) {
    for (const host_export& e : linux_like::exports())
      kernel_exports.push_back({e.name, {}, address_of(e.address), false, e.gpl});
  } else {
    exports_file file = read_exports_file(options.kernel_exports);
    module_exports = std::move(file.modules);
    for (export_line& line : file.kernel) {
      crcs[line.name] = line.crc;
      const void* real = find_export(line.name.c_str());
      kernel_exports.push_back({std::move(line.name), std::move(line.name_space), address_of(real),
                                real == nullptr, line.gpl_only});
    }
    give_addresses();
  }
  std::ranges::sort(kernel_exports, {}, &kernel_export::value);
  exports.reserve(kernel_exports.size() + 65536);
  for (const kernel_export& e : kernel_exports) {
    const auto crc = crcs.find(e.name);
    exports.add(e.name, {.value = e.value,
                         .name_space = e.name_space,
                         .crc = crc == crcs.end() ? 0 : crc->second,
                         .has_crc = crc != crcs.end(),
                         .gpl_only = e.gpl_only});
  }
}

void host::add_keys() {
  for (const auto& file : options.keys) {
    const auto names = keys.add(read_kernel_image(file));
    if (names.empty())
      throw refusal(EBADMSG, file.string() + ": no certificate in it");
    for (const std::string& name : names)
      log(5, fmt::format("Loaded X.509 cert '{}'", printable(name)));
  }
  if (options.enforce_signatures)
    keys.enforce();
}

/// Exports that are nowhere get addresses in reach at which nothing is, so that a call faults.
void host::give_addresses() {
  kmodld::u64 count = 0;
  for (const kernel_export& e : kernel_exports)
    count += e.made_up;
  const auto size = kmodld::round_up(count * made_up_stride + 1, kmodld::u64{1} << 12);
  void* room = kmodld::hosted::map_near(kmodld::hosted::placement::low_2_gib(), size, 4096,
                                        PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (room == nullptr)
    throw refusal(ENOMEM, "no room for made-up exports in the low 2 GiB");
  made_up_ = {address_of(room), static_cast<std::byte*>(room), size};
  kmodld::address next = made_up_.target;
  for (kernel_export& e : kernel_exports)
    if (e.made_up) {
      e.value = next;
      next = next + made_up_stride;
    }
}

void host::load(kmodld::byte_view image, std::string_view arguments, kmodld::load_flags flags) {
  last_oops_.clear();
  tracer.begin(true);
  const auto loaded = loader.load(image, arguments, flags);
  const std::string_view name =
      loaded ? (*loaded)->name() : loaded.error().name(kmodld::error::module);
  tracer.end(fmt::format("load {}{}", name, loaded ? "" : ", refused"));
  expect_no_oops();
  if (!loaded)
    throw refused(loaded.error());
}

void host::unload(std::string_view name, bool force) {
  last_oops_.clear();
  tracer.begin(false);
  const auto done = loader.unload(name, {.force = force});
  tracer.end(fmt::format("unload {}{}", name, done ? "" : ", refused"));
  exports.collect(lock);
  expect_no_oops();
  if (!done)
    throw refused(done.error());
}

void host::note_oops(const std::string& oops) {
  last_oops_ = explain(oops);
  log(0, "BUG: " + last_oops_);
}

void host::expect_no_oops() const {
  if (!last_oops_.empty())
    throw refusal(EFAULT, last_oops_);
}

kmodld::address host::find_symbol(std::string_view name) {
  const kmodld::read_guard reading(reclaimer);
  if (const auto a = kmodld::lookup_name<elf_format>(loader.modules(), name))
    return a;
  kmodld::exported_symbol found;
  return exports.find(name, true, found) ? found.value : kmodld::address{};
}

std::string host::describe(kmodld::address a) {
  const kmodld::read_guard reading(reclaimer);
  kmodld::symbol_at at;
  char text[512];
  if (kmodld::find_symbol_at<elf_format>(loader.modules(), a, at)) {
    kmodld::format_symbol(at, text);
    return text;
  }
  const auto after = std::ranges::upper_bound(kernel_exports, a, {}, &kernel_export::value);
  if (after == kernel_exports.begin() || a.value < 0x200000)
    return fmt::format("{:#x}", a.value);
  const kernel_export& nearest = *std::prev(after);
  const kmodld::u64 offset = a - nearest.value;
  if (nearest.made_up && offset < made_up_stride)
    return nearest.name + " (a made-up export without code)";
  return offset < 4096 ? fmt::format("{}+{:#x}", nearest.name, offset)
                       : fmt::format("{:#x}", a.value);
}

std::string host::explain(const std::string& oops) {
  const std::size_t at = oops.find(" at 0x");
  if (at == oops.npos)
    return oops;
  char* end = nullptr;
  const kmodld::address a{std::strtoull(oops.c_str() + at + 4, &end, 16)};
  return oops.substr(0, at + 4) + describe(a) + end;
}

kmodld::module_ref host::find_module(std::string_view name) {
  if (auto exact = loader.find(name))
    return exact;
  const auto folded = [](char c) { return c == '-' ? '_' : c; };
  std::string other;
  for (const kmodld::module& m : loader.modules())
    if (std::ranges::equal(m.name(), name, {}, folded, folded))
      other = m.name();
  return other.empty() ? kmodld::module_ref{} : loader.find(other);
}

} // namespace linux_like
