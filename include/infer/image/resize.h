#pragma once

#include <cstddef>

#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// The part of a resized image that is wanted, in pixels of the resized image.
struct CropBox {
  std::size_t left = 0;
  std::size_t top = 0;
  std::size_t width = 0;
  std::size_t height = 0;
};

/// Resizes to `width` x `height` with bicubic interpolation and antialias, and returns only `crop` of the
/// result.
///
/// Bit for bit what Pillow's `Image.resize(..., BICUBIC)` followed by `crop` gives: Keys' kernel with a =
/// -0.5, widened by the scale when shrinking, weights as 22-bit fixed point, a horizontal and then a vertical
/// pass with rounding to 8 bits after each (Pillow, Resample.c). `crop` must lie inside the resized image.
/// Thread-safe.
INFER_EXPORT Image resize_bicubic(const Image& source, std::size_t width, std::size_t height,
                                  const CropBox& crop);

}  // namespace infer::inline v0
