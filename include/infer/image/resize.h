#pragma once

#include <cstddef>

#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// A rectangle of a resized image, in pixels of the resized image.
struct CropBox {
  std::size_t left = 0;    ///< First column.
  std::size_t top = 0;     ///< First row.
  std::size_t width = 0;   ///< Number of columns.
  std::size_t height = 0;  ///< Number of rows.
};

/// Resizes to `width` x `height` (bicubic, with antialias) and returns only `crop` of the result.
///
/// The result equals Pillow's `Image.resize(..., BICUBIC)` followed by `crop`, bit for bit: Keys' kernel with
/// a = -0.5, widened by the scale when shrinking, weights in 22-bit fixed point, a horizontal and then a
/// vertical pass with rounding to 8 bits after each (Pillow, Resample.c). `crop` must lie inside the resized
/// image. Thread-safe; may throw `std::bad_alloc`.
INFER_EXPORT Image resize_bicubic(const Image& source, std::size_t width, std::size_t height,
                                  const CropBox& crop);

}  // namespace infer::inline v0
