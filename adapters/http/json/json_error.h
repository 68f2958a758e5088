#pragma once

#include <string>
#include <string_view>

namespace infer::http {

/// Where `text` ceases to be JSON and what stands there: "line 3, column 8: a comma before ]". Empty where
/// nothing is wrong with it.
std::string json_error(std::string_view text);

}  // namespace infer::http
