#include "infer/series/prophet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace infer::inline v0 {
namespace {

TEST(Prophet, FindsATrendThatBendsAndASeason) {
  std::vector<double> times;
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) {
    times.push_back(i);
    const double trend = i < 100 ? 0.01 * i : 1 - 0.005 * (i - 100);
    values.push_back(trend + 0.3 * std::sin(2 * std::numbers::pi * i / 12));
  }
  const ProphetCurve curve = fit_prophet(times, values, {1, 0}, true, 12);
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(curve.at(times[i]), values[i], 0.05) << i;
  const double ahead = 1 - 0.005 * 112 + 0.3 * std::sin(2 * std::numbers::pi * 212 / 12);
  EXPECT_NEAR(curve.at(212), ahead, 0.08);
  EXPECT_GT(curve.deviation(260), curve.deviation(210));
  EXPECT_EQ(curve.deviation(150), curve.sigma);
}

TEST(Prophet, AConstantSeriesStaysConstant) {
  const std::vector<double> times{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<double> values(10, 0.0);
  const ProphetCurve curve = fit_prophet(times, values, {1, 0}, true, 1);
  EXPECT_NEAR(curve.at(20), 0, 1e-6);
  EXPECT_TRUE(std::isfinite(curve.deviation(20)));
}

TEST(Prophet, TheSameSeriesGivesTheSameCurve) {
  std::vector<double> times;
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) {
    times.push_back(i * 86400.0);
    values.push_back(std::cos(i) * 0.5);
  }
  const auto a = fit_prophet(times, values, {86400, 0}, false, 7);
  const auto b = fit_prophet(times, values, {86400, 0}, false, 7);
  EXPECT_EQ(a.at(1e7), b.at(1e7));
  EXPECT_EQ(a.seasonalities.size(), 1U);  // yearly seasonality needs two years of data
}

}  // namespace
}  // namespace infer::inline v0
