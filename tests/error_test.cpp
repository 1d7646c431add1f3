// SPDX-License-Identifier: MIT
// errc.hpp and error.hpp: errno of each code, packed names, result.
#include <kmodld/error.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace kmodld;

TEST_CASE("the numbers are the system's") {
  CHECK(int{e_perm} == EPERM);
  CHECK(int{e_noent} == ENOENT);
  CHECK(int{e_intr} == EINTR);
  CHECK(int{e_io} == EIO);
  CHECK(int{e_noexec} == ENOEXEC);
  CHECK(int{e_again} == EAGAIN);
  CHECK(int{e_nomem} == ENOMEM);
  CHECK(int{e_fault} == EFAULT);
  CHECK(int{e_busy} == EBUSY);
  CHECK(int{e_exist} == EEXIST);
  CHECK(int{e_nodev} == ENODEV);
  CHECK(int{e_inval} == EINVAL);
  CHECK(int{e_fbig} == EFBIG);
  CHECK(int{e_nospc} == ENOSPC);
  CHECK(int{e_rofs} == EROFS);
  CHECK(int{e_range} == ERANGE);
  CHECK(int{e_nodata} == ENODATA);
  CHECK(int{e_nopkg} == ENOPKG);
  CHECK(int{e_badmsg} == EBADMSG);
  CHECK(int{e_opnotsupp} == EOPNOTSUPP);
  CHECK(int{e_nokey} == ENOKEY);
  CHECK(int{e_keyexpired} == EKEYEXPIRED);
  CHECK(int{e_keyrejected} == EKEYREJECTED);
}

TEST_CASE("errno of codes, as Linux answers them") {
  CHECK(errno_of(errc::ok) == 0);
  for (errc c = errc::elf_header_len; c <= errc::elf_strtab_type;
       c = static_cast<errc>(static_cast<u8>(c) + 1))
    CHECK(errno_of(c) == ENOEXEC);
  CHECK(errno_of(errc::signature_rejected) == EKEYREJECTED);
  CHECK(errno_of(errc::signature_block) == EBADMSG);
  CHECK(errno_of(errc::module_blacklisted) == EPERM);
  CHECK(errno_of(errc::version_disagrees) == EINVAL);
  CHECK(errno_of(errc::version_layout) == ENOEXEC);
  CHECK(errno_of(errc::module_exists) == EEXIST);
  CHECK(errno_of(errc::module_busy) == EBUSY);
  CHECK(errno_of(errc::symbol_unknown) == ENOENT);
  CHECK(errno_of(errc::symbol_common) == ENOEXEC);
  CHECK(errno_of(errc::reloc_unknown) == ENOEXEC);
  CHECK(errno_of(errc::percpu_no_memory) == ENOMEM);
  CHECK(errno_of(errc::param_too_large) == ENOSPC);
  CHECK(errno_of(errc::unload_in_use) == EAGAIN);
  CHECK(errno_of(errc::unload_no_module) == ENOENT);
  CHECK(errno_of(errc::taint_license) == 0);
}

TEST_CASE("every errno is one of the numbers above, 0, or comes from outside") {
  for (std::size_t i = 0; i < static_cast<std::size_t>(errc::count_); ++i) {
    int n = errno_of(static_cast<errc>(i));
    CHECK((n == errno_in_number || (n >= 0 && n <= e_keyrejected)));
  }
}

TEST_CASE("a code whose errno comes from outside has it in number[0]") {
  error e;
  e.code = errc::notifier_refused;
  e.number[0] = 13;
  CHECK(e.os_errno() == 13);
  e.code = errc::symbol_unknown;
  CHECK(e.os_errno() == ENOENT);
}

TEST_CASE("names are packed and given back") {
  error e;
  CHECK(e.name(error::module) == "");
  CHECK(e.name(error::subject) == "");
  CHECK(e.name(error::second) == "");
  e.set_names("dummy");
  CHECK(e.name(error::module) == "dummy");
  CHECK(e.name(error::subject) == "");
  e.set_names("dummy", "register_netdevice", "net");
  CHECK(e.name(error::module) == "dummy");
  CHECK(e.name(error::subject) == "register_netdevice");
  CHECK(e.name(error::second) == "net");
  e.set_names("", "", "net");
  CHECK(e.name(error::module) == "");
  CHECK(e.name(error::subject) == "");
  CHECK(e.name(error::second) == "net");
}

TEST_CASE("new names leave nothing of the old ones") {
  error e;
  e.set_names(std::string(55, 'm'), std::string(56, 's'), std::string(99, 't'));
  e.set_names("a");
  CHECK(e.name(error::module) == "a");
  CHECK(e.name(error::subject) == "");
  CHECK(e.name(error::second) == "");
  e.set_names(std::string(55, 'm'), std::string(56, 's'), std::string(99, 't'));
  e.set_names("a", "b");
  CHECK(e.name(error::subject) == "b");
  CHECK(e.name(error::second) == "");
}

TEST_CASE("long names are cut, the module and the subject last") {
  error e;
  std::string const m(99, 'm'), s(199, 's'), t(199, 't');
  e.set_names(m, s, t);
  CHECK(e.name(error::module) == std::string(55, 'm'));
  CHECK(e.name(error::subject) == std::string(59, 's'));
  CHECK(e.name(error::second) == std::string(59, 't'));
  e.set_names(m, s); // without a second one the subject has its room
  CHECK(e.name(error::subject) == std::string(119, 's'));
  CHECK(e.name(error::second) == "");
  e.set_names("m", s);
  CHECK(e.name(error::subject) == std::string(173, 's'));
  e.set_names("dummy", "6.1.0-56-amd64 XMP preempt mod_unload modversions ",
              "6.1.0-56-amd64 SMP preempt mod_unload modversions ");
  CHECK(e.name(error::second) == "6.1.0-56-amd64 SMP preempt mod_unload modversions ");
}

TEST_CASE("every length of every name keeps the three apart") {
  for (std::size_t m = 0; m < 60; m += 5)
    for (std::size_t s = 0; s < 130; s += 3)
      for (std::size_t t = 0; t < 130; t += 7) {
        error e;
        std::string const ms(m, 'm'), ss(s, 's'), ts(t, 't');
        e.set_names(ms, ss, ts);
        REQUIRE(ms.starts_with(e.name(error::module)));
        REQUIRE(ss.starts_with(e.name(error::subject)));
        REQUIRE(ts.starts_with(e.name(error::second)));
      }
}

namespace {
struct counted {
  static inline int alive = 0;
  int value;
  explicit counted(int v) noexcept : value{v} { ++alive; }
  counted(counted&& o) noexcept : value{o.value} { ++alive; }
  ~counted() { --alive; }
};

error some_error() {
  error e;
  e.code = errc::no_memory;
  e.number[0] = 42;
  return e;
}
} // namespace

TEST_CASE("a result is a value, destroyed once") {
  {
    result<counted> r{counted{7}};
    REQUIRE(r);
    CHECK(r.has_value());
    CHECK(r->value == 7);
    result<counted> moved{std::move(r)};
    CHECK((*moved).value == 7);
    counted taken = std::move(moved).value();
    CHECK(taken.value == 7);
    CHECK(counted::alive == 3);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("or an error") {
  {
    result<counted> r{some_error()};
    CHECK(!r);
    CHECK(!r.has_value());
    CHECK(r.error().code == errc::no_memory);
    result<counted> moved{std::move(r)};
    CHECK(!moved);
    CHECK(moved.error().number[0] == 42);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a result of nothing") {
  result<void> good;
  CHECK(good);
  CHECK(good.error().code == errc::ok);
  result<void> bad{some_error()};
  CHECK(!bad);
  CHECK(!bad.has_value());
  CHECK(bad.error().os_errno() == ENOMEM);
}
