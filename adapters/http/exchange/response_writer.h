#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace infer::http {

/// The data of an answer's status line and headers.
struct ResponseHead {
  int status = 200;
  std::string_view content_type;
  std::size_t content_length = 0;
  bool close = false;             ///< Close the connection after this answer. Otherwise:
  std::chrono::seconds idle{};    ///< How long the connection waits for the next request.
  std::size_t requests_left = 0;  ///< How many more requests the connection accepts.
};

/// Appends the status line, the fields and the empty line of an HTTP/1.1 answer. A byte that would end a
/// field early becomes a blank.
void write_response_head(std::string& out, const ResponseHead& head,
                         const std::vector<std::pair<std::string, std::string>>& more);

}  // namespace infer::http
