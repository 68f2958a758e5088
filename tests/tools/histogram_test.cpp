#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "infer/tools/latency_histogram.h"

namespace infer::inline v0::tools {
namespace {

TEST(LatencyHistogram, PercentilesAreWithinTwoPercentOfTheSortedTimes) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> times(-4, 2);
  LatencyHistogram histogram;
  std::vector<double> sorted;
  for (int i = 0; i < 100'000; ++i) {
    sorted.push_back(times(random));
    histogram.add(sorted.back());
  }
  std::sort(sorted.begin(), sorted.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const double exact = sorted[static_cast<std::size_t>(fraction * 100'000) - 1];
    EXPECT_NEAR(histogram.percentile(fraction), exact, exact * 0.02 + 1e-6) << fraction;
  }
  EXPECT_EQ(histogram.max(), sorted.back());
}

TEST(LatencyHistogram, OfNothingIsZeroAndTimesBeyondItsRangeAreKept) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), 0);
  histogram.add(0);
  histogram.add(1e9);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max(), 1e9);
}

TEST(LatencyHistogram, MergedHistogramsAreTheSum) {
  LatencyHistogram a;
  LatencyHistogram b;
  for (int i = 0; i < 50; ++i) a.add(0.001);
  for (int i = 0; i < 50; ++i) b.add(0.1);
  a.merge(b);
  EXPECT_EQ(a.count(), 100u);
  EXPECT_NEAR(a.percentile(0.5), 0.001, 2e-5);
  EXPECT_NEAR(a.percentile(0.51), 0.1, 2e-3);
}

}  // namespace
}  // namespace infer::inline v0::tools
