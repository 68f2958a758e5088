#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "exchange/exchange.h"
#include "infer/core/result.h"
#include "transport/transport.h"

namespace infer::http {

/// The bounds of a listener. All are limits on what one client may take.
struct ListenerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                  ///< 0: any free one.
  std::string socket_path = {};  ///< Of a Unix socket, in the place of host and port; empty: none.
  std::size_t max_connections = 1024;
  std::size_t leaders = 1;  ///< Threads that answer at once what takes no time: one a core.
  std::size_t max_header_bytes = 16 << 10;
  std::size_t max_body_bytes = std::size_t{32} << 20;       ///< After decompression.
  std::size_t max_buffered_bytes = std::size_t{512} << 20;  ///< Bodies of all requests together.
  std::size_t max_parts = 64;                               ///< Of a multipart body.
  std::chrono::milliseconds header_timeout{
      10'000};                                     ///< From a request's first byte to the end of its headers.
  std::chrono::milliseconds body_timeout{30'000};  ///< For the whole body.
  std::chrono::milliseconds write_timeout{30'000};  ///< For the whole answer.
  std::chrono::milliseconds idle_timeout{15'000};   ///< Between two requests.
  std::size_t max_requests_per_connection = 100;
  std::chrono::milliseconds max_connection_age{
      30'000};  ///< Both with 20 % jitter, so that clients do not reconnect at once.
};

/// What answers the requests of a listener. Called from many threads.
class RequestHandler {
 public:
  RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler() = default;

  /// Sees the headers, before any byte of the body is read. False: it has answered, the body is not wanted.
  virtual bool begin(Exchange& exchange) = 0;
  /// Whether `handle` takes no longer than handing other connections over to another thread, some 20 us.
  virtual bool is_quick(const Exchange& exchange) const = 0;
  /// Answers; the body is complete.
  virtual void handle(Exchange& exchange) = 0;
  /// Completes the answer, which is sent next. Also called for what never became a request (`path` is empty
  /// then).
  virtual void finish(Exchange& exchange) = 0;
  /// True: end connections after their current answer.
  virtual bool closing() const = 0;
};

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
