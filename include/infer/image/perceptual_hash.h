#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// Returns 64 bits that hardly change when a picture is rescaled, recompressed or slightly changed.
///
/// The hash is the DCT hash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash
/// Functions" (2010), section 3.2.1: luma, 32 x 32 pixels, type-II DCT, the 8 x 8 coefficients after the
/// first row and column, and one bit per coefficient for "above their median". `resize_bicubic` shrinks the
/// picture in place of a mean filter, and "above" means by more than rounding. Bit 0 is the lowest frequency.
///
/// Empty for a picture without enough content, such as a plain colour, an almost empty page, or a gradient
/// along one side: noise would decide most of its bits, so that any two such pictures would look alike.
/// Thread-safe.
INFER_EXPORT std::optional<std::uint64_t> perceptual_hash(const Image& image);

/// Returns the number of bits in which two hashes differ: 0 to 64.
///
/// Unrelated pictures differ in 32 bits on average.
inline int hash_distance(std::uint64_t a, std::uint64_t b) noexcept { return std::popcount(a ^ b); }

}  // namespace infer::inline v0
