// SPDX-License-Identifier: MIT
// Runs jobs 0 .. count-1 in child processes: a job that crashes is that job's failure, not the
// program's end.
#pragma once

#include <kmodld/address.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace kmodld::verify {

enum class verdict : u8 { passed, failed, skipped };

struct job_result {
  verdict status = verdict::failed;
  std::vector<std::string> lines; ///< differences, or the reason
};

class workers {
public:
  using job = std::function<job_result(std::size_t)>;

  workers(std::size_t count, unsigned processes, job run) : run_{std::move(run)}, results_(count) {
    if (processes == 0)
      processes = 1;
    for (unsigned i = 0; i < processes && i < count; ++i)
      lanes_.push_back({-1, -1, i, {}});
    stride_ = lanes_.size();
  }

  std::vector<job_result> operator()() {
    for (lane& l : lanes_)
      start(l);
    while (wait_for_one()) {
    }
    return std::move(results_);
  }

private:
  /// A child works on next, next + stride, ...; it tells results as frames through a pipe.
  struct lane {
    int fd;
    pid_t child;
    std::size_t next;
    std::string received;
  };
  struct frame {
    u64 index;
    u64 status;
    u64 length;
  };

  void start(lane& l) {
    if (l.next >= results_.size())
      return;
    int ends[2];
    if (pipe(ends) != 0)
      throw std::runtime_error("pipe: " + std::string{std::strerror(errno)});
    pid_t child = fork();
    if (child < 0)
      throw std::runtime_error("fork: " + std::string{std::strerror(errno)});
    if (child == 0) {
      close(ends[0]);
      work(ends[1], l.next);
      _exit(0);
    }
    close(ends[1]);
    l.fd = ends[0];
    l.child = child;
    l.received.clear();
  }

  void work(int fd, std::size_t next) noexcept {
    for (std::size_t i = next; i < results_.size(); i += stride_) {
      job_result r;
      try {
        r = run_(i);
      } catch (std::exception const& e) {
        r = {verdict::failed, {e.what()}};
      }
      std::string text;
      for (std::string const& line : r.lines)
        text += line + '\n';
      frame f{i, static_cast<u64>(r.status), text.size()};
      send(fd, reinterpret_cast<char const*>(&f), sizeof f);
      send(fd, text.data(), text.size());
    }
  }

  static void send(int fd, char const* p, std::size_t n) noexcept {
    while (n != 0) {
      ssize_t w = write(fd, p, n);
      if (w < 0 && errno == EINTR)
        continue;
      if (w <= 0)
        _exit(3);
      p += w;
      n -= static_cast<std::size_t>(w);
    }
  }

  /// Serves what has arrived; false once every lane has ended.
  bool wait_for_one() {
    std::vector<pollfd> fds;
    std::vector<lane*> owners;
    for (lane& l : lanes_)
      if (l.fd >= 0) {
        fds.push_back({l.fd, POLLIN, 0});
        owners.push_back(&l);
      }
    if (fds.empty())
      return false;
    if (poll(fds.data(), fds.size(), -1) < 0)
      return errno == EINTR;
    for (std::size_t i = 0; i < fds.size(); ++i)
      if (fds[i].revents != 0)
        receive(*owners[i]);
    return true;
  }

  void receive(lane& l) {
    char buffer[65536];
    ssize_t n = read(l.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      return;
    if (n > 0) {
      l.received.append(buffer, static_cast<std::size_t>(n));
      take_frames(l);
      return;
    }
    close(l.fd);
    l.fd = -1;
    int status = 0;
    waitpid(l.child, &status, 0);
    if (l.next < results_.size()) {
      results_[l.next] = {verdict::failed, {"crashed: " + end_of(status)}};
      l.next += stride_;
      start(l);
    }
  }

  void take_frames(lane& l) {
    frame f;
    while (l.received.size() >= sizeof f) {
      std::memcpy(&f, l.received.data(), sizeof f);
      if (l.received.size() - sizeof f < f.length)
        return;
      job_result r{static_cast<verdict>(f.status), {}};
      std::string text = l.received.substr(sizeof f, static_cast<std::size_t>(f.length));
      for (std::size_t at = 0, end; at < text.size(); at = end + 1) {
        end = text.find('\n', at);
        r.lines.push_back(text.substr(at, end - at));
      }
      l.received.erase(0, sizeof f + static_cast<std::size_t>(f.length));
      l.next = static_cast<std::size_t>(f.index) + stride_;
      results_[static_cast<std::size_t>(f.index)] = std::move(r);
    }
  }

  static std::string end_of(int status) {
    if (WIFSIGNALED(status))
      return strsignal(WTERMSIG(status));
    return "exit status " + std::to_string(WEXITSTATUS(status));
  }

  job run_;
  std::vector<job_result> results_;
  std::vector<lane> lanes_;
  std::size_t stride_ = 1;
};

} // namespace kmodld::verify
