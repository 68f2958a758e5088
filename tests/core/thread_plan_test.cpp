#include "infer/core/thread_plan.h"

#include <gtest/gtest.h>

namespace infer {
namespace {

TEST(ThreadPlan, DefaultIsOneSingleThreadedWorkerPerCore) {
  const auto plan = plan_threads(4, 0, 0).value();
  EXPECT_EQ(plan.workers, 4u);
  EXPECT_EQ(plan.intra_op_threads, 1u);
}

TEST(ThreadPlan, TheOtherNumberFollowsFromTheOneGiven) {
  EXPECT_EQ(plan_threads(8, 2, 0).value().intra_op_threads, 4u);
  EXPECT_EQ(plan_threads(8, 0, 4).value().workers, 2u);
  EXPECT_EQ(plan_threads(0, 0, 0).value().workers, 1u);
}

TEST(ThreadPlan, RefusesMoreThreadsThanCores) {
  const auto plan = plan_threads(2, 2, 2);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message, "workers 2 x intra_op_threads 2 exceeds the 2 usable cores");
  EXPECT_FALSE(plan_threads(2, 5000, 1));
}

}  // namespace
}  // namespace infer
