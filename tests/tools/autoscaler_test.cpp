#include <gtest/gtest.h>

#include "infer/tools/autoscaler.h"

namespace infer::inline v0::tools {
namespace {

TEST(Autoscaler, ScalesByTheRatioWithinTolerancePoliciesAndBounds) {
  AutoscalerOptions options{.min_replicas = 2, .max_replicas = 10, .target = 0.5};
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 1.0), 4);
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 0.54), 2) << "within 10 %";
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 0.56), 3);
  EXPECT_EQ(Autoscaler(options).decide(15, 4, 4, 5.0), 8) << "twice as many, or four more, in 15 s";
  EXPECT_EQ(Autoscaler(options).decide(15, 8, 8, 5.0), 10);
  EXPECT_EQ(Autoscaler(options).decide(15, 4, 2, 0.8), 4) << "two pods are still starting";
  options.up.policies = {{false, 2, 30}};
  Autoscaler slow(options);
  EXPECT_EQ(slow.decide(15, 2, 2, 5.0), 4);
  EXPECT_EQ(slow.decide(30, 4, 4, 5.0), 4) << "two pods in 30 s";
  EXPECT_EQ(slow.decide(46, 4, 4, 5.0), 6);
}

TEST(Autoscaler, GoesDownOnlyWhenTheWholeWindowSaysSo) {
  AutoscalerOptions options{.min_replicas = 1, .max_replicas = 10, .target = 0.5};
  options.down = {60, {{false, 1, 30}}};
  Autoscaler scaler(options);
  EXPECT_EQ(scaler.decide(15, 4, 4, 0.5), 4);
  EXPECT_EQ(scaler.decide(30, 4, 4, 0.05), 4);
  EXPECT_EQ(scaler.decide(75, 4, 4, 0.05), 4) << "the recommendation of 60 s ago was four";
  EXPECT_EQ(scaler.decide(90, 4, 4, 0.05), 3) << "one pod in 30 s";
  EXPECT_EQ(scaler.decide(105, 3, 3, 0.05), 3);
  EXPECT_EQ(scaler.decide(121, 3, 3, 0.05), 2);
}

TEST(Autoscaler, TakesTheWidestOfItsPoliciesThoughItAllowsMoreThanThereAre) {
  AutoscalerOptions options{.min_replicas = 1, .max_replicas = 10, .target = 0.5};
  options.down = {0, {{false, 8, 60}, {true, 10, 60}}};
  EXPECT_EQ(Autoscaler(options).decide(15, 5, 5, 0.01), 1);
  options.down.least = true;
  EXPECT_EQ(Autoscaler(options).decide(15, 5, 5, 0.01), 4);
}

}  // namespace
}  // namespace infer::inline v0::tools
