#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace infer::http {

/// The limits of a listener on what one client may use.
struct ListenerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                  ///< 0: any free port.
  std::string socket_path = {};  ///< Path of a Unix socket, used instead of host and port if not empty.
  std::size_t max_connections = 1024;
  std::size_t leaders = 1;  ///< Leader threads: one for each core.
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
      30'000};  ///< Varies by 20 %, like the number above, to spread reconnects.
};

}  // namespace infer::http
