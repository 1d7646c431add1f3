// SPDX-License-Identifier: MIT
// sign: what sign-file of a kernel's source does.
#include "../signatures/sign.hpp"

#include "commands.hpp"

#include <fstream>

namespace linux_like::commands {

void sign(shell&, words given) {
  constexpr const char* usage = "sign [--digest sha256] KEY.pem CERTIFICATE.pem MODULE OUT";
  std::string digest = "sha256";
  if (given.size() > 2 && !given[0].quoted && given[0].text == "--digest") {
    digest = given[1].text;
    given = given.subspan(2);
  }
  expect_words(given, 4, 4, usage);
  const byte_vector out = sign_module(read_module_file(given[2].text), read_file(given[0].text),
                                      read_file(given[1].text), digest);
  // OUT may be the module itself: it stays what it is until all of the new one is written.
  const std::string fresh = given[3].text + ".~signed~";
  std::ofstream file(fresh, std::ios::binary);
  file.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(out.size()));
  file.close();
  std::error_code failed;
  if (file)
    std::filesystem::rename(fresh, given[3].text, failed);
  if (!file || failed) {
    std::filesystem::remove(fresh, failed);
    throw refusal(EIO, given[3].text + ": cannot be written");
  }
}

} // namespace linux_like::commands
