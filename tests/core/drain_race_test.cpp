// Drains, destroys and times out exactly while batches begin. ThreadSanitizer finds the errors that this
// test is for.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <type_traits>

#include "core/test_task.h"
#include "infer/core/batch_scheduler.h"

namespace infer {
namespace {

using std::chrono::microseconds;
using testing::TestTask;
using Scheduler = BatchScheduler<TestTask>;

static_assert(
    std::is_same_v<Scheduler::Executor, std::function<void(std::size_t, std::span<const TestTask>)>>,
    "an executor cannot change a batch, which is the scheduler's");

/// Reads its whole batch twice and forgets every seventh task. Owns everything it uses, since it may
/// outlive the test.
void executor(std::size_t, std::span<const TestTask> batch) {
  int sum = 0;
  for (const TestTask& task : batch) sum += task.id + static_cast<int>(task.lane_ != nullptr);
  for (const TestTask& task : batch) {
    if ((task.id + sum) % 7 != 0) task.succeed();
  }
}

void expect_one_answer_each(const std::vector<std::shared_ptr<testing::Outcome>>& accepted) {
  for (const auto& outcome : accepted) {
    testing::wait_complete(*outcome);  // the timer may be about to answer expired tasks
    EXPECT_LE(outcome->completions, 1);
  }
}

enum class End { kDrain, kDrainTwice, kDestroy };

void race(End end, int round) {
  constexpr int kTasks = 12;
  Scheduler::Options options;
  options.workers = 1 + static_cast<std::size_t>(round % 2);
  options.batch.max_batch_size = 4;
  options.shutdown_timeout = std::chrono::milliseconds(0);
  const auto clock = std::make_shared<SteadyClock>();
  auto scheduler = Scheduler::create(options, executor, clock).value();
  FairLane lanes[3];
  std::vector<std::shared_ptr<testing::Outcome>> accepted;
  std::atomic<bool> begun{false};
  std::thread feeder([&] {
    for (int i = 0; i < kTasks; ++i) {
      TestTask task(i);
      task.lane_ = &lanes[i % 3];
      if (i % 4 == round % 4) task.deadline_ = clock->now() + microseconds(round % 40);
      auto outcome = task.outcome;
      begun = true;
      if (scheduler->enqueue(std::move(task), i % 5 == 0)) accepted.push_back(std::move(outcome));
    }
  });
  while (!begun) std::this_thread::yield();
  for (int spin = 0; spin < round % 200; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
  if (end != End::kDestroy) scheduler->drain(clock->now());
  if (end == End::kDrainTwice) scheduler->drain(clock->now() + microseconds(5));
  feeder.join();
  scheduler.reset();
  expect_one_answer_each(accepted);
}

TEST(DrainRace, DrainingWhileBatchesBeginAnswersEachTaskOnce) {
  for (int round = 0; round < 2000; ++round) race(End::kDrain, round);
}

TEST(DrainRace, DrainingAgainWhileTheFirstAnswersDoesNotAnswerTwice) {
  for (int round = 0; round < 1000; ++round) race(End::kDrainTwice, round);
}

TEST(DrainRace, DestroyingWhileBatchesBeginAnswersEachTaskOnce) {
  for (int round = 0; round < 2000; ++round) race(End::kDestroy, round);
}

/// Two concurrent drains, and the timer.
TEST(DrainRace, DrainsOfSeveralThreadsMeetOverOneBatch) {
  for (int round = 0; round < 500; ++round) {
    Scheduler::Options options;
    options.batch.max_batch_size = 4;
    const auto clock = std::make_shared<SteadyClock>();
    auto scheduler = Scheduler::create(options, executor, clock).value();
    std::vector<std::shared_ptr<testing::Outcome>> accepted;
    for (int i = 0; i < 8; ++i) {
      TestTask task(i);
      if (i % 2 == 0) task.deadline_ = clock->now() + microseconds(10 * i + 1);
      auto outcome = task.outcome;
      if (scheduler->enqueue(std::move(task))) accepted.push_back(std::move(outcome));
    }
    std::thread other([&] { scheduler->drain(clock->now()); });
    scheduler->drain(clock->now());
    other.join();
    scheduler.reset();
    expect_one_answer_each(accepted);
  }
}

}  // namespace
}  // namespace infer
