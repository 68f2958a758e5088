#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "infer/core/result.h"
#include "infer/image/decode.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// Decodes the stored pixels of an image whose header was read and whose size is within the limits.
/// Alpha is dropped where there is no `background` to lay it over.
Result<Image> decode_with_stb(std::span<const std::uint8_t> bytes, const ImageInfo& info,
                              std::optional<Background> background = {});
#if INFER_WITH_LIBJPEG
Result<Image> decode_jpeg_with_libjpeg(std::span<const std::uint8_t> bytes, const ImageInfo& info);
#endif

}  // namespace infer::inline v0
