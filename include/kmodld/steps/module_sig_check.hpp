// SPDX-License-Identifier: MIT
// module_sig_check: cuts the signature's trailer off and lets the verifier judge it.
// May refuse: EBADMSG, EKEYREJECTED, EPERM, the verifier's own. Undo: free_copy.
#pragma once

#include <kmodld/environment.hpp>
#include <kmodld/linux/signature.hpp>
#include <kmodld/steps/values.hpp>

namespace kmodld::steps {

struct module_sig_check {
  static constexpr std::string_view name = "module_sig_check"sv;
  using yields = types<module_image>;

  template <class Env>
  static errc run(Env& env, module_image& out) noexcept {
    out.bytes = env.image;
    if constexpr (verifier_policy<std::remove_cvref_t<decltype(env.policy().verifier)>>) {
      auto& verifier = env.policy().verifier;
      errc verdict = errc::signature_missing;
      // A module whose versions or magic are ignored could be one that was signed for another
      // kernel: its signature is not looked at.
      if (!env.flags.ignore_modversions && !env.flags.ignore_vermagic) {
        signature_parts parts;
        verdict = split_signature(env.image, parts);
        out.bytes = parts.content;
        if (verdict == errc::ok)
          verdict = verifier.verify(parts.content, parts.signature);
      }
      out.sig_ok = verdict == errc::ok;
      if (out.sig_ok)
        return errc::ok;
      if (!counts_as_unsigned(verdict))
        return env.fail(verdict);
      if (verifier.enforced())
        return env.fail(errc::signature_enforced, reason(verdict));
      if (env.state.settings.lockdown)
        return env.fail(errc::not_permitted);
    }
    return errc::ok;
  }

  /// The temporary image of Linux is, here, all scratch memory of the load.
  template <class Env>
  static void undo(Env& env, module_image&) noexcept {
    env.free_scratch();
    env.undone("free_copy"sv);
  }

private:
  static constexpr std::string_view reason(errc verdict) noexcept {
    switch (verdict) {
    case errc::signature_missing: return "unsigned module"sv;
    case errc::signature_no_key: return "module with unavailable key"sv;
    default: return "module with unsupported crypto"sv;
    }
  }
};

} // namespace kmodld::steps
