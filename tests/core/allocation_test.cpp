#include <gtest/gtest.h>

#include "core/test_task.h"
#include "infer/core/batch_scheduler.h"
#include "support/allocation_failure.h"

namespace infer {
namespace {

using testing::AllocationFailure;
using testing::TestTask;
using Scheduler = BatchScheduler<TestTask>;

void complete_all(std::size_t, std::span<const TestTask> batch) {
  for (const auto& task : batch) task.succeed();
}

TEST(Allocation, FailingToCreateASchedulerIsAnErrorAtEveryStep) {
  std::size_t steps = 0;
  for (bool done = false; !done; ++steps) {
    ASSERT_LT(steps, 200u);
    auto clock = std::make_shared<SteadyClock>();
    Scheduler::Options options;
    options.workers = 2;
    bool created = false;
    ErrorCode code{};
    {
      const AllocationFailure failure(steps + 1);
      auto scheduler = Scheduler::create(options, complete_all, clock);
      done = !failure.happened();
      created = scheduler.has_value();
      if (!created) code = scheduler.error().code;
    }
    EXPECT_EQ(created, done);
    if (!created) {
      EXPECT_EQ(code, ErrorCode::kOutOfMemory);
    }
  }
  EXPECT_GT(steps, 5u);
}

TEST(Allocation, EnqueueAndExecutionNeedNoMemory) {
  Scheduler::Options options;
  options.workers = 2;
  auto scheduler = Scheduler::create(options, complete_all, std::make_shared<SteadyClock>()).value();
  for (int round = 0; round < 100; ++round) {
    TestTask task(round);
    auto outcome = task.outcome;
    bool accepted = false;
    bool allocated = false;
    {
      const AllocationFailure failure(1, AllocationFailure::Scope::kAllThreads);
      accepted = scheduler->enqueue(std::move(task)).has_value();
      testing::wait_complete(*outcome);
      allocated = failure.happened();
    }
    EXPECT_TRUE(accepted);
    EXPECT_FALSE(allocated);
    EXPECT_TRUE(outcome->ok());
  }
}

TEST(Allocation, ARefusalWithoutMemoryForItsMessageIsOutOfMemoryAndKeepsTheTask) {
  Scheduler::Options options;
  options.batch.max_queue_bytes = 4;
  auto scheduler = Scheduler::create(options, complete_all, std::make_shared<SteadyClock>()).value();
  TestTask task(1);  // 8 bytes: can never fit, and the error message needs memory
  ErrorCode code{};
  {
    const AllocationFailure failure(1);
    code = scheduler->enqueue(std::move(task)).error().code;
  }
  EXPECT_EQ(code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(task.outcome->completions, 0);  // NOLINT(bugprone-use-after-move): the promise under test
}

}  // namespace
}  // namespace infer
