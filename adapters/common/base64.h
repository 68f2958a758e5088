#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::adapter {

/// Decodes base64 (RFC 4648, section 4, or the alphabet of section 5 for addresses): line breaks are skipped,
/// padding may be left out. Also the base64 of a data address, "data:image/jpeg;base64,...". Errors:
/// `kInvalidArgument`, naming the offending character and its offset, or an address of another kind.
Result<std::vector<std::uint8_t>> decode_base64(std::string_view text);

/// Encodes with padding, without line breaks.
std::string encode_base64(std::span<const std::uint8_t> bytes);

}  // namespace infer::adapter
