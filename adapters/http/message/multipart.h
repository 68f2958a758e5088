#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::http {

/// One part of a multipart body.
struct Part {
  std::string name;
  std::string content_type;
  std::string_view content;  ///< A view of the body.
};

/// The boundary that a Content-Type names. Errors: `kInvalidArgument`: absent, or not what RFC 2046, section
/// 5.1.1 allows, which is 1 to 70 characters of a few.
Result<std::string> multipart_boundary(std::string_view content_type);

/// The parts of a body of multipart/form-data. Takes time in proportion to the body, whatever it holds.
/// Errors: `kInvalidArgument`; with `kTooLarge` for more than `max_parts`.
Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary,
                                          std::size_t max_parts);

}  // namespace infer::http
