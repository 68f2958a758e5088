#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "infer/tools/closed_loop.h"

namespace infer::inline v0::tools {
namespace {

TEST(ClosedLoop, CountsAnswersBetweenBatchesAndTimesThem) {
  const SampleRequest slow = []() -> Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return {};
  };
  const auto seen = closed_loop(slow, 3, 0.5, {});
  ASSERT_TRUE(seen);
  EXPECT_LT(seen->per_second, 330) << "three clients with at least 10 ms for each request";
  EXPECT_GT(seen->per_second, 0) << "however late a busy machine wakes them";
  EXPECT_GE(seen->p95, 0.010);
}

TEST(ClosedLoop, EndsWithTheFirstErrorOrWhenItIsTold) {
  const auto failed =
      closed_loop([]() -> Result<void> { return fail(ErrorCode::kModelError, "broken"); }, 2, 60, {});
  EXPECT_EQ(failed.error().message, "broken");
  std::stop_source source;
  std::atomic<int> sent{0};
  const auto stopped = closed_loop(
      [&]() -> Result<void> {
        if (++sent == 5) source.request_stop();
        return {};
      },
      2, 60, source.get_token());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace infer::inline v0::tools
