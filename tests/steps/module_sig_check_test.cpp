// SPDX-License-Identifier: MIT
// Signatures: which verdicts are soft, what is cut off, what the flags switch off.
#include "steps/support.hpp"

namespace kmodld::test {
namespace {

constexpr auto trailer_magic = "~Module signature appended~\n"sv;

struct trailer {
  u32 length = 10;
  u8 id_type = 2;
  u8 algo = 0;
};

byte_vector with_signature(trailer t = {}) {
  byte_vector image = simple_module();
  image.insert(image.end(), 10, std::byte{0x30});
  byte_vector info = bytes_of({t.algo, 0, t.id_type, 0, 0, 0, 0, 0});
  for (int shift = 24; shift >= 0; shift -= 8)
    info.push_back(static_cast<std::byte>(t.length >> shift));
  image.insert(image.end(), info.begin(), info.end());
  byte_vector const magic = bytes_of(trailer_magic);
  image.insert(image.end(), magic.begin(), magic.end());
  return image;
}

} // namespace

TEST_CASE("module_sig_check: a good signature does not taint") {
  auto h = make_host();
  h->verifier.verdict = errc::ok;
  module& m = loaded(*h, with_signature());
  CHECK(m.sig_ok);
  CHECK(m.taints == 0);
  CHECK(h->verifier.content == simple_module().size());
  CHECK(h->verifier.signature == 10);
}

TEST_CASE("module_sig_check: an unsigned module is not shown to the verifier") {
  auto h = make_host();
  module& m = loaded(*h, simple_module());
  CHECK(h->verifier.calls == 0);
  CHECK(!m.sig_ok);
  CHECK(m.taints == taint_unsigned);
}

TEST_CASE("module_sig_check: soft verdicts go on unsigned") {
  for (errc verdict : {errc::signature_no_key, errc::signature_unsupported}) {
    auto h = make_host();
    h->verifier.verdict = verdict;
    CHECK(loaded(*h, with_signature()).taints == taint_unsigned);
  }
  auto h = make_host();
  CHECK(loaded(*h, with_signature({.id_type = 1})).taints == taint_unsigned);
  CHECK(h->verifier.calls == 0);
}

TEST_CASE("module_sig_check: soft verdicts are refused where signatures are enforced") {
  struct {
    errc verdict;
    byte_vector image;
    std::string_view message;
  } const rows[] = {
      {errc::ok, simple_module(), "Loading of unsigned module is rejected"},
      {errc::signature_no_key, with_signature(),
       "Loading of module with unavailable key is rejected"},
      {errc::signature_unsupported, with_signature(),
       "Loading of module with unsupported crypto is rejected"},
      {errc::ok, with_signature({.id_type = 1}),
       "Loading of module with unsupported crypto is rejected"},
  };
  for (auto const& r : rows) {
    auto h = make_host();
    h->verifier.enforce = true;
    h->verifier.verdict = r.verdict;
    error e = refused(*h, r.image, errc::signature_enforced, "module_sig_check");
    CHECK(e.os_errno() == e_keyrejected);
    CHECK(text_of(e) == r.message);
  }
}

TEST_CASE("module_sig_check: lockdown refuses what is unsigned") {
  auto h = make_host();
  h->settings().lockdown = true;
  CHECK(refused(*h, simple_module(), errc::not_permitted, "module_sig_check").os_errno() == e_perm);
  h->verifier.verdict = errc::ok;
  loaded(*h, with_signature());
}

TEST_CASE("module_sig_check: hard verdicts are fatal, enforced or not") {
  struct {
    errc verdict;
    int number;
  } const rows[] = {{errc::signature_rejected, e_keyrejected}, {errc::signature_block, e_badmsg}};
  for (auto const& r : rows) {
    auto h = make_host();
    h->verifier.verdict = r.verdict;
    CHECK(refused(*h, with_signature(), r.verdict, "module_sig_check").os_errno() == r.number);
  }
}

TEST_CASE("module_sig_check: a malformed trailer is EBADMSG") {
  auto h = make_host();
  CHECK(refused(*h, with_signature({.algo = 1}), errc::signature_params, "module_sig_check")
            .os_errno() == e_badmsg);
  CHECK(refused(*h, with_signature({.length = 1u << 30}), errc::signature_block, "module_sig_check")
            .os_errno() == e_badmsg);
  byte_vector const short_file = bytes_of(std::string{"1234"} + std::string{trailer_magic});
  refused(*h, short_file, errc::signature_block, "module_sig_check");
  CHECK(h->verifier.calls == 0);
}

TEST_CASE("module_sig_check: with a flag the signature is not looked at") {
  for (bool vermagic : {false, true}) {
    auto h = make_host();
    h->verifier.verdict = errc::signature_rejected;
    module& m = loaded(*h, with_signature(), {},
                       {.ignore_modversions = !vermagic, .ignore_vermagic = vermagic});
    CHECK(h->verifier.calls == 0);
    CHECK((m.taints & taint_unsigned) != 0);
    h->verifier.enforce = true;
    h->settings().vermagic = {};
    refused(*h, with_signature(), errc::signature_rejected, "module_sig_check");
    refused(*h, with_signature(), errc::signature_enforced, "module_sig_check", {},
            {.ignore_vermagic = true});
  }
}

} // namespace kmodld::test
