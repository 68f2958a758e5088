#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "infer/image/decode_budget.h"

namespace infer::inline v0 {

/// A decoded image: 8-bit RGB, interleaved, row-major, without padding.
///
/// Owns its memory; movable, not copyable.
struct Image {
  std::size_t width = 0;                   ///< Pixels in a row.
  std::size_t height = 0;                  ///< Number of rows.
  DecodeBudget::Lease lease;               ///< The pixels' share of a budget, until the image is gone.
  std::unique_ptr<std::uint8_t[]> pixels;  ///< height x width x 3 bytes; null for a default-made image.

  /// Bytes of one pixel: red, green, blue.
  static constexpr std::size_t kChannels = 3;

  /// Allocates an image with undefined pixels; may throw `std::bad_alloc`.
  static Image uninitialised(std::size_t width, std::size_t height) {
    return {width, height, {}, std::make_unique_for_overwrite<std::uint8_t[]>(width * height * kChannels)};
  }
  /// Returns the width x 3 bytes of row `y` for writing.
  std::uint8_t* row(std::size_t y) noexcept { return pixels.get() + y * width * kChannels; }
  /// Returns the width x 3 bytes of row `y` for reading.
  const std::uint8_t* row(std::size_t y) const noexcept { return pixels.get() + y * width * kChannels; }
};

}  // namespace infer::inline v0
