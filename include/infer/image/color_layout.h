#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// The colours of a picture without its brightness: Cb and Cr (ITU-R BT.601), each -128 to 127, of a picture
/// that was reduced to 4 x 4 pixels, row by row.
///
/// The grid is that of MPEG-7's color layout descriptor (ISO/IEC 15938-3), halved in each direction and
/// without its luma and its DCT. `perceptual_hash` sees brightness alone, so the two complete each other.
using ColorLayout = std::array<std::int8_t, std::size_t{2} * 4 * 4>;

/// Returns the colours of a picture. Thread-safe; may throw `std::bad_alloc`.
INFER_EXPORT ColorLayout color_layout(const Image& image);

/// Returns the largest difference between two numbers of the same place and kind: 0 to 255.
///
/// Two files of one photograph differ by less than 10 after they were rescaled or recompressed.
INFER_EXPORT int color_distance(const ColorLayout& a, const ColorLayout& b) noexcept;

}  // namespace infer::inline v0
