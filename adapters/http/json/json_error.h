#pragma once

#include <string>
#include <string_view>

namespace infer::http {

/// Returns the place and kind of the first syntax error: "line 3, column 8: a comma before ]". Empty if
/// `text` is valid JSON.
std::string json_error(std::string_view text);

}  // namespace infer::http
