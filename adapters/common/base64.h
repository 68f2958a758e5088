#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::adapter {

/// Decodes base64 (RFC 4648, section 4): line breaks are skipped, padding may be left out.
/// Errors: `kInvalidArgument`, naming the offending character and its offset.
Result<std::vector<std::uint8_t>> decode_base64(std::string_view text);

/// Encodes with padding, without line breaks.
std::string encode_base64(std::span<const std::uint8_t> bytes);

}  // namespace infer::adapter
