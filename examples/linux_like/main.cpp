// SPDX-License-Identifier: MIT
// linux_like: a kernel in a process that loads, runs and unloads Linux modules.
#include "link/command.hpp"
#include "shell.hpp"
#include "trace_file.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>

namespace {

linux_like::shell* running;

/// Code of a module faulted where nothing can catch it, such as in a thread of its own.
void on_fatal_fault(int number, siginfo_t*, void* context) {
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  const kmodld::address at{static_cast<kmodld::u64>(registers[REG_RIP])};
  const std::string text =
      fmt::format("{} at {}\n", sigabbrev_np(number), running->host.describe(at));
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  _exit(128 + number);
}

void catch_fatal_faults(linux_like::shell& shell) {
  running = &shell;
  struct sigaction action{};
  action.sa_sigaction = on_fatal_fault;
  action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    sigaction(number, &action, nullptr);
}

std::string read_all(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int run(linux_like::shell& shell, const CLI::Option& given, const std::string& commands,
        const std::string& file) {
  if (given.count() != 0)
    return shell.run_script(commands);
  if (!file.empty()) {
    std::ifstream script(file);
    if (!script)
      throw linux_like::refusal(errno, file + ": " + std::strerror(errno));
    return shell.run_script(read_all(script));
  }
  return isatty(STDIN_FILENO) != 0 ? shell.interact() : shell.run_script(read_all(std::cin));
}

/// `linux_like link ...`: a command that needs no kernel, from the command line.
int run_link(std::span<char* const> arguments) {
  std::vector<linux_like::word> words;
  for (const char* one : arguments)
    words.push_back({one});
  try {
    linux_like::link_objects(words);
    return 0;
  } catch (const linux_like::refusal& no) {
    linux_like::print_refusal(no);
    return 1;
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "link")
    return run_link({argv + 2, argv + argc});
  CLI::App app("A Linux-like kernel in a process: loads, runs and unloads Linux modules");
  linux_like::host_options options;
  std::string commands, file, trace_out, features = "none";
  auto* given = app.add_option("-c", commands, "Commands to run, with ; between them");
  app.add_option("FILE", file, "A script of commands")->excludes(given);
  app.add_option("--kernel-exports", options.kernel_exports,
                 "Module.symvers of a kernel: its exports and CRCs, at made-up addresses");
  app.add_option("--vermagic", options.vermagic, "The kernel's version magic");
  app.add_flag("--link-only", options.link_only, "Load, but never run code of modules");
  app.add_option("--root", options.root, "Where modprobe finds lib/modules/RELEASE");
  app.add_option("--keys", options.keys,
                 "Whose signatures of modules are good: certificates (PEM or DER), or a vmlinuz")
      ->type_name("FILE");
  app.add_flag("--sig-enforce", options.enforce_signatures,
               "Refuse modules that are not signed by one of the keys");
  app.add_option("--trace-out", trace_out, "Write all loads to FILE in Chrome's trace format");
  app.add_option("--cpu-features", features, "What boot_cpu_data shows")
      ->check(CLI::IsMember({"none", "native"}));
  CLI11_PARSE(app, argc, argv);
  try {
    linux_like::set_cpu_features(features == "native" ? linux_like::cpu_features::native
                                                      : linux_like::cpu_features::none);
    linux_like::shell shell(options);
    catch_fatal_faults(shell);
    if (!trace_out.empty())
      shell.host.tracer.keep_all();
    const int status = run(shell, *given, commands, file);
    if (!trace_out.empty())
      linux_like::write_trace_file(shell.host.tracer, trace_out);
    return status;
  } catch (const linux_like::refusal& no) {
    linux_like::print_refusal(no);
    return 1;
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
