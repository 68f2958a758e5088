#pragma once

#include <chrono>
#include <string>

#include "infer/core/clock.h"
#include "infer/core/result.h"

namespace infer::http {

/// A parsed URL, "http://host:port/path?query".
struct Url {
  std::string host;  ///< Host name or address; or the path of a Unix socket, which begins with "/" and
                     ///< never comes from `parse`.
  int port = 80;
  std::string target = "/";  ///< Path and query.

  /// Errors: `kInvalidArgument`, also for https.
  static Result<Url> parse(const std::string& text);
};

/// Waits for `events` of poll(2). Returns false at `deadline`.
bool wait_for(int fd, short events, TimePoint deadline);

/// Returns a connected, non-blocking socket, which the caller must close. `host` may be the path of a Unix
/// socket. Errors: `kUnavailable`, with the reason.
Result<int> connect_to(const std::string& host, int port, TimePoint deadline);

/// Connects to host:port and closes the connection. Errors: `kUnavailable`, with the reason.
Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout);

}  // namespace infer::http
