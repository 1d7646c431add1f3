// SPDX-License-Identifier: MIT
// Links objects of other machines and prints a digest of every region: hosts of any byte order and
// word size must print the same. Addresses are made up, so nothing is executed.
//
//   crosslink ARCH FILE [ARCH FILE]...
#include "runtime.hpp"

#include <kmodld/arch/all.hpp>
#include <kmodld/error_text.hpp>
#include <kmodld/kmodld.hpp>

namespace kmodld::execution {
namespace {

/// Gives regions addresses from `first` on; what is behind them lies elsewhere.
class made_up_memory {
public:
  u64 first = 0;
  region given[8] = {};
  u32 count = 0;

  memory_status allocate(memory_request const& request, region& out) noexcept {
    u64 const size = round_up(request.size, u64{16});
    if (size > pool_size - used_)
      return memory_status::no_room;
    out = {{0x1000}, pool_ + used_, request.size};
    used_ += size;
    if (request.kind <= memory_kind::init && count < std::size(given)) {
      first = round_up(first, u64{0x10000});
      out.target = {first};
      first += request.size;
      given[count++] = out;
    }
    return memory_status::ok;
  }
  void release(memory_kind, region) noexcept {}
  void reset(u64 at) noexcept {
    if (pool_ == nullptr)
      pool_ = map_at(0, pool_size);
    memset(pool_, 0, static_cast<size_type>(used_));
    used_ = 0;
    count = 0;
    first = at;
  }

private:
  static constexpr u64 pool_size = u64{16} << 20;
  std::byte* pool_ = nullptr;
  u64 used_ = 0;
};

/// Whatever is asked for lies at an address that follows from its name.
struct made_up_symbols {
  u64 from = 0;
  bool find(std::string_view name, bool, exported_symbol& out) noexcept {
    u32 hash = 2166136261;
    for (char c : name)
      hash = (hash ^ static_cast<u8>(c)) * 16777619;
    out = {.value = {from + (hash & 0xffff0)}};
    return true;
  }
};

struct log {
  void report(error const& e) noexcept {
    if (e.code == errc::taint_unsigned)
      return;
    char text[256];
    std::size_t const size = format(e, text);
    say(std::string_view{text, size < sizeof text ? size : sizeof text - 1});
  }
};

struct object_abi : abi::plain {
  static constexpr bool far_calls = true;
};

template <class Arch>
struct foreign {
  using arch = Arch;
  using abi = kmodld::abi::linux_of<Arch, object_abi>;
  using allocator = made_up_memory&;
  using symbol_resolver = made_up_symbols&;
  using protector = no_protection;
  using notifier = no_notifier;
  using invoker = no_invoker;
  using diagnostics = log;
};

constinit made_up_memory regions;
constinit made_up_symbols names;

template <class Arch>
bool link(byte_view file) noexcept {
  constexpr bool wide = Arch::format::bits == 64;
  u64 const base = wide ? 0x12f7ff0000 : 0x7ff00000;
  regions.reset(base);
  names.from = base - 0x100000;
  loader<foreign<Arch>> objects{{.allocator = regions, .symbol_resolver = names}};
  auto linked = objects.load(file, {}, {.name = "object"sv});
  if (!linked)
    return false;
  u64 digest = 0xcbf29ce484222325;
  u64 bytes = 0;
  for (region const& r : std::span{regions.given, regions.count})
    for (u64 i = 0; i < r.size; ++i, ++bytes)
      digest = (digest ^ std::to_integer<u8>(r.host[i])) * 0x100000001b3;
  print(Arch::name);
  print(" "sv);
  print_number(bytes);
  print(" bytes "sv);
  print_hex(digest);
  print("\n"sv);
  return true;
}

template <class... Arch>
bool link_for(std::string_view arch, byte_view file) noexcept {
  bool good = false;
  static_cast<void>(((equal(arch, Arch::name) && ((good = link<Arch>(file)), true)) || ...));
  return good;
}

int main(long count, char** words) noexcept {
  bool good = true;
  for (long i = 1; i + 1 < count; i += 2)
    good =
        link_for<arch::x86_64, arch::aarch64, arch::arm, arch::s390x, arch::mips, arch::powerpc64>(
            c_string(words[i]), read_file(words[i + 1])) &&
        good;
  return good ? 0 : 1;
}

} // namespace

extern "C" void begin(long* stack) noexcept {
  finish(main(stack[0], reinterpret_cast<char**>(stack + 1)));
}

} // namespace kmodld::execution
