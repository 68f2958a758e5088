#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "infer/core/result.h"

namespace infer::http {

/// Appends `text` with its percent-escapes decoded. Returns false for an invalid escape, and for %00.
bool percent_decode(std::string_view text, std::string& out);

/// Returns the value of `name` in a query such as "a=1&b=2", or nothing if the name is missing. Names and
/// values are percent-decoded, and a plus sign is a blank, as in HTML forms. Errors: `kInvalidArgument`,
/// naming `name`, if a value cannot be decoded or several values differ.
Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name);

}  // namespace infer::http
