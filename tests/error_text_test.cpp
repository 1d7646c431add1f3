// SPDX-License-Identifier: MIT
// error_text.hpp: a message for every code, its placeholders, numbers, small buffers.
#include <kmodld/error_text.hpp>

#include <doctest/doctest.h>

#include <cinttypes>
#include <cstdio>
#include <set>
#include <string>

using namespace kmodld;

namespace {

std::string text_of(error const& e) {
  char buffer[1024];
  std::size_t n = format(e, buffer);
  REQUIRE(n < sizeof buffer);
  REQUIRE(buffer[n] == '\0');
  return {buffer, n};
}

error make(errc code, u64 n0 = 0, u64 n1 = 0, u32 section = 0, u32 index = 0) {
  error e;
  e.code = code;
  e.number[0] = n0;
  e.number[1] = n1;
  e.section = section;
  e.index = index;
  return e;
}

template <class F>
void each_code(F f) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(errc::count_); ++i)
    f(static_cast<errc>(i));
}

std::string decimal(u64 n) {
  char out[32];
  detail::text_sink sink{out};
  sink.put_decimal(n);
  return {out, sink.finish()};
}
std::string hex(u64 n) {
  char out[32];
  detail::text_sink sink{out};
  sink.put_hex(n);
  return {out, sink.finish()};
}

} // namespace

TEST_CASE("every code has its message, at its place") {
  each_code([](errc c) {
    std::size_t i = static_cast<std::size_t>(c);
    CAPTURE(i);
    CHECK(error_messages[i].code == c);
    CHECK(!message_of(c).empty());
  });
}

TEST_CASE("placeholders are known ones and closed") {
  std::set<std::string> const known{"m", "s", "t", "@", "#", "0", "1", "0x", "1x"};
  each_code([&](errc c) {
    std::string text{message_of(c)};
    CAPTURE(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{') {
        std::size_t close = text.find('}', i);
        REQUIRE(close != std::string::npos);
        CHECK(known.count(text.substr(i + 1, close - i - 1)) == 1);
        i = close;
      } else {
        CHECK(text[i] != '}');
      }
      CHECK(text[i] != '\n');
    }
  });
}

TEST_CASE("nothing of a placeholder is left in the text, whatever is in the record") {
  each_code([](errc c) {
    error e = make(c, ~u64{0}, ~u64{0}, ~u32{0}, ~u32{0});
    e.set_names(std::string(99, 'm'), std::string(99, 's'), std::string(99, 't'));
    std::string text = text_of(e);
    CAPTURE(text);
    CHECK(text.find('{') == std::string::npos);
    CHECK(text.find('}') == std::string::npos);
  });
}

TEST_CASE("a brace in a name is text") {
  error e = make(errc::symbol_unknown, 2);
  e.set_names("a{m}", "{s}{", "}");
  CHECK(text_of(e) == "a{m}: Unknown symbol {s}{ (err -2)");
}

TEST_CASE("messages in the words of the kernel's log") {
  CHECK(text_of(make(errc::elf_magic)) == "Invalid ELF header magic: != \\x7fELF");
  CHECK(text_of(make(errc::elf_arch, 3)) == "Invalid architecture in ELF header: 3");
  CHECK(text_of(make(errc::elf_header_len, 63)) == "Invalid ELF header len 63");
  CHECK(text_of(make(errc::elf_type, 2)) == "Invalid ELF header type: 2 != 1");
  CHECK(text_of(make(errc::elf_shentsize)) == "Invalid ELF section header size");
  CHECK(text_of(make(errc::elf_shdr_overflow)) == "Invalid ELF section header overflow");
  CHECK(text_of(make(errc::elf_shstrndx, 999, 41)) ==
        "Invalid ELF section name index: 999 || e_shstrndx (999) >= e_shnum (41)");
  CHECK(text_of(make(errc::elf_shstrtab_range, 8)) == "Invalid ELF section hdr(type 8)");
  CHECK(text_of(make(errc::elf_shstrtab_empty)) == "empty section name table");
  CHECK(text_of(make(errc::elf_shstrtab_unterminated)) ==
        "ELF Spec violation: section name table isn't null terminated");
  CHECK(text_of(make(errc::elf_section_zero, 1)) ==
        "ELF Spec violation: section 0 type(1)!=SH_NULL or non-zero len or addr");
  CHECK(text_of(make(errc::elf_sh_link, 0, 41)) ==
        "Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum(41)");
  CHECK(text_of(make(errc::elf_section_range, 1, 0, 3)) ==
        "Invalid ELF section in module (section 3 type 1)");
  CHECK(text_of(make(errc::elf_section_name, 1, 0, 3)) ==
        "Invalid ELF section name in module (section 3 type 1)");

  error e = make(errc::symbol_unknown, 2);
  e.set_names("dummy", "Register_netdevice");
  CHECK(text_of(e) == "dummy: Unknown symbol Register_netdevice (err -2)");
  e = make(errc::vermagic_mismatch);
  e.set_names("dummy", "6.1.0-56-amd64 XMP preempt mod_unload modversions ",
              "6.1.0-56-amd64 SMP preempt mod_unload modversions ");
  CHECK(text_of(e) ==
        "dummy: version magic '6.1.0-56-amd64 XMP preempt mod_unload modversions ' should be "
        "'6.1.0-56-amd64 SMP preempt mod_unload modversions '");
  e = make(errc::param_invalid, 34);
  e.set_names("dummy", "numdummies", "99999999999");
  CHECK(text_of(e) == "dummy: `99999999999' invalid for parameter `numdummies'");
  e = make(errc::hook_refused, 22);
  e.set_names("dummy");
  CHECK(text_of(e) == "dummy: a hook refused the module (err -22)");
  e.code = errc::finalize_failed;
  CHECK(text_of(e) == "dummy: the architecture refused the module (err -22)");
  e = make(errc::section_write_exec, 0, 0, 7);
  e.set_names("dummy", ".text");
  CHECK(text_of(e) == "dummy: section .text (index 7) has invalid WRITE|EXEC flags");
}

TEST_CASE("hexadecimal numbers and indexes") {
  error e = make(errc::reloc_overflow, 11, 0xffffffff8107664c, 3, 12);
  e.set_names("m", "f");
  CHECK(text_of(e) ==
        "overflow in relocation type 11 val ffffffff8107664c, section 3 reloc 12 sym 'f'");
}

TEST_CASE("decimal digits without a division") {
  for (u64 n :
       {u64{0}, u64{1}, u64{9}, u64{10}, u64{99}, u64{100}, u64{4294967295}, u64{4294967296},
        u64{9999999999999999999u}, u64{10000000000000000000u}, ~u64{0}, ~u64{0} - 5})
    CHECK(decimal(n) == std::to_string(n));
  u64 n = 1;
  for (int i = 0; i < 20000; ++i) {
    n = n * 6364136223846793005u + 1442695040888963407u;
    REQUIRE(decimal(n) == std::to_string(n));
    REQUIRE(decimal(n >> (i % 64)) == std::to_string(n >> (i % 64)));
  }
  for (u64 p = 10; p != 0 && p <= 10000000000000000000u; p = p > ~u64{0} / 10 ? 0 : p * 10) {
    REQUIRE(decimal(p) == std::to_string(p));
    REQUIRE(decimal(p - 1) == std::to_string(p - 1));
  }
}

TEST_CASE("hexadecimal digits") {
  for (u64 n : {u64{0}, u64{1}, u64{15}, u64{16}, u64{0x100000000}, u64{0xdeadbeef}, ~u64{0}}) {
    char expected[32];
    std::snprintf(expected, sizeof expected, "%" PRIx64, n);
    CHECK(hex(n) == expected);
  }
}

TEST_CASE("a small buffer gets the beginning, and the length of the whole") {
  error e = make(errc::symbol_unknown, 2);
  e.set_names("dummy", "register_netdevice");
  std::string const whole = "dummy: Unknown symbol register_netdevice (err -2)";
  for (std::size_t n = 0; n <= whole.size() + 2; ++n) {
    std::string buffer(n + 1, '#'); // one more, to see that it stays
    CHECK(format(e, {buffer.data(), n}) == whole.size());
    CHECK(buffer[n] == '#');
    if (n != 0)
      CHECK(c_string(buffer.data()) == head(whole, n - 1));
  }
}

TEST_CASE("names of error numbers") {
  CHECK(errno_name(8) == "ENOEXEC");
  CHECK(errno_name(129) == "EKEYREJECTED");
  CHECK(errno_name(34) == "ERANGE");
  CHECK(errno_name(0) == "");
  CHECK(errno_name(-1) == "");
  each_code([](errc c) {
    int n = errno_of(c);
    CHECK((n <= 0 || !errno_name(n).empty()));
  });
}

TEST_CASE("formatting works at compile time") {
  static_assert([] {
    char out[64] = {};
    error e;
    e.code = errc::elf_arch;
    e.number[0] = 3;
    return format(e, out) == 37;
  }());
}
