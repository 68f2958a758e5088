#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "infer/core/log.h"

namespace infer::http {

/// Writes lines to a file descriptor from a thread of its own, many at once.
///
/// Thread-safe. Whoever logs never waits for the reader: lines that find no room, and lines that the other
/// side does not take (a full disk, a pipe that is closed), are dropped and counted.
class LogWriter {
 public:
  LogWriter(int descriptor, LogLevel level, std::size_t max_buffered_bytes = std::size_t{4} << 20);
  /// As `flush`; the thread ends by itself.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// `line` without its line break. Levels below the current one are ignored.
  void write(LogLevel level, std::string_view line);

  /// Waits until all lines so far are written, for a second at most.
  void flush();

  void set_level(LogLevel level) noexcept;
  LogLevel level() const noexcept;
  std::uint64_t dropped() const noexcept;

 private:
  struct State;
  static void run(State& state);
  const std::shared_ptr<State> state_;  ///< The thread's too: it may be stuck in a write when this ends.
};

}  // namespace infer::http
