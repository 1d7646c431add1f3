// SPDX-License-Identifier: MIT
// printk, the snprintf family and the checks by which kernel code reports that something is wrong.
#include "environment.hpp"
#include "format.hpp"
#include "log.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <utility>

using linux_like::format_kernel;

extern "C" void* host___kmalloc(std::size_t bytes, unsigned flags);

namespace {

/// Length of the whole text; at most `room` bytes with the end are written.
int put(char* to, std::size_t room, const std::string& text) {
  if (room != 0) {
    const std::size_t length = std::min(text.size(), room - 1);
    std::memcpy(to, text.data(), length);
    to[length] = '\0';
  }
  return static_cast<int>(text.size());
}

/// Like put, but the length of what was written.
int put_clipped(char* to, std::size_t room, const std::string& text) {
  const int length = put(to, room, text);
  return room == 0 ? 0 : std::min(length, static_cast<int>(room - 1));
}

constexpr std::size_t unbounded = 1 << 20;

} // namespace

extern "C" {

int host_vprintk(const char* format, std::va_list arguments) {
  const std::string text = format_kernel(format, arguments);
  linux_like::log_printk(text);
  return static_cast<int>(text.size());
}

int host__printk(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int length = host_vprintk(format, arguments);
  va_end(arguments);
  return length;
}

void host___warn_printk(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  linux_like::log(4, "WARNING: " + format_kernel(format, arguments));
  va_end(arguments);
}

void host_panic(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::string text = format_kernel(format, arguments);
  va_end(arguments);
  text.insert(0, "Kernel panic - not syncing: ");
  linux_like::oops(std::move(text));
}

// struct _ddebug is not looked into: a call that reaches this is enabled.
void host___dynamic_pr_debug(void*, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  linux_like::log(7, format_kernel(format, arguments));
  va_end(arguments);
}

int host_vsnprintf(char* to, std::size_t room, const char* format, std::va_list arguments) {
  return put(to, room, format_kernel(format, arguments));
}

int host_vscnprintf(char* to, std::size_t room, const char* format, std::va_list arguments) {
  return put_clipped(to, room, format_kernel(format, arguments));
}

int host_vsprintf(char* to, const char* format, std::va_list arguments) {
  return put(to, unbounded, format_kernel(format, arguments));
}

int host_snprintf(char* to, std::size_t room, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int length = host_vsnprintf(to, room, format, arguments);
  va_end(arguments);
  return length;
}

int host_scnprintf(char* to, std::size_t room, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int length = host_vscnprintf(to, room, format, arguments);
  va_end(arguments);
  return length;
}

int host_sprintf(char* to, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int length = host_vsprintf(to, format, arguments);
  va_end(arguments);
  return length;
}

char* host_kvasprintf(unsigned flags, const char* format, std::va_list arguments) {
  const std::string text = format_kernel(format, arguments);
  auto* made = static_cast<char*>(host___kmalloc(text.size() + 1, flags));
  if (made != nullptr)
    put(made, text.size() + 1, text);
  return made;
}

char* host_kasprintf(unsigned flags, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  char* made = host_kvasprintf(flags, format, arguments);
  va_end(arguments);
  return made;
}

void host_print_hex_dump(const char* level, const char* prefix, int, int row, int,
                         const void* bytes, std::size_t length, bool) {
  const auto* at = static_cast<const std::uint8_t*>(bytes);
  const std::size_t step = row == 32 ? 32 : 16;
  for (std::size_t begin = 0; begin < length; begin += step) {
    std::string line = std::string(level) + prefix;
    for (std::size_t i = begin; i < std::min(length, begin + step); ++i) {
      line += "0123456789abcdef"[at[i] >> 4];
      line += "0123456789abcdef"[at[i] & 15];
      line += ' ';
    }
    linux_like::log_printk(line + "\n");
  }
}

int host____ratelimit(void*, const char*) { return 1; }
void host_dump_stack() {}

void host___stack_chk_fail() { linux_like::oops("stack-protector: kernel stack is corrupted"); }
void host_fortify_panic(const char* name) {
  linux_like::oops(std::string("detected buffer overflow in ") + name);
}
void host_refcount_warn_saturate(void*, int kind) {
  linux_like::log(4, "WARNING: refcount_t: saturated or misused, kind " + std::to_string(kind));
}

/// struct list_head, for CONFIG_DEBUG_LIST.
struct list_node {
  list_node *next, *previous;
};

bool host___list_add_valid(const list_node* added, const list_node* previous,
                           const list_node* next) {
  const bool valid =
      next->previous == previous && previous->next == next && added != previous && added != next;
  if (!valid)
    linux_like::log(3, "list_add corruption");
  return valid;
}

bool host___list_del_entry_valid(const list_node* entry) {
  const bool valid = entry->previous->next == entry && entry->next->previous == entry;
  if (!valid)
    linux_like::log(3, "list_del corruption");
  return valid;
}

} // extern "C"
