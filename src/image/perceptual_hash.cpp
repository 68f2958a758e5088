#include "infer/image/perceptual_hash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

#include "infer/image/resize.h"

namespace infer::inline v0 {
namespace {

constexpr std::size_t kSize = 32;
constexpr std::size_t kKept = 8;

/// Coefficients of a symmetric picture are equal but for rounding, which must not set bits.
constexpr float kRounding = 1.0F;

using Basis = std::array<std::array<float, kSize>, kKept>;

/// Row k is cos(pi (2 x + 1) (k + 1) / 64): the factors that the DCT scales by cancel in the comparison.
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

using Luma = std::array<float, kSize * kSize>;

/// False for a picture whose hash says more of noise, or of a page's margins, than of what is shown: low
/// contrast, nearly all of one level, a light or dark page with a little on it, or too few waves.
bool shows_enough(const Luma& luma, std::span<const float> coefficients, float median) {
  constexpr float kLeastContrast = 8;  // standard deviation, of 255 levels
  constexpr float kPageContrast = 25;
  constexpr float kPageLevels = 75;  // a page's 32 x 32 pixels are no farther from white, or from black
  constexpr float kLevel = 8;
  constexpr float kClear = 16;  // what recompressing may add to a coefficient
  constexpr std::ptrdiff_t kFewestWaves = 20;
  const auto count = static_cast<float>(luma.size());
  const float mean = std::accumulate(luma.begin(), luma.end(), 0.0F) / count;
  float squares = 0;
  for (const float level : luma) squares += (level - mean) * (level - mean);
  const float contrast = std::sqrt(squares / count);
  if (contrast < kLeastContrast) return false;
  const auto share = [&](float low, float high) {
    return static_cast<float>(std::count_if(luma.begin(), luma.end(),
                                            [&](float l) { return l >= low && l <= high; })) /
           count;
  };
  const bool page = share(255 - kPageLevels, 255.5F) > 0.97F || share(0, kPageLevels) > 0.97F;
  if (page && contrast < kPageContrast) return false;
  Luma sorted = luma;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const float ground = sorted[sorted.size() / 2];
  if (share(ground - kLevel, ground + kLevel) > 0.95F) return false;
  return std::count_if(coefficients.begin(), coefficients.end(),
                       [&](float c) { return std::abs(c - median) > kClear; }) >= kFewestWaves;
}

struct Hash {
  std::uint64_t bits = 0;
  bool shows_enough = false;
};

Hash hash_of(const Image& image) {
  static const Basis basis = make_basis();
  Luma levels;
  const Image small = resize_bicubic(image, kSize, kSize, {0, 0, kSize, kSize});
  std::array<std::array<float, kSize>, kKept> columns{};  // the DCT along y
  for (std::size_t y = 0; y < kSize; ++y) {
    const std::uint8_t* pixel = small.row(y);
    for (std::size_t x = 0; x < kSize; ++x, pixel += Image::kChannels) {
      // ITU-R BT.601
      const float luma = 0.299F * static_cast<float>(pixel[0]) + 0.587F * static_cast<float>(pixel[1]) +
                         0.114F * static_cast<float>(pixel[2]);
      levels[y * kSize + x] = luma;
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
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] > median + kRounding) hash |= std::uint64_t{1} << i;
  }
  return {hash, shows_enough(levels, coefficients, median)};
}

}  // namespace

std::uint64_t perceptual_hash(const Image& image) { return hash_of(image).bits; }

std::optional<std::uint64_t> content_hash(const Image& image) {
  const Hash hash = hash_of(image);
  if (!hash.shows_enough) return std::nullopt;
  return hash.bits;
}

}  // namespace infer::inline v0
