#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "json/json_body.h"

namespace infer::http {

/// Decodes the images of {"images": ["<base64>", ...]}. Errors: `kInvalidArgument`, naming the field;
/// `kTooLarge` for more than `limit` images.
Result<std::vector<std::vector<std::uint8_t>>> parse_images(JsonBody& body, std::size_t limit);

/// Returns the error for `count` images if `limit` are allowed.
Unexpected too_many_images(std::size_t count, std::size_t limit);

}  // namespace infer::http
