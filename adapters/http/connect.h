#pragma once

#include <chrono>
#include <string>

#include "infer/core/clock.h"
#include "infer/core/result.h"

namespace infer::http {

/// "http://host:port/path?query", taken apart.
struct Url {
  std::string host;  ///< Or the path of a Unix socket, from "/" on, where it was not parsed.
  int port = 80;
  std::string target = "/";  ///< Path and query.

  /// Errors: `kInvalidArgument`; https is not spoken.
  static Result<Url> parse(const std::string& text);
};

/// Waits until `events` of poll(2) come. False: they have not at `deadline`.
bool wait_for(int fd, short events, TimePoint deadline);

/// A connected socket that does not block, the caller's to close. `host` may be the path of a Unix socket.
/// Errors: `kUnavailable`, with the reason.
Result<int> connect_to(const std::string& host, int port, TimePoint deadline);

/// Connects to host:port and closes again. Errors: `kUnavailable`, with the reason.
Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout);

}  // namespace infer::http
