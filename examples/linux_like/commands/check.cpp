// SPDX-License-Identifier: MIT
// check: everything that keeps a module from loading, at once. What a module says of itself and
// what it wants is compared with the exports there are (check_symbols.cpp); whether it can be
// placed and relocated is tried by a pipeline of its own, which goes on where Linux would stop and
// always gives everything back (check_relocations.cpp).
#include "../check.hpp"
#include "../link/machines.hpp"
#include "commands.hpp"

#include <kmodld/linux/license.hpp>
#include <kmodld/linux/signature.hpp>
#include <kmodld/linux/vermagic.hpp>

namespace linux_like {
namespace {

void check_license(const kmodld::modinfo& tags, findings& out) {
  const std::string_view license = tags.get("license");
  if (!kmodld::license_is_gpl_compatible(license))
    out.note("license '{}' taints the kernel and hides its GPL-only exports",
             license.data() == nullptr ? kmodld::unspecified_license : license);
}

void check_modinfo(const host& self, const module_view& view, findings& out) {
  const std::string_view name = view.tags.get("name");
  const std::string& kernel = self.options.vermagic;
  const std::string_view magic = view.tags.get("vermagic");
  if (!kernel.empty() && magic.data() == nullptr)
    out.wrong("no version magic; the kernel's is '{}'", kernel);
  else if (!kernel.empty() && !kmodld::same_magic(magic, kernel, view.has_versions))
    out.wrong("version magic '{}' should be '{}'", magic, kernel);
  check_license(view.tags, out);
  if (view.tags.has("livepatch"))
    out.wrong("is a live patch, which this kernel does not support");
  if (name.data() == nullptr)
    out.note("no name in .modinfo");
}

/// A module of another machine: its kernel's exports are not here, so that it is checked by itself.
void check_foreign(const machine& foreign, const std::filesystem::path& file,
                   kmodld::byte_view bytes) {
  findings out;
  foreign.check(bytes, out);
  const auto tags = foreign.modinfo(bytes).tags;
  check_license(tags, out);
  fmt::print("{}: for {}: {} found wrong, {} notes\n", file.string(), foreign.name, out.errors(),
             out.notes());
  if (out.errors() != 0)
    throw refusal(ENOEXEC, file.filename().string() + " cannot be loaded");
}

void check_names(host& self, const module_view& view, findings& out) {
  const std::string_view name = view.tags.get("name");
  if (self.loader.find(name))
    out.wrong("a module named {} is loaded", name);
  for (const std::string_view exported : view.exported_names()) {
    kmodld::exported_symbol other;
    if (self.exports.find(exported, true, other) &&
        (other.owner == nullptr || other.owner->name() != name))
      out.wrong("exports {}, which {} exports already", exported,
                other.owner == nullptr ? "the kernel" : other.owner->name());
  }
}

/// What module_sig_check will say. That a module taints is worth a note if there are keys to judge
/// by.
void check_signature(host& self, kmodld::byte_view bytes, findings& out) {
  kmodld::signature_parts parts;
  kmodld::errc verdict = split_signature(bytes, parts);
  if (verdict == kmodld::errc::ok)
    verdict = self.keys.verify(parts.content, parts.signature);
  kmodld::error error;
  error.code = verdict;
  if (kmodld::counts_as_unsigned(verdict) && !self.keys.enforced()) {
    if (self.keys.size() != 0)
      out.note("{}: taints the kernel", text_of(error));
  } else if (verdict != kmodld::errc::ok)
    out.wrong("{}", text_of(error));
}

} // namespace

void commands::check(shell& self, words given) {
  expect_words(given, 1, 1, "check FILE|NAME");
  const auto file = module_path(self, given[0].text);
  findings out;
  const byte_vector bytes = read_module_file(file);
  if (const machine* foreign = foreign_machine(bytes)) {
    check_foreign(*foreign, file, bytes);
    return;
  }
  check_signature(self.host, bytes, out);
  std::optional<module_view> view;
  try {
    view.emplace(view_module(bytes));
  } catch (const refusal& no) {
    out.wrong("{}", text_of(no)); // nothing else in the file can be trusted
  }
  if (view) {
    check_modinfo(self.host, *view, out);
    check_names(self.host, *view, out);
    check_symbols(self.host, *view, out);
    check_relocations(self.host, bytes, out);
  }
  fmt::print("{}: {} found wrong, {} notes\n", file.string(), out.errors(), out.notes());
  if (out.errors() != 0)
    throw refusal(ENOEXEC, file.filename().string() + " cannot be loaded");
}

} // namespace linux_like
