#include "infer/image/perceptual_hash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "infer/image/resize.h"

namespace infer::inline v0 {
namespace {

constexpr std::size_t kSize = 32;
constexpr std::size_t kKept = 8;

/// In a symmetric picture, coefficients differ only by rounding, which must not set bits.
constexpr float kRounding = 1.0F;

/// A picture has content if at least a tenth of its coefficients are this far from the median. Measured: 8
/// for noise of half a grey level in each of the 32 x 32 pixels, 60 for a page with only its number, 90 for a
/// page with a line of print, 207 for the plainest of 28 photographs, a brick wall.
constexpr float kContent = 150.0F;

using Basis = std::array<std::array<float, kSize>, kKept>;

/// Row k is cos(pi (2 x + 1) (k + 1) / 64); the scale factors of the DCT cancel in the comparison.
Basis make_basis() {
  Basis basis{};
  for (std::size_t k = 0; k < kKept; ++k) {
    for (std::size_t x = 0; x < kSize; ++x) {
      basis[k][x] = static_cast<float>(std::cos(
          std::numbers::pi * static_cast<double>((2 * x + 1) * (k + 1)) / static_cast<double>(2 * kSize)));
    }
  }
  return basis;
}

}  // namespace

std::optional<std::uint64_t> perceptual_hash(const Image& image) {
  static const Basis basis = make_basis();
  const Image small = resize_bicubic(image, kSize, kSize, {0, 0, kSize, kSize});
  std::array<std::array<float, kSize>, kKept> columns{};  // the DCT along y
  for (std::size_t y = 0; y < kSize; ++y) {
    const std::uint8_t* pixel = small.row(y);
    for (std::size_t x = 0; x < kSize; ++x, pixel += Image::kChannels) {
      // ITU-R BT.601
      const float luma = 0.299F * static_cast<float>(pixel[0]) + 0.587F * static_cast<float>(pixel[1]) +
                         0.114F * static_cast<float>(pixel[2]);
      for (std::size_t k = 0; k < kKept; ++k) columns[k][x] += basis[k][y] * luma;
    }
  }
  std::array<float, kKept * kKept> coefficients{};
  for (std::size_t v = 0; v < kKept; ++v) {
    for (std::size_t u = 0; u < kKept; ++u) {
      float sum = 0;
      for (std::size_t x = 0; x < kSize; ++x) sum += basis[u][x] * columns[v][x];
      coefficients[v * kKept + u] = sum;
    }
  }
  auto sorted = coefficients;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const float upper = sorted[sorted.size() / 2];
  const float lower = *std::max_element(sorted.begin(), sorted.begin() + sorted.size() / 2);
  const float median = (lower + upper) / 2;
  auto distances = coefficients;
  for (float& value : distances) value = std::abs(value - median);
  const auto tenth = distances.end() - static_cast<std::ptrdiff_t>(distances.size() / 10);
  std::nth_element(distances.begin(), tenth, distances.end());
  if (*tenth < kContent) return std::nullopt;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] > median + kRounding) hash |= std::uint64_t{1} << i;
  }
  return hash;
}

}  // namespace infer::inline v0
