#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace infer::cli {

/// Shows the progress of a run on standard error: one line that is rewritten on a terminal, or a new line
/// every ten seconds elsewhere. Not thread-safe.
class Progress {
 public:
  /// If `total` is known, the remaining time is estimated from the mean rate.
  Progress(std::string unit, std::optional<std::size_t> total);

  void update(std::size_t done, std::size_t failed);
  /// Clears the line, so that a message can be written. The next update shows the line again.
  void clear();
  double seconds() const;

 private:
  std::string line(std::size_t done, std::size_t failed) const;

  const std::string unit_;
  const std::optional<std::size_t> total_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_;
  bool shown_ = false;
};

/// Formats a time as "1:05" or "2:03:04".
std::string clock_text(double seconds);

/// Formats 12345 as "12,345".
std::string grouped(std::size_t number);
/// Formats "1 copy", "12,345 copies".
std::string counted(std::size_t number, const char* one, const char* several);

}  // namespace infer::cli
