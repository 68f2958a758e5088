#pragma once

#include <stop_token>
#include <thread>

#include "signals.h"

namespace infer::cli {

/// Turns the first Ctrl-C or SIGTERM into a stop request. A second one ends the process at once, with exit
/// code 130. Create this object before any other thread starts, since new threads inherit the blocked
/// signals.
class Interrupt {
 public:
  Interrupt() : thread_([this] { watch(); }) {}
  ~Interrupt() {
    signals_.wake();
    thread_.join();
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool requested() const { return source_.stop_requested(); }

  static constexpr int kExitCode = 130;  // 128 + SIGINT, as in shells

 private:
  void watch() {
    if (signals_.wait() == 0) return;
    source_.request_stop();
    if (signals_.wait() != 0) _exit(kExitCode);
  }

  adapter::Signals signals_;
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace infer::cli
