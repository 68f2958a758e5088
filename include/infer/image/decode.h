#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "infer/core/result.h"
#include "infer/core/stop_condition.h"
#include "infer/export.h"
#include "infer/image/decode_budget.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// A format of encoded images that the library reads: what it is called, and what its files are.
struct ImageFormat {
  std::string_view name;                         ///< Its name, such as "JPEG".
  std::string_view media_type;                   ///< Its media type, such as "image/jpeg".
  std::array<std::string_view, 3> extensions{};  ///< Usual extensions in lower case, such as ".jpg"; the
                                                 ///< rest is empty.
};

/// Returns all formats that the library reads; may throw `std::bad_alloc`.
INFER_EXPORT std::span<const ImageFormat> image_formats();

/// Returns the format of a file by its first bytes (16 are enough); null for another format.
///
/// The extension of a file's name says nothing for certain; its bytes do.
INFER_EXPORT const ImageFormat* image_format(std::span<const std::uint8_t> bytes) noexcept;

/// The properties of an encoded image that its header tells.
struct ImageInfo {
  std::string_view format;  ///< Name of the file's format, such as "JPEG".
  std::size_t width = 0;    ///< Pixels, as stored, before the orientation is applied.
  std::size_t height = 0;   ///< Pixels, as stored, before the orientation is applied.
  int orientation = 1;      ///< EXIF 2.3, tag 0x0112: 1 (upright) to 8.
};

/// The bounds on images that a decoder accepts.
struct DecodeLimits {
  /// Maximum width x height, checked on the header before the decoder allocates anything.
  std::size_t max_pixels = 50'000'000;
  /// Where the memory of pixels and decoders comes from, shared by everything that decodes; null: no bound.
  std::shared_ptr<DecodeBudget> budget = nullptr;
};

/// Reads the header of a JPEG or PNG; decodes no pixel and allocates nothing of the image's size.
///
/// Thread-safe.
///
/// Errors: `kInvalidArgument`; with `kUnsupportedType` for other formats, and the message names those that
/// the function recognises.
INFER_EXPORT Result<ImageInfo> probe_image(std::span<const std::uint8_t> bytes);

/// Decodes a JPEG or PNG to upright 8-bit RGB.
///
/// The pixels are those of Pillow's `ImageOps.exif_transpose(image).convert("RGB")`: grey values are
/// repeated, palettes looked up, alpha is dropped, and CMYK is read as inverted, as Adobe writes it. 16-bit
/// channels keep their high byte. The decoder works row by row: beside the pixels it needs memory for a few
/// rows, and for the coefficients of a JPEG of several scans (up to 2 bytes for each pixel and component). If
/// the limits have a budget, the call waits for all of this memory before it allocates any, and the image's
/// lease keeps the pixels' part.
///
/// Blocking; checks `until` every few milliseconds. Thread-safe.
///
/// Errors: `kInvalidArgument` (undecodable, truncated, more than 32 scans; `kTooLarge` over a limit, and for
/// a PNG with a side of more than 1,000,000 pixels), `kOverloaded` (no memory in the budget before the
/// deadline), `kDeadlineExceeded`, `kCancelled`, `kOutOfMemory`.
INFER_EXPORT Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits = {},
                                        const StopCondition& until = {});

/// Decodes as `decode_image`, and lays transparent pixels over a plain background of that grey level.
///
/// Empty if no pixel is transparent: `decode_image` then gives the whole picture. Blocking, thread-safe.
///
/// Errors: those of `decode_image`.
INFER_EXPORT Result<std::optional<Image>> decode_over(std::span<const std::uint8_t> bytes,
                                                      std::uint8_t background,
                                                      const DecodeLimits& limits = {},
                                                      const StopCondition& until = {});

/// Turns stored pixels upright; an `orientation` (EXIF) outside 2 to 8 changes nothing.
///
/// May throw `std::bad_alloc`.
INFER_EXPORT Image apply_orientation(Image image, int orientation);

}  // namespace infer::inline v0
