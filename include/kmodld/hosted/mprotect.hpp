// SPDX-License-Identifier: MIT
// Protector: mprotect, and writing to code that is already executable.
#pragma once

#include <kmodld/hosted/arena.hpp>
#include <kmodld/policy/protector.hpp>

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

namespace kmodld::hosted {

/// When permissions change.
enum class settles : u8 {
  at_once, ///< whenever the loader says so
  later    ///< with settle(), which must come before code of a module runs
};

/// For memory of which target address and pointer are one, such as the arena's.
class mprotect_protector {
public:
  mprotect_protector() noexcept = default;
  /// For that arena's memory, which is to be protected by this alone. Patches through the arena's
  /// second mapping, if it has one. `later` is for hosts that link many modules before they run
  /// any: a system call takes longer than relocating a small module.
  explicit mprotect_protector(arena& memory, settles when = settles::at_once) noexcept
      : arena_{&memory}, at_once_{when == settles::at_once} {
    memory.knows_permissions();
  }

  /// EINVAL if a region is not page-aligned; neighbours that get the same are one call.
  int protect(std::span<protection const> batch) noexcept {
    u64 mask = page_size_ - 1;
    for (protection const& p : batch)
      if (((p.memory.target.value | p.memory.size) & mask) != 0)
        return EINVAL;
    bool executable = false;
    for (std::size_t i = 0, next; i < batch.size(); i = next) {
      region memory = batch[i].memory;
      for (next = i + 1; next < batch.size() && batch[next].allowed == batch[i].allowed &&
                         batch[next].memory.target == memory.target + memory.size;
           ++next)
        memory.size += batch[next].memory.size;
      if (int failed = change(memory, batch[i].allowed); failed != 0)
        return failed;
      executable = executable || batch[i].allowed == permission::read_execute;
    }
    if (executable && at_once_)
      synchronize_cores();
    return 0;
  }

  /// Makes the changes that were put off; 0 or an errno.
  int settle() noexcept {
    if (arena_ == nullptr || at_once_)
      return 0;
    int const failed = arena_->settle();
    synchronize_cores();
    return failed;
  }

  void flush_icache(region code) noexcept {
    auto* first = static_cast<char*>(pointer(code.target));
    __builtin___clear_cache(first, first + code.size);
  }

  /// Writes without making the page writable where it can be executed: through the second mapping,
  /// else through /proc/self/mem, by which the kernel writes to private memory whatever its
  /// permissions are. Threads may execute the memory meanwhile; 2, 4 or, in 64-bit programs, 8
  /// aligned bytes change as one in the first case only. Some systems refuse the second (EIO,
  /// EPERM, EACCES): use an arena with a second mapping there.
  int patch(address where, byte_view bytes) noexcept {
    if (std::byte* p = arena_ == nullptr ? nullptr : arena_->writable(where, bytes.size()))
      store(p, bytes);
    else if (int failed = write_memory(where, bytes))
      return failed;
    flush_icache({where, nullptr, bytes.size()});
    synchronize_cores();
    return 0;
  }

private:
  static void* pointer(address a) noexcept {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(a.value));
  }
  static constexpr int bits(permission p) noexcept {
    return p == permission::read_write     ? PROT_READ | PROT_WRITE
           : p == permission::read_execute ? PROT_READ | PROT_EXEC
                                           : PROT_READ;
  }

  /// Memory is used again: another core may have fetched what stood there before, and goes on with
  /// that until its pipeline is emptied, which the flush does on this core alone. On x86 the change
  /// of permissions does it, by an interrupt; a riscv kernel does it in the flush.
  static bool can_synchronize_cores() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    return false;
#else
    return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) ==
           0;
#endif
  }
  void synchronize_cores() const noexcept {
    if (synchronize_)
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
  }

  int change(region const& memory, permission allowed) noexcept {
    if (memory.size == 0)
      return 0;
    if (arena_ != nullptr && arena_->holds(memory))
      return arena_->protect(memory, allowed, at_once_);
    return ::mprotect(pointer(memory.target), static_cast<std::size_t>(memory.size),
                      bits(allowed)) == 0
               ? 0
               : errno;
  }

  template <class Word>
  static bool store_word(std::byte* p, byte_view bytes) noexcept {
    if (bytes.size() != sizeof(Word) || reinterpret_cast<std::uintptr_t>(p) % sizeof(Word) != 0)
      return false;
    Word word;
    std::memcpy(&word, bytes.data(), sizeof word);
    __atomic_store_n(reinterpret_cast<Word*>(p), word, __ATOMIC_RELEASE);
    return true;
  }
  static void store(std::byte* p, byte_view bytes) noexcept {
    if constexpr (sizeof(void*) == 8) // the others need not have such a store
      if (store_word<u64>(p, bytes))
        return;
    if (!store_word<u16>(p, bytes) && !store_word<u32>(p, bytes) && !bytes.empty())
      std::memcpy(p, bytes.data(), bytes.size());
  }

  static int write_memory(address where, byte_view bytes) noexcept {
    int fd = ::open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return errno;
#if defined(__GLIBC__) // whose off_t of 32 bits holds half of the addresses
    ssize_t written = ::pwrite64(fd, bytes.data(), bytes.size(), static_cast<off64_t>(where.value));
#else
    ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(where.value));
#endif
    int failed = written < 0                                        ? errno
                 : static_cast<std::size_t>(written) < bytes.size() ? EFAULT
                                                                    : 0;
    ::close(fd);
    return failed;
  }

  arena* arena_ = nullptr;
  bool at_once_ = true;
  bool synchronize_ = can_synchronize_cores();
  u64 page_size_ = static_cast<u64>(::sysconf(_SC_PAGESIZE));
};
static_assert(protector_policy<mprotect_protector>);
static_assert(patching_protector<mprotect_protector>);

} // namespace kmodld::hosted
