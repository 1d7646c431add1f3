// SPDX-License-Identifier: MIT
// A hypervisor that fills the memory of a guest: it links code for the addresses at which the guest
// will see it, writes through a mapping of its own, and runs nothing of it.
//   guest_memory PAYLOAD.o
// The guest's view is a second mapping of the same memory, played by this process, too: only what
// the guest does goes through it.
#include <kmodld/arch/x86_64.hpp>
#include <kmodld/hosted/mprotect.hpp>
#include <kmodld/hosted/stdio_diagnostics.hpp>
#include <kmodld/kmodld.hpp>
#include <kmodld/linux/kallsyms.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

using kmodld::address;
using kmodld::memory_status;
using kmodld::u64;

/// The allocator: regions whose target address is the guest's and whose pointer is the host's. The
/// guest may read and write what it has been given, until the protector says otherwise.
class guest_memory {
public:
  static constexpr u64 size = 1u << 20, page = 4096;

  guest_memory() {
    int const fd = ::memfd_create("guest", MFD_CLOEXEC);
    if (fd < 0 || ::ftruncate(fd, size) != 0)
      return;
    host_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    guest_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
  }
  bool valid() const { return host_ != MAP_FAILED && guest_ != MAP_FAILED; }
  address base() const { return {reinterpret_cast<std::uintptr_t>(guest_)}; }
  std::byte* host() const { return static_cast<std::byte*>(host_); }

  memory_status allocate(kmodld::memory_request const& request, kmodld::region& out) noexcept {
    u64 const bytes = kmodld::round_up(request.size, page);
    if (request.kind > kmodld::memory_kind::init) { // the loader's own: no business of the guest's
      out.host = static_cast<std::byte*>(std::aligned_alloc(page, bytes));
      out.target = {reinterpret_cast<std::uintptr_t>(out.host)};
    } else if (bytes <= size - used_ && request.align <= page) {
      if (!request.reach.holds(base() + used_, bytes))
        return memory_status::out_of_reach;
      out.host = host() + used_;
      out.target = base() + used_;
      used_ += bytes;
    } else
      return memory_status::no_room;
    if (out.host == nullptr)
      return memory_status::no_room;
    std::memset(out.host, 0, bytes);
    out.size = bytes;
    ++in_use_;
    return memory_status::ok;
  }
  void release(kmodld::memory_kind kind, kmodld::region given) noexcept {
    if (kind > kmodld::memory_kind::init)
      std::free(given.host);
    --in_use_;
  }
  unsigned in_use() const { return in_use_; }

private:
  void* host_ = MAP_FAILED;
  void* guest_ = MAP_FAILED;
  u64 used_ = page; ///< never used again; the first page is the guest's own
  unsigned in_use_ = 0;
};

/// What the guest exports: a counter at its base.
struct guest_symbols {
  address ticks;
  bool find(std::string_view name, bool, kmodld::exported_symbol& out) const noexcept {
    out = {.value = ticks};
    return name == "guest_ticks";
  }
};

struct config {
  using arch = kmodld::arch::x86_64;
  using abi = kmodld::abi::linux_of<arch, kmodld::abi::plain>;
  using allocator = guest_memory&;
  using symbol_resolver = guest_symbols;
  /// By target address, so it changes what the guest may do: in its place stand nested page tables.
  using protector = kmodld::hosted::mprotect_protector;
  using notifier = kmodld::no_notifier;
  using invoker = kmodld::no_invoker;
  using verifier = kmodld::no_signatures;
  using diagnostics = kmodld::hosted::stdio_diagnostics;
};

} // namespace

int main(int argc, char** argv) {
  guest_memory memory;
  if (argc != 2 || !memory.valid())
    return 2;
  std::ifstream in{argv[1], std::ios::binary};
  std::vector<char> const file{std::istreambuf_iterator<char>{in}, {}};
  kmodld::loader<config> loader{{.allocator = memory, .symbol_resolver = {memory.base()}}};
  auto payload = loader.load(std::as_bytes(std::span{file}), {}, {.name = "payload"});
  if (!payload)
    return 1;
  auto const entry = kmodld::lookup_name<config::arch::format>(**payload, "payload_run");
  if (!entry)
    return 1;

  // From here on it is the guest that acts.
  auto* const ticks = reinterpret_cast<unsigned*>(memory.base().value);
  auto const run = reinterpret_cast<unsigned* (*)(unsigned)>(entry.value);
  unsigned* const kept = run(3);

  // And here what the host sees of it.
  bool const guests_own = kept >= ticks && kept < ticks + guest_memory::size / sizeof *ticks;
  unsigned seen;
  std::memcpy(&seen, memory.host(), sizeof seen);
  std::printf("guest: ticks = %u, kept in %s memory\n", *kept, guests_own ? "its own" : "foreign");
  std::printf("host: the guest's ticks = %u\n", seen);
  bool const gone = static_cast<bool>(loader.unload(*payload));
  return gone && memory.in_use() == 0 && guests_own && seen == 3 && *kept == seen ? 0 : 1;
}
