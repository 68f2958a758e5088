#include "rows.h"

#include <array>
#include <bit>
#include <cmath>

#include "../multiversion.h"

namespace infer::inline v0 {
namespace {

/// Adding this constant to a small number leaves the rounded number in the low bits of the mantissa.
constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23
constexpr std::int32_t kZeroPoint = 128;
constexpr float kSteps = 127.0F;
constexpr float kLeast = 1e-30F;  // keeps the step of a row of zeros above 0

/// Magnitudes compare like the integers of their bits, and compilers vectorise a maximum of integers but not
/// of floats.
INFER_MULTIVERSION
std::int32_t largest_bits(const float* x, std::size_t n) {
  std::int32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t bits = std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF;
    most = bits > most ? bits : most;
  }
  return most;
}

INFER_MULTIVERSION
void to_steps(const float* x, std::size_t n, float per_step, std::uint8_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float steps = x[i] * per_step + (kRounder + static_cast<float>(kZeroPoint));
    out[i] = static_cast<std::uint8_t>(std::bit_cast<std::int32_t>(steps) & 0xFF);
  }
}

float quantize_row(const float* x, std::size_t n, std::uint8_t* out) {
  const auto most = std::bit_cast<float>(largest_bits(x, n));
  const float step = (most <= kLeast ? kLeast : most) / kSteps;  // NaN stays
  to_steps(x, n, 1 / step, out);
  return step;
}

INFER_MULTIVERSION
void scale_row(float* x, std::size_t n, float scale, const float* bias) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] * scale + bias[i];
}

INFER_MULTIVERSION
void scale_row(float* x, std::size_t n, float scale) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= scale;
}

INFER_MULTIVERSION
void scale_and_add_row(float* x, std::size_t n, float scale, const float* bias, const float* residual) {
  for (std::size_t i = 0; i < n; ++i) x[i] = x[i] * scale + bias[i] + residual[i];
}

INFER_MULTIVERSION
void add_row(float* x, std::size_t n, const float* other) {
  for (std::size_t i = 0; i < n; ++i) x[i] += other[i];
}

/// Compilers keep the order of float sums; one sum for each lane lets them vectorise.
constexpr std::size_t kLanes = 16;

INFER_MULTIVERSION
float mean_of(const float* x, std::size_t n) {
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane];
  }
  float sum = 0;
  for (; i < n; ++i) sum += x[i];
  for (const float part : sums) sum += part;
  return sum / static_cast<float>(n);
}

INFER_MULTIVERSION
float variance_of(const float* x, std::size_t n, float mean) {
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float off = x[i + lane] - mean;
      sums[lane] += off * off;
    }
  }
  float sum = 0;
  for (; i < n; ++i) sum += (x[i] - mean) * (x[i] - mean);
  for (const float part : sums) sum += part;
  return sum / static_cast<float>(n);
}

INFER_MULTIVERSION
void norm_row(const float* x, std::size_t n, float mean, float by, const float* weight, const float* bias,
              float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * by * weight[i] + bias[i];
}

/// exp(-y) = 2^(n + f) with whole n and |f| <= 0.5; 2^f is the Taylor series up to f^6.
INFER_MULTIVERSION
void silu_row(float* x, std::size_t n) {
  constexpr float kLog2E = 1.44269504F;
  for (std::size_t i = 0; i < n; ++i) {
    float power = -x[i] * kLog2E;
    power = power > 126.0F ? 126.0F : power;
    power = power < -126.0F ? -126.0F : power;
    const float rounded = power + kRounder;
    // Unsigned, since NaN may give any bits and signed overflow is undefined.
    const std::uint32_t whole =
        std::bit_cast<std::uint32_t>(rounded) - std::bit_cast<std::uint32_t>(kRounder);
    const float f = power - (rounded - kRounder);
    float series = 1.54035304e-4F;
    series = series * f + 1.33335581e-3F;
    series = series * f + 9.61812911e-3F;
    series = series * f + 5.55041087e-2F;
    series = series * f + 2.40226507e-1F;
    series = series * f + 6.93147181e-1F;
    series = series * f + 1.0F;
    const float exponential = std::bit_cast<float>(std::bit_cast<std::uint32_t>(series) + (whole << 23));
    x[i] /= 1.0F + exponential;
  }
}

}  // namespace

void quantize_rows(const float* x, std::size_t rows, std::size_t columns, std::uint8_t* out, float* scales) {
  for (std::size_t r = 0; r < rows; ++r)
    scales[r] = quantize_row(x + r * columns, columns, out + r * columns);
}

void norm_quantize_rows(const float* x, std::size_t rows, std::size_t columns, const float* weight,
                        const float* bias, float epsilon, float* scratch, std::uint8_t* out, float* scales) {
  for (std::size_t r = 0; r < rows; ++r, x += columns, out += columns) {
    const float mean = mean_of(x, columns);
    const float by = 1 / std::sqrt(variance_of(x, columns, mean) + epsilon);
    norm_row(x, columns, mean, by, weight, bias, scratch);
    scales[r] = quantize_row(scratch, columns, out);
  }
}

void scale_rows(float* x, std::size_t rows, std::size_t columns, const float* scales, const float* bias,
                const float* residual) {
  for (std::size_t r = 0; r < rows; ++r, x += columns) {
    if (bias != nullptr && residual != nullptr) {
      scale_and_add_row(x, columns, scales[r], bias, residual);
    } else {
      bias != nullptr ? scale_row(x, columns, scales[r], bias) : scale_row(x, columns, scales[r]);
      if (residual != nullptr) add_row(x, columns, residual);
    }
    if (residual != nullptr) residual += columns;
  }
}

void silu_quantize_rows(float* x, std::size_t rows, std::size_t columns, const float* scales,
                        const float* bias, std::uint8_t* out, float* out_scales) {
  for (std::size_t r = 0; r < rows; ++r, x += columns, out += columns) {
    scale_rows(x, 1, columns, scales + r, bias, nullptr);
    silu_row(x, columns);
    out_scales[r] = quantize_row(x, columns, out);
  }
}

}  // namespace infer::inline v0
