#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::adapter {

/// Decodes base64 (RFC 4648, section 4, or the URL-safe alphabet of section 5), also within a data address,
/// "data:image/jpeg;base64,...". Skips line breaks; padding is optional. Errors: `kInvalidArgument`, naming
/// the offending character and its offset, or an address of another kind.
Result<std::vector<std::uint8_t>> decode_base64(std::string_view text);

/// Encodes with padding, without line breaks.
std::string encode_base64(std::span<const std::uint8_t> bytes);

}  // namespace infer::adapter
