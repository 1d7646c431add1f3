// SPDX-License-Identifier: MIT
// The table of commands, help, and what commands share.
#include "../link/command.hpp"
#include "commands.hpp"

namespace linux_like {
namespace {

using enum command::operand;

void help(shell&, std::span<const word>) {
  for (const command& c : all_commands())
    fmt::print("  {:<62} {}\n", fmt::format("{} {}", c.name, c.usage), c.help);
}

void link(shell&, std::span<const word> words) { link_objects(words); }

void leave(shell& self, std::span<const word>) { self.finished = true; }

constexpr command table[] = {
    {"insmod", "[-f] [--force-vermagic] [--force-modversion] FILE [param=value ...]",
     "loads a module", commands::insmod, file},
    {"modprobe", "NAME [param=value ...]", "loads a module of --root and what it needs",
     commands::modprobe, known_module},
    {"rmmod", "[-f] NAME", "unloads a module", commands::rmmod, module},
    {"lsmod", "", "lists modules", commands::lsmod},
    {"modinfo", "FILE|NAME", "what a module says of itself", commands::modinfo, file},
    {"call", "[u16|int|...] SYMBOL [0x1 | \"text\" | @NAME:SIZE | @NAME | &SYMBOL ...] [= RESULT]",
     "calls a function", commands::call, symbol},
    {"selftest", "[MODULE | --all]", "compares results of loaded modules with published ones",
     commands::selftest, module},
    {"cat", "PATH", "shows a file of /proc or /sys/module", commands::cat, path},
    {"ls", "[PATH]", "lists a directory there", commands::ls, path},
    {"write", "PATH TEXT", "writes a file there, such as a parameter", commands::write, path},
    {"dmesg", "", "what the kernel has logged", commands::dmesg},
    {"map", "NAME|FILE", "regions, permissions and sections of a module", commands::map, module},
    {"trace", "", "the steps of the last load and their times", commands::trace},
    {"check", "FILE|NAME", "everything that keeps a module from loading", commands::check, file},
    {"sign", "[--digest sha256] KEY.pem CERTIFICATE.pem MODULE OUT",
     "appends a signature to a module", commands::sign, file},
    {"link", "FILE... [--abs NAME=0xN] [--section FILE:NAME=0xN] --base 0xN -o IMAGE --map JSON",
     "links objects of any architecture", link, file},
    {"load-all", "DIR", "loads every module below a directory", commands::load_all, file},
    {"unload-all", "", "unloads every module and looks for leaks", commands::unload_all},
    {"help", "", "this list", help},
    {"exit", "", "ends", leave},
};

} // namespace

std::span<const command> all_commands() { return table; }

namespace commands {

void expect_words(words given, std::size_t least, std::size_t most, const char* usage) {
  if (given.size() < least || given.size() > most)
    throw refusal(EINVAL, std::string("usage: ") + usage);
}

std::string joined_parameters(words given) {
  std::string out;
  for (const word& one : given) {
    if (!out.empty())
      out += ' ';
    const std::size_t equals = one.text.find('=');
    if (one.text.find_first_of(" \t\n") == one.text.npos || equals == one.text.npos ||
        one.text.find('"') != one.text.npos)
      out += one.text;
    else
      out += one.text.substr(0, equals + 1) + '"' + one.text.substr(equals + 1) + '"';
  }
  return out;
}

std::filesystem::path module_path(shell& self, const std::string& given) {
  std::error_code none;
  if (std::filesystem::exists(given, none))
    return given;
  std::filesystem::path found = self.index.find(given);
  if (found.empty())
    throw refusal(ENOENT, given + ": no such file, nor a module below --root");
  return found;
}

kmodld::module_ref loaded_module(shell& self, std::string_view name) {
  auto found = self.host.find_module(name);
  if (!found)
    throw refusal(ENOENT, std::string(name) + ": no module of this name");
  return found;
}

void expect_running(const shell& self) {
  if (self.host.options.link_only)
    throw refusal(EPERM, "with --link-only no code of modules is run");
}

} // namespace commands
} // namespace linux_like
