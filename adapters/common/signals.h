#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace infer::adapter {

/// Makes SIGTERM and SIGINT readable from a descriptor. The signals stay blocked, so create this object
/// before any thread starts.
class Signals {
 public:
  /// Throws std::system_error if the process has no descriptors left.
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    wake_ = eventfd(0, EFD_CLOEXEC);
    if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Signals() {
    close(signals_);
    close(wake_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Makes `wait` return 0.
  void wake() const {
    const std::uint64_t one = 1;
    (void)!write(wake_, &one, sizeof one);
  }

  /// Blocks until the next signal and returns it, or returns 0 after `wake`.
  int wait() const {
    std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    while (poll(sources.data(), sources.size(), -1) < 0) {
    }
    if (sources[0].revents != 0) {
      signalfd_siginfo info{};
      if (read(signals_, &info, sizeof info) == sizeof info) return static_cast<int>(info.ssi_signo);
    }
    return 0;
  }

 private:
  int signals_;
  int wake_;
};

}  // namespace infer::adapter
