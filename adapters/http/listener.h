#pragma once

#include <cstddef>
#include <memory>

#include "exchange/request_handler.h"
#include "infer/core/result.h"
#include "transport/listener_options.h"
#include "transport/transport.h"

namespace infer::http {

/// An HTTP/1.1 listener with a thread for each request under way.
class Listener {
 public:
  Listener(ListenerOptions options, RequestHandler& handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds; returns the port, 0 for a Unix socket. Errors: `kFailedPrecondition` (in use, no right, no such
  /// address).
  Result<int> bind();
  /// New connections speak TLS from now on, with this certificate. Thread-safe.
  void use_tls(std::shared_ptr<const TlsContext> tls);
  /// Serves in threads of its own from now on.
  void start();
  /// Frees memory of bodies that nobody has needed for long; how many bodies there have been. Thread-safe.
  std::size_t tidy();
  /// Stops accepting, lets running requests end, returns when all connections are closed. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace infer::http
