// Tests admission by expected wait: a request that would not begin within max_wait, by the measured rate,
// is refused.

#include <gtest/gtest.h>

#include <array>
#include <semaphore>

#include "core/test_task.h"
#include "infer/core/batch_scheduler.h"

namespace infer {
namespace {

using std::chrono::milliseconds;
using testing::TestTask;
using Scheduler = BatchScheduler<TestTask>;

/// A worker on a manual clock whose batches take 100 ms, each after it is released.
struct SlowWorker {
  explicit SlowWorker(milliseconds max_wait, std::size_t max_batch_size = 1) {
    Scheduler::Options options;
    options.max_wait = max_wait;
    options.batch.max_batch_size = max_batch_size;
    options.batch.max_queue_size = 256;
    scheduler = Scheduler::create(
                    options,
                    [this](std::size_t, std::span<const TestTask> batch) {
                      entered.release();
                      go.acquire();
                      clock->advance(milliseconds(100));
                      for (const auto& task : batch) task.succeed();
                    },
                    clock)
                    .value();
  }
  ~SlowWorker() {
    go.release(1 << 10);
    scheduler.reset();
  }

  Result<void> ask(FairLane* lane = nullptr) {
    TestTask task(0);
    task.lane_ = lane;
    return scheduler->enqueue(std::move(task));
  }
  /// Makes the rate known. Returns with `running` samples in a batch and none queued.
  void measure_and_hold(std::size_t running) {
    std::vector<std::shared_ptr<testing::Outcome>> outcomes;
    EXPECT_TRUE(ask());
    entered.acquire();  // the samples of the next batch queue up meanwhile
    for (std::size_t i = 0; i < running; ++i) EXPECT_TRUE(ask());
    go.release();
    entered.acquire();
    for (std::size_t i = 0; i < running; ++i) EXPECT_TRUE(ask());
    go.release();
    entered.acquire();
    EXPECT_EQ(scheduler->stats().queue_size, 0u);
  }
  /// Returns how many single samples are accepted before one is refused.
  std::size_t taken_of(std::size_t tries) {
    std::size_t taken = 0;
    while (taken < tries && ask()) ++taken;
    return taken;
  }

  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  std::counting_semaphore<1 << 20> entered{0};
  std::counting_semaphore<1 << 20> go{0};
  std::unique_ptr<Scheduler> scheduler;
};

TEST(MaxWait, RefusesWhatWouldNotBeginInTime) {
  SlowWorker worker(milliseconds(500));
  worker.measure_and_hold(1);
  EXPECT_EQ(worker.taken_of(100), 5u) << "the running batch and four batches of 100 ms run before the fifth";
  const auto refused = worker.ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(refused.error().message, "expected wait: 600 ms exceeds max_wait 500 ms; try again later");
  const auto at_the_door = worker.scheduler->begins_in_time();
  ASSERT_FALSE(at_the_door);
  EXPECT_EQ(at_the_door.error().code, ErrorCode::kOverloaded);
}

TEST(MaxWait, WhatARunningBatchHasLeftCounts) {
  SlowWorker worker(milliseconds(500));
  worker.measure_and_hold(1);
  worker.clock->advance(milliseconds(100));
  EXPECT_EQ(worker.taken_of(100), 6u)
      << "the running batch should end now; five batches of 100 ms run before the sixth";
}

// Two workers that each spend 0.05 s on a sample, so a batch of 8 takes 0.4 s.
TEST(ExpectedWait, IsTheTimeUntilAWorkerHasBegunTheBatchesAhead) {
  const auto wait = [](std::size_t ahead, double first, double second) {
    std::array<double, 2> rests{first, second};
    return expected_wait(ahead, 8, 0.05, rests);
  };
  EXPECT_DOUBLE_EQ(wait(0, 0.3, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(wait(7, 0.3, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(wait(8, 0.3, 0.1), 0.3);
  EXPECT_DOUBLE_EQ(wait(16, 0.3, 0.1), 0.5) << "the first worker is free again";
  EXPECT_DOUBLE_EQ(wait(8, 0.4, 0.4), 0.4) << "both workers in step";
  EXPECT_DOUBLE_EQ(wait(23, 0.4, 0.4), 0.8);
  EXPECT_DOUBLE_EQ(wait(15, 0, 0), 0) << "both are idle";
}

TEST(ExpectedRest, IsWhatTheBatchUsuallyTakesLessWhatItTook) {
  EXPECT_DOUBLE_EQ(expected_rest(8, 0.1, 0.05), 0.3);
  EXPECT_DOUBLE_EQ(expected_rest(1, 0, 0.05), 0.05);
  EXPECT_EQ(expected_rest(8, 9, 0.05), 0) << "the batch already runs longer than usual";
  EXPECT_EQ(expected_rest(8, 0, 0), 0) << "nothing measured yet";
}

TEST(DrainRate, AWorkersTimeForATaskDoesNotDependOnHowManyWorkersWereBusy) {
  using std::chrono::seconds;
  DrainRate one;
  DrainRate two;
  for (int i = 0; i < 3; ++i) {
    const TimePoint start{seconds(10 + i)};
    one.finished(4, start, start + seconds(1));
    two.finished(4, start, start + seconds(1));
    two.finished(4, start, start + seconds(1));
  }
  EXPECT_DOUBLE_EQ(one.worker_seconds_per_task(), 0.25);
  EXPECT_DOUBLE_EQ(two.worker_seconds_per_task(), 0.25);
  EXPECT_NEAR(two.per_second(), 2 * one.per_second(), 1e-9);
}

TEST(MaxWait, ZeroMeansNone) {
  SlowWorker worker(milliseconds(0));
  worker.measure_and_hold(1);
  EXPECT_EQ(worker.taken_of(200), 200u);
}

TEST(MaxWait, WhatTheNextBatchHasRoomForIsTakenHoweverSlowTheForward) {
  SlowWorker worker(milliseconds(1), 8);
  worker.measure_and_hold(8);
  EXPECT_EQ(worker.taken_of(100), 8u);
}

TEST(MaxWait, AnIdleWorkerRefusesNobody) {
  SlowWorker worker(milliseconds(1));
  worker.measure_and_hold(1);
  worker.go.release(1 << 10);
  worker.scheduler->stats();
  for (int i = 0; i < 5; ++i) {
    while (worker.scheduler->stats().busy_workers > 0) std::this_thread::yield();
    EXPECT_TRUE(worker.ask());
    worker.entered.acquire();
  }
}

TEST(MaxWait, BeforeAnythingWasMeasuredNobodyIsRefused) {
  SlowWorker worker(milliseconds(1));
  EXPECT_EQ(worker.taken_of(100), 100u);
}

TEST(MaxWait, ARequestThatHasBegunIsNeverRefusedForIt) {
  SlowWorker worker(milliseconds(500));
  worker.measure_and_hold(1);
  FairLane begun;
  EXPECT_TRUE(worker.ask(&begun));
  while (worker.ask()) {
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(worker.ask(&begun));
}

TEST(MaxWait, ANewRequestWaitsForItsTurnAndNotForTheWholeQueue) {
  SlowWorker worker(milliseconds(500));
  worker.measure_and_hold(1);
  FairLane large;
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(worker.ask(&large));
  EXPECT_EQ(worker.taken_of(100), 4u)
      << "the running batch and one sample of the large request run before them";
}

TEST(MaxWait, WhatCanNeverFitIsSaidFirst) {
  SlowWorker worker(milliseconds(500));
  worker.measure_and_hold(1);
  while (worker.ask()) {
  }
  TestTask task(0);
  task.bytes_ = std::size_t{1} << 40;
  EXPECT_EQ(worker.scheduler->enqueue(std::move(task)).error().code, ErrorCode::kInvalidArgument);
}

TEST(MaxWait, MustNotBeNegative) {
  Scheduler::Options options;
  options.max_wait = milliseconds(-1);
  const auto scheduler = Scheduler::create(
      options, [](std::size_t, std::span<const TestTask>) {}, std::make_shared<SteadyClock>());
  ASSERT_FALSE(scheduler);
  EXPECT_EQ(scheduler.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace infer
