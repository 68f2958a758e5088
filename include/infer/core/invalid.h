#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Makes the error for an input that can never succeed: `return invalid("count: 0 is below 1")`.
///
/// The message names the field, its value and the limit.
inline Unexpected invalid(std::string message, ErrorDetail detail = ErrorDetail::kNone) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), detail);
}

/// Returns the first 64 bytes of `text` in single quotes, for an error's message.
inline std::string in_quotes(std::string_view text) { return "'" + std::string(text.substr(0, 64)) + "'"; }

}  // namespace infer::inline v0
