#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "json/json_body.h"

namespace infer::http {

/// The encoded images of {"images": ["<base64>", ...]}. Errors: `kInvalidArgument`,
/// naming the field; `kTooLarge` for more than `limit` images.
Result<std::vector<std::vector<std::uint8_t>>> parse_images(JsonBody& body, std::size_t limit);

/// The error for `count` images where `limit` are allowed.
Unexpected too_many_images(std::size_t count, std::size_t limit);

}  // namespace infer::http
