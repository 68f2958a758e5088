#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace infer::http {

/// What stands before the body of an answer.
struct ResponseHead {
  int status = 200;
  std::string_view content_type;
  std::size_t content_length = 0;
  bool close = false;             ///< The connection ends with this answer; else what follows:
  std::chrono::seconds idle{};    ///< How long it waits for the next request.
  std::size_t requests_left = 0;  ///< How many it takes.
};

/// Appends the status line and the fields of HTTP/1.1 with the empty line behind them. A byte that would end
/// a field early becomes a blank.
void write_response_head(std::string& out, const ResponseHead& head,
                         const std::vector<std::pair<std::string, std::string>>& more);

}  // namespace infer::http
