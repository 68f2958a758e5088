#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

enum class ImageFormat : std::uint8_t { kJpeg, kPng };

/// What the header of an encoded image says.
struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  std::size_t width = 0;  ///< As stored, before the orientation is applied.
  std::size_t height = 0;
  int orientation = 1;  ///< EXIF 2.3, tag 0x0112: 1 (upright) to 8.
};

struct DecodeLimits {
  std::size_t max_pixels =
      50'000'000;  ///< Width x height, checked on the header before anything is allocated.
};

/// Reads the header of a JPEG or PNG; touches no pixel and allocates nothing of the image's size.
///
/// Errors: `kInvalidArgument`; with `kUnsupportedType` for other formats, naming the ones that are
/// recognised.
INFER_EXPORT Result<ImageInfo> probe_image(std::span<const std::uint8_t> bytes);

/// Decodes a JPEG or PNG to upright 8-bit RGB.
///
/// As Pillow's `ImageOps.exif_transpose(image).convert("RGB")`: grey is repeated, palettes are looked up,
/// alpha is dropped, CMYK is taken as Adobe's inverted kind. 16-bit channels keep their high byte. Blocking,
/// thread-safe. Errors: `kInvalidArgument` (undecodable, truncated; `kTooLarge` over a limit),
/// `kOutOfMemory`.
INFER_EXPORT Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits = {});

/// What transparent pixels are seen over.
enum class Background : std::uint8_t { kWhite, kBlack };

/// The same, but with transparent pixels laid over `background` instead of their alpha being dropped.
INFER_EXPORT Result<Image> decode_image_over(std::span<const std::uint8_t> bytes, Background background,
                                             const DecodeLimits& limits = {});

/// Turns stored pixels upright. `orientation` outside 2..8 leaves them as they are.
INFER_EXPORT Image apply_orientation(Image image, int orientation);

}  // namespace infer::inline v0
