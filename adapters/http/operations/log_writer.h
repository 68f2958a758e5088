#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "infer/core/log.h"

namespace infer::http {

/// Writes lines to a file descriptor from its own thread, many lines at once.
///
/// Thread-safe. Logging never waits for the reader of the log. Lines that exceed the buffer, and lines that
/// cannot be written (a full disk, a closed pipe), are dropped and counted.
class LogWriter {
 public:
  LogWriter(int descriptor, LogLevel level, std::size_t max_buffered_bytes = std::size_t{4} << 20);
  /// Flushes. The thread ends by itself.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// `line` has no line break. Ignores levels below the current one.
  void write(LogLevel level, std::string_view line);

  /// Waits until all lines so far are written, for at most a second.
  void flush();

  void set_level(LogLevel level) noexcept;
  LogLevel level() const noexcept;
  std::uint64_t dropped() const noexcept;

 private:
  struct State;
  static void run(State& state);
  const std::shared_ptr<State>
      state_;  ///< shared with the thread, which may outlive this object while stuck in a write
};

}  // namespace infer::http
