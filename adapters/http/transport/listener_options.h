#pragma once

#include <chrono>
#include <cstddef>
#include <string>

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

}  // namespace infer::http
