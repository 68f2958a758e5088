#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::http {

struct Part {
  std::string name;
  std::string content_type;
  std::string_view content;  ///< A view of the body.
};

/// Returns the boundary that a Content-Type names. Errors: `kInvalidArgument` if the boundary is absent or
/// is not 1 to 70 of the characters that RFC 2046, section 5.1.1 allows.
Result<std::string> multipart_boundary(std::string_view content_type);

/// Splits a multipart/form-data body into its parts, in linear time. Errors: `kInvalidArgument`, with
/// `kTooLarge` for more than `max_parts`.
Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary,
                                          std::size_t max_parts);

}  // namespace infer::http
