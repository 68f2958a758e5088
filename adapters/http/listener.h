#pragma once

#include <cstddef>
#include <memory>

#include "exchange/request_handler.h"
#include "infer/core/result.h"
#include "transport/listener_options.h"
#include "transport/transport.h"

namespace infer::http {

/// An HTTP/1.1 listener with one thread for each request in progress.
class Listener {
 public:
  Listener(ListenerOptions options, RequestHandler& handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and returns the port, or 0 for a Unix socket. Errors: `kFailedPrecondition` (address in use, no
  /// permission, no such address).
  Result<int> bind();
  /// Makes new connections use TLS with this certificate. Thread-safe.
  void use_tls(std::shared_ptr<const TlsContext> tls);
  /// Starts serving in threads of the listener.
  void start();
  /// Frees memory of bodies that has not been used for long, and returns the number of large bodies so far.
  /// Thread-safe.
  std::size_t tidy();
  /// Stops accepting, lets running requests end, and returns when all connections are closed. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace infer::http
