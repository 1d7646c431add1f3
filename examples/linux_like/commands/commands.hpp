// SPDX-License-Identifier: MIT
// All commands, one function each, and what they share.
#pragma once

#include "../shell.hpp"

#include <fmt/format.h>

namespace linux_like::commands {

using words = std::span<const word>;

// modules.cpp
void insmod(shell&, words);
void rmmod(shell&, words);
void lsmod(shell&, words);
void modinfo(shell&, words);
// modprobe.cpp
void modprobe(shell&, words);
// files.cpp
void cat(shell&, words);
void ls(shell&, words);
void write(shell&, words);
void dmesg(shell&, words);
// call.cpp
void call(shell&, words);
// selftest.cpp
void selftest(shell&, words);
// map.cpp
void map(shell&, words);
// trace.cpp
void trace(shell&, words);
// check.cpp
void check(shell&, words);
// sign.cpp
void sign(shell&, words);
// load_all.cpp
void load_all(shell&, words);
void unload_all(shell&, words);

/// Throws EINVAL with the command's usage unless there are `least` to `most` words.
void expect_words(words given, std::size_t least, std::size_t most, const char* usage);

/// Parameters of a module as one text; a value with spaces gets quotes, as kmod does it.
std::string joined_parameters(words given);

/// A file, or a module below --root by its name. Throws ENOENT.
std::filesystem::path module_path(shell& self, const std::string& given);

/// The loaded module of this name. Throws ENOENT.
kmodld::module_ref loaded_module(shell& self, std::string_view name);

/// Refuses what would run code under --link-only.
void expect_running(const shell& self);

} // namespace linux_like::commands
