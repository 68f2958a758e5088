#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "infer/core/result.h"

namespace infer::http {

/// Appends `text` with its percent-escapes replaced. False for an escape that is none, and for %00.
bool percent_decode(std::string_view text, std::string& out);

/// What a request target's query, "a=1&b=2", gives for `name`; names and values are percent-decoded, and a
/// plus sign is a blank, as forms have it. Nothing where the name is missing. Errors: `kInvalidArgument`,
/// naming `name`: a value that cannot be decoded, or several that differ.
Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name);

}  // namespace infer::http
