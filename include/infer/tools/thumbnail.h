#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/image/decode.h"
#include "infer/image/image.h"

namespace infer::inline v0::tools {

/// Returns a small JPEG of a picture, at most 240 pixels on its longer edge. Thread-safe.
std::vector<std::uint8_t> thumbnail(const Image& image);

/// Returns a small JPEG of the photograph in a file.
///
/// Errors: `kNotFound`, and those of `decode_image`.
Result<std::vector<std::uint8_t>> thumbnail_of(const std::string& path, const DecodeLimits& limits);

}  // namespace infer::inline v0::tools
