#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "infer/core/result.h"
#include "infer/core/stop_condition.h"
#include "infer/export.h"
#include "infer/image/decode_budget.h"
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
  /// Where the memory of pixels and decoders comes from, shared by all who decode; null: no bound.
  std::shared_ptr<DecodeBudget> budget = nullptr;
};

/// Reads the header of a JPEG or PNG; touches no pixel and allocates nothing of the image's size.
///
/// Errors: `kInvalidArgument`; with `kUnsupportedType` for other formats, naming the ones that are
/// recognised.
INFER_EXPORT Result<ImageInfo> probe_image(std::span<const std::uint8_t> bytes);

/// Decodes a JPEG or PNG to upright 8-bit RGB.
///
/// As Pillow's `ImageOps.exif_transpose(image).convert("RGB")`: grey is repeated, palettes are looked up,
/// alpha is dropped, CMYK is taken as Adobe's inverted kind. 16-bit channels keep their high byte. Row by
/// row: beside the pixels a decoder needs memory for a few rows, and for the coefficients of a JPEG of
/// several scans (up to 2 bytes a pixel and component). Where the limits have a budget, all of it is waited
/// for before it is allocated, and the image's lease keeps the pixels' part.
///
/// Blocking; looks at `until` every few milliseconds at most. Thread-safe. Errors: `kInvalidArgument`
/// (undecodable, truncated, more than 32 scans; `kTooLarge` over a limit, and a PNG with a side of more than
/// 1,000,000 pixels), `kOverloaded` (no memory in the budget before the deadline), `kDeadlineExceeded`,
/// `kCancelled`, `kOutOfMemory`.
INFER_EXPORT Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits = {},
                                        const StopCondition& until = {});

/// As `decode_image`, but lays the picture over a plain background of that grey level where it is
/// transparent. Empty where no pixel is transparent: then `decode_image` says it all.
INFER_EXPORT Result<std::optional<Image>> decode_over(std::span<const std::uint8_t> bytes,
                                                      std::uint8_t background,
                                                      const DecodeLimits& limits = {},
                                                      const StopCondition& until = {});

/// Turns stored pixels upright. `orientation` outside 2..8 leaves them as they are.
INFER_EXPORT Image apply_orientation(Image image, int orientation);

}  // namespace infer::inline v0
