#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// 64 bits that stay nearly the same when a picture is rescaled, recompressed or slightly changed.
///
/// The DCT hash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010),
/// section 3.2.1: luma, 32 x 32 pixels, type-II DCT, the 8 x 8 coefficients after the first row and column, a
/// bit each for above their median. Shrinking is done with `resize_bicubic` in place of a mean filter, and
/// above means by more than rounding. Bit 0 is the lowest frequency. Thread-safe.
INFER_EXPORT std::uint64_t perceptual_hash(const Image& image);

/// The same, or nothing for a picture that shows too little for the hash to tell it from others: plain
/// colours, gradients, pages with a few lines. Such pictures must not be taken for copies by their hash.
INFER_EXPORT std::optional<std::uint64_t> content_hash(const Image& image);

/// Bits in which two hashes differ, 0 to 64. Unrelated pictures differ in 32 on average.
inline int hash_distance(std::uint64_t a, std::uint64_t b) noexcept { return std::popcount(a ^ b); }

}  // namespace infer::inline v0
