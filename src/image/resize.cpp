#include "infer/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../multiversion.h"

#if defined(INFER_FOR_AVX2)
#include <immintrin.h>
#endif

namespace infer::inline v0 {
namespace {

constexpr double kSupport = 2.0;  // of the bicubic kernel, in source pixels at scale 1
/// Fraction bits of a weight: 32 less 8 for the pixel and 2 for sums that overshoot.
constexpr int kPrecision = 32 - 8 - 2;
constexpr std::int32_t kHalf = 1 << (kPrecision - 1);

/// Keys' cubic convolution kernel with a = -0.5 (IEEE Trans. ASSP 29, 1981).
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

/// The source pixels of each output pixel, and their weights. Each output pixel has `taps` weights, of which
/// at least the last is zero.
struct Weights {
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> count;
  std::vector<std::int32_t> weight;
  std::size_t taps = 0;
};

Weights weights(std::size_t source, std::size_t target, std::size_t begin, std::size_t length) {
  const double scale = static_cast<double>(source) / static_cast<double>(target);
  const double stretch = std::max(scale, 1.0);
  const double support = kSupport * stretch;
  Weights out;
  out.taps = static_cast<std::size_t>(std::ceil(support)) * 2 + 2;
  out.first.resize(length);
  out.count.resize(length);
  out.weight.resize(length * out.taps);
  std::vector<double> exact(out.taps);
  for (std::size_t i = 0; i < length; ++i) {
    const double center = (static_cast<double>(begin + i) + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int end = std::min(static_cast<int>(source), static_cast<int>(center + support + 0.5));
    const int count = end - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      exact[static_cast<std::size_t>(k)] = bicubic((k + first - center + 0.5) / stretch);
      sum += exact[static_cast<std::size_t>(k)];
    }
    for (int k = 0; k < count; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0.0) weight /= sum;
      const double scaled = weight * (1 << kPrecision);
      out.weight[i * out.taps + static_cast<std::size_t>(k)] =
          static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    out.first[i] = first;
    out.count[i] = count;
  }
  return out;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
}

INFER_MULTIVERSION
void horizontal_row(const std::uint8_t* in, std::uint8_t* out, const std::int32_t* first,
                    const std::int32_t* count, const std::int32_t* weight, std::size_t taps,
                    std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint8_t* pixel = in + static_cast<std::ptrdiff_t>(first[x]) * 3;
    const std::int32_t* w = weight + x * taps;
    std::int32_t red = kHalf;
    std::int32_t green = kHalf;
    std::int32_t blue = kHalf;
    for (std::int32_t k = 0; k < count[x]; ++k, pixel += 3) {
      red += pixel[0] * w[k];
      green += pixel[1] * w[k];
      blue += pixel[2] * w[k];
    }
    out[x * 3] = to_byte(red);
    out[x * 3 + 1] = to_byte(green);
    out[x * 3 + 2] = to_byte(blue);
  }
}

#if defined(INFER_FOR_AVX2)
/// Number of bytes behind a row that are read together with its last pixel.
constexpr std::size_t kBeyond = 8;

/// Does the same as `horizontal_row`, two source pixels at a time with four lanes each, of which the fourth
/// is unused. An odd last pixel is paired with a weight of zero and up to `kBeyond` bytes behind the row.
INFER_FOR_AVX2
void horizontal_row_by_pairs(const std::uint8_t* in, std::uint8_t* out, const std::int32_t* first,
                             const std::int32_t* count, const std::int32_t* weight, std::size_t taps,
                             std::size_t width) {
  const __m128i lanes = _mm_setr_epi8(0, 1, 2, 2, 3, 4, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0);
  for (std::size_t x = 0; x < width; ++x, out += Image::kChannels, weight += taps) {
    const std::uint8_t* pixels = in + static_cast<std::size_t>(first[x]) * Image::kChannels;
    __m256i sums = _mm256_setzero_si256();
    for (std::int32_t k = 0; k < count[x]; k += 2, pixels += 2 * Image::kChannels) {
      const __m128i bytes = _mm_shuffle_epi8(_mm_loadu_si64(pixels), lanes);
      const __m256i weights = _mm256_set_m128i(_mm_set1_epi32(weight[k + 1]), _mm_set1_epi32(weight[k]));
      sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), weights));
    }
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kPrecision);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);  // packing clamps to 0 and 255
    std::memcpy(out, &sum, Image::kChannels);
  }
}
#endif

INFER_MULTIVERSION
void vertical_row(const std::uint8_t* in, std::size_t stride, std::uint8_t* out, const std::int32_t* weight,
                  std::int32_t count, std::int32_t* sums, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) sums[i] = kHalf;
  for (std::int32_t k = 0; k < count; ++k, in += stride) {
    const std::int32_t w = weight[k];
    for (std::size_t i = 0; i < length; ++i) sums[i] += in[i] * w;
  }
  for (std::size_t i = 0; i < length; ++i) {
    out[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> kPrecision, 0, 255));
  }
}

/// Resizes the rows from `first_row` on into `out`.
void resize_rows(const Image& source, std::size_t first_row, const Weights& columns, Image& out) {
  const auto resize = [&](auto row, const std::uint8_t* in, std::size_t y) {
    row(in, out.row(y), columns.first.data(), columns.count.data(), columns.weight.data(), columns.taps,
        out.width);
  };
#if defined(INFER_FOR_AVX2)
  if (__builtin_cpu_supports("avx2")) {
    const std::size_t bytes = source.width * Image::kChannels;
    std::vector<std::uint8_t> in(bytes + kBeyond);
    for (std::size_t y = 0; y < out.height; ++y) {
      std::copy_n(source.row(first_row + y), bytes, in.data());
      resize(horizontal_row_by_pairs, in.data(), y);
    }
    return;
  }
#endif
  for (std::size_t y = 0; y < out.height; ++y) resize(horizontal_row, source.row(first_row + y), y);
}

void copy_rows(const Image& source, std::size_t left, std::size_t top, Image& out) {
  for (std::size_t y = 0; y < out.height; ++y) {
    const std::uint8_t* row = source.row(top + y) + left * Image::kChannels;
    std::copy_n(row, out.width * Image::kChannels, out.row(y));
  }
}

}  // namespace

Image resize_bicubic(const Image& source, std::size_t width, std::size_t height, const CropBox& crop) {
  const Weights columns = weights(source.width, width, crop.left, crop.width);
  const Weights rows = weights(source.height, height, crop.top, crop.height);

  // The horizontal pass covers only the source rows that the vertical pass will read.
  const auto first_row = static_cast<std::size_t>(rows.first.front());
  const auto end_row =
      static_cast<std::size_t>(rows.first.back()) + static_cast<std::size_t>(rows.count.back());
  Image narrow = Image::uninitialised(crop.width, end_row - first_row);
  if (width == source.width) {
    copy_rows(source, crop.left, first_row, narrow);
  } else {
    resize_rows(source, first_row, columns, narrow);
  }
  if (height == source.height) return narrow;

  Image out = Image::uninitialised(crop.width, crop.height);
  const std::size_t stride = crop.width * Image::kChannels;
  std::vector<std::int32_t> sums(stride);
  for (std::size_t y = 0; y < crop.height; ++y) {
    vertical_row(narrow.row(static_cast<std::size_t>(rows.first[y]) - first_row), stride, out.row(y),
                 rows.weight.data() + y * rows.taps, rows.count[y], sums.data(), stride);
  }
  return out;
}

}  // namespace infer::inline v0
