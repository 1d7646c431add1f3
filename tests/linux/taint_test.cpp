// SPDX-License-Identifier: MIT
#include <kmodld/linux/taint.hpp>

#include <doctest/doctest.h>

using namespace kmodld;

namespace {

std::string_view letters(u32 taints, std::span<char> out) {
  return {out.data(), taint_letters(taints, out)};
}
std::string_view kernel_letters(u32 taints, std::span<char> out) {
  return {out.data(), kernel_taint_letters(taints, out)};
}

} // namespace

TEST_CASE("taint: a module shows its own flags in bit order") {
  char out[taint_flags_count];
  CHECK(letters(0, out) == "");
  CHECK(letters(taint_unsigned | taint_out_of_tree, out) == "OE");
  CHECK(letters(taint_proprietary | taint_forced | taint_staging | taint_livepatch | taint_aux |
                    taint_randstruct | taint_test,
                out) == "PFCKXTN");
  CHECK(letters(~u32{0}, out) == "PFCOEKXTN");
  CHECK(letters(taint_user | taint_warn | taint_die | taint_soft_lockup | taint_firmware, out) ==
        "");
}

TEST_CASE("taint: letters that do not fit are counted, not written") {
  char out[3] = {'?', '?', '?'};
  CHECK(taint_letters(taint_proprietary | taint_out_of_tree | taint_unsigned,
                      std::span{out}.first(2)) == 3);
  CHECK(std::string_view{out, 3} == "PO?");
  CHECK(taint_letters(taint_forced, {}) == 1);
}

TEST_CASE("taint: the kernel's line has a column a flag") {
  char out[taint_flags_count];
  CHECK(kernel_letters(0, out) == "");
  CHECK(kernel_letters(1u << 19, out) == "");
  CHECK(kernel_letters(taint_warn | taint_out_of_tree | taint_unsigned, out) ==
        "G        W  OE     ");
  CHECK(kernel_letters(taint_proprietary, out) == "P                  ");
  CHECK(kernel_letters((1u << 19) - 1, out) == "PFSRMBUDAWCIOELKXTN");
  char small[2] = {'?', '?'};
  CHECK(kernel_taint_letters(taint_forced, std::span{small}.first(1)) == 19);
  CHECK(std::string_view{small, 2} == "G?");
}
