#include "int8/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace infer::inline v0 {
namespace {

/// Returns numbers between -size and size, the same in every run.
std::vector<float> numbers(std::size_t count, float size, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& value : out) {
    seed = seed * 1664525U + 1013904223U;
    value = (static_cast<float>(seed >> 8) / static_cast<float>(1U << 23) - 1) * size;
  }
  return out;
}

float back(std::uint8_t steps, float scale) { return (static_cast<float>(steps) - 128) * scale; }

class Int8Rows : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Int8Rows, EachNumberComesBackWithinHalfAStepOfItsRow) {
  const std::size_t columns = GetParam();
  std::vector<float> x = numbers(columns, 1, 1);
  const auto large = numbers(columns, 1000, 2);
  x.insert(x.end(), large.begin(), large.end());
  std::vector<std::uint8_t> steps(x.size());
  std::vector<float> scales(2);
  quantize_rows(x.data(), 2, columns, steps.data(), scales.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float scale = scales[i / columns];
    EXPECT_LE(std::abs(back(steps[i], scale) - x[i]), 0.5001F * scale) << i;
  }
  // The other rows must not change a row's result.
  std::vector<std::uint8_t> alone(columns);
  float scale = 0;
  quantize_rows(x.data(), 1, columns, alone.data(), &scale);
  EXPECT_EQ(scale, scales[0]);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), steps.begin()));
}

TEST_P(Int8Rows, SiluIsThatOfTheScaledRow) {
  const std::size_t columns = GetParam();
  std::vector<float> x = numbers(3 * columns, 40, 3);
  const auto bias = numbers(columns, 2, 4);
  const std::vector<float> scales{0.01F, 1, 30};  // beyond the overflow of exp
  const std::vector<float> before = x;
  std::vector<std::uint8_t> steps(x.size());
  std::vector<float> sizes(3);
  silu_quantize_rows(x.data(), 3, columns, scales.data(), bias.data(), steps.data(), sizes.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double y = static_cast<double>(before[i]) * static_cast<double>(scales[i / columns]) +
                     static_cast<double>(bias[i % columns]);
    const double expected = y / (1 + std::exp(-y));
    const auto size = static_cast<double>(sizes[i / columns]);
    EXPECT_LE(std::abs(static_cast<double>(back(steps[i], sizes[i / columns])) - expected),
              0.501 * size + 1e-5 * std::abs(expected))
        << y;
  }
}

TEST_P(Int8Rows, ANormIsThatOfEachRow) {
  const std::size_t columns = GetParam();
  const auto x = numbers(2 * columns, 5, 5);
  const auto weight = numbers(columns, 1, 6);
  const auto bias = numbers(columns, 1, 7);
  std::vector<float> scratch(columns);
  std::vector<std::uint8_t> steps(x.size());
  std::vector<float> scales(2);
  norm_quantize_rows(x.data(), 2, columns, weight.data(), bias.data(), 1e-5F, scratch.data(), steps.data(),
                     scales.data());
  for (std::size_t row = 0; row < 2; ++row) {
    double mean = 0;
    double variance = 0;
    for (std::size_t i = 0; i < columns; ++i) mean += static_cast<double>(x[row * columns + i]);
    mean /= static_cast<double>(columns);
    for (std::size_t i = 0; i < columns; ++i)
      variance += std::pow(static_cast<double>(x[row * columns + i]) - mean, 2);
    variance /= static_cast<double>(columns);
    for (std::size_t i = 0; i < columns; ++i) {
      const double expected = (static_cast<double>(x[row * columns + i]) - mean) /
                                  std::sqrt(variance + 1e-5) * static_cast<double>(weight[i]) +
                              static_cast<double>(bias[i]);
      EXPECT_NEAR(static_cast<double>(back(steps[row * columns + i], scales[row])), expected,
                  0.501 * static_cast<double>(scales[row]) + 1e-5);
    }
  }
}

TEST_P(Int8Rows, BiasAndResidualAreAddedWhereTheyAreGiven) {
  const std::size_t columns = GetParam();
  const auto x = numbers(2 * columns, 3, 8);
  const auto bias = numbers(columns, 1, 9);
  const auto residual = numbers(2 * columns, 1, 10);
  const std::vector<float> scales{2, -3};
  for (const bool with_bias : {false, true}) {
    for (const bool with_residual : {false, true}) {
      std::vector<float> y = x;
      scale_rows(y.data(), 2, columns, scales.data(), with_bias ? bias.data() : nullptr,
                 with_residual ? residual.data() : nullptr);
      for (std::size_t i = 0; i < y.size(); ++i) {
        const float expected = x[i] * scales[i / columns] + (with_bias ? bias[i % columns] : 0) +
                               (with_residual ? residual[i] : 0);
        EXPECT_NEAR(y[i], expected, 1e-5F);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Columns, Int8Rows, ::testing::Values(1, 15, 16, 17, 768));

TEST(Int8Row, ARowOfZerosStaysZeroAndOneThatIsNotFiniteStaysSo) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x{0, -0.0F, 1, inf, nan, 2};
  std::vector<std::uint8_t> steps(6);
  std::vector<float> scales(3);
  quantize_rows(x.data(), 3, 2, steps.data(), scales.data());
  EXPECT_EQ(steps[0], 128);
  EXPECT_EQ(steps[1], 128);
  EXPECT_TRUE(std::isfinite(scales[0]));
  EXPECT_FALSE(std::isfinite(scales[1]));
  EXPECT_FALSE(std::isfinite(scales[2]));
}

}  // namespace
}  // namespace infer::inline v0
