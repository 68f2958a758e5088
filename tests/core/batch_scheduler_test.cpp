#include "infer/core/batch_scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <semaphore>
#include <set>

#include "core/test_task.h"

namespace infer {
namespace {

using std::chrono::milliseconds;
using testing::Outcome;
using testing::TestTask;
using testing::wait_complete;
using Scheduler = BatchScheduler<TestTask>;

/// An executor that holds its batch until it is released, and records what it saw.
class Gate {
 public:
  Scheduler::Executor executor() {
    return [this](std::size_t, std::span<const TestTask> batch) {
      {
        std::unique_lock lock(mutex_);
        std::vector<int> ids;
        for (const auto& task : batch) ids.push_back(task.id);
        batches_.push_back(ids);
      }
      entered_.release();
      go_.acquire();
      for (const auto& task : batch) task.succeed();
    };
  }
  void wait_entered() { entered_.acquire(); }
  void let_go(std::ptrdiff_t batches = 1) { go_.release(batches); }
  std::vector<std::vector<int>> batches() {
    std::unique_lock lock(mutex_);
    return batches_;
  }

 private:
  std::counting_semaphore<1 << 20> entered_{0};
  std::counting_semaphore<1 << 20> go_{0};
  std::mutex mutex_;
  std::vector<std::vector<int>> batches_;
};

void complete_all(std::size_t, std::span<const TestTask> batch) {
  for (const auto& task : batch) task.succeed();
}

struct Fixture {
  explicit Fixture(Scheduler::Executor executor = complete_all, Scheduler::Options options = {},
                   std::shared_ptr<Clock> time = std::make_shared<ManualClock>())
      : clock(std::move(time)),
        scheduler(Scheduler::create(std::move(options), std::move(executor), clock).value()) {}

  std::shared_ptr<Outcome> enqueue(TestTask task, bool may_run_here = false) {
    auto outcome = task.outcome;
    EXPECT_TRUE(scheduler->enqueue(std::move(task), may_run_here));
    return outcome;
  }
  ManualClock& manual() { return static_cast<ManualClock&>(*clock); }

  std::shared_ptr<Clock> clock;
  std::unique_ptr<Scheduler> scheduler;
};

TEST(BatchScheduler, CompletesWhatItAccepts) {
  Fixture fixture;
  auto outcome = fixture.enqueue(TestTask(1));
  wait_complete(*outcome);
  EXPECT_TRUE(outcome->ok());
}

TEST(BatchScheduler, BatchesGrowWhileTheWorkerIsBusy) {
  Gate gate;
  Fixture fixture(gate.executor());
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  std::vector<std::shared_ptr<Outcome>> outcomes;
  for (int id = 1; id <= 5; ++id) outcomes.push_back(fixture.enqueue(TestTask(id)));
  gate.let_go(2);
  for (auto& outcome : outcomes) wait_complete(*outcome);
  EXPECT_EQ(gate.batches(), (std::vector<std::vector<int>>{{0}, {1, 2, 3, 4, 5}}));
}

TEST(BatchScheduler, ARefusedTaskStaysWithTheCaller) {
  Gate gate;
  Scheduler::Options options;
  options.batch.max_queue_size = 1;
  Fixture fixture(gate.executor(), options);
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  fixture.enqueue(TestTask(1));
  TestTask refused(2);
  const auto result = fixture.scheduler->enqueue(std::move(refused));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kOverloaded);
  ASSERT_NE(refused.outcome, nullptr);  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(refused.outcome->completions, 0);
  gate.let_go(2);
}

TEST(BatchScheduler, AnExpiredTaskIsAnsweredWhileEveryWorkerIsBusy) {
  Gate gate;
  Fixture fixture(gate.executor());
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  TestTask task(1);
  task.deadline_ = fixture.clock->now() + milliseconds(50);
  auto outcome = fixture.enqueue(std::move(task));
  fixture.manual().advance(milliseconds(49));
  EXPECT_EQ(outcome->completions, 0);
  fixture.manual().advance(milliseconds(1));
  wait_complete(*outcome);
  EXPECT_TRUE(outcome->failed_with(ErrorCode::kDeadlineExceeded));
  gate.let_go();
  fixture.scheduler->drain(fixture.clock->now() + milliseconds(1000));
  EXPECT_EQ(gate.batches().size(), 1u) << "an expired task must not cost a forward";
}

TEST(BatchScheduler, APassedDeadlineIsRefusedAtTheDoor) {
  Fixture fixture;
  TestTask task(1);
  task.deadline_ = fixture.clock->now();
  const auto result = fixture.scheduler->enqueue(std::move(task));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
}

TEST(BatchScheduler, ACancelledTaskCostsNoExecution) {
  Gate gate;
  Fixture fixture(gate.executor());
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  std::stop_source source;
  TestTask task(1);
  task.stop_ = source.get_token();
  auto outcome = fixture.enqueue(std::move(task));
  source.request_stop();
  gate.let_go();
  wait_complete(*outcome);
  EXPECT_TRUE(outcome->failed_with(ErrorCode::kCancelled));
  EXPECT_EQ(gate.batches().size(), 1u);
}

TEST(BatchScheduler, AnExecutorThatThrowsStillCompletesEveryTask) {
  for (const bool bad_alloc : {false, true}) {
    Fixture fixture([bad_alloc](std::size_t, std::span<const TestTask> batch) {
      batch.front().succeed();
      if (bad_alloc) throw std::bad_alloc();
      throw std::runtime_error("boom");
    });
    Gate gate;
    auto first = fixture.enqueue(TestTask(0));
    wait_complete(*first);
    auto second = fixture.enqueue(TestTask(1));
    wait_complete(*second);
    EXPECT_TRUE(first->ok());
    EXPECT_TRUE(second->ok());
    EXPECT_EQ(first->completions, 1);
  }
}

TEST(BatchScheduler, ATaskThatTheExecutorForgetsIsFailedAsInternal) {
  Fixture fixture([](std::size_t, std::span<const TestTask>) {});
  auto outcome = fixture.enqueue(TestTask(0));
  wait_complete(*outcome);
  EXPECT_TRUE(outcome->failed_with(ErrorCode::kInternal));
}

TEST(BatchScheduler, DrainFinishesTheQueueWithoutLingerAndRefusesNewTasks) {
  Scheduler::Options options;
  options.batch.max_queue_delay = std::chrono::seconds(3600);
  Fixture fixture(complete_all, options);
  std::vector<std::shared_ptr<Outcome>> outcomes;
  for (int id = 0; id < 5; ++id) outcomes.push_back(fixture.enqueue(TestTask(id)));
  const auto report = fixture.scheduler->drain(fixture.clock->now() + std::chrono::hours(1));
  EXPECT_TRUE(report.in_time);
  EXPECT_EQ(report.completed, 5u);
  EXPECT_EQ(report.failed, 0u);
  for (auto& outcome : outcomes) EXPECT_TRUE(outcome->ok());
  const auto refused = fixture.scheduler->enqueue(TestTask(9));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST(BatchScheduler, DrainFailsTheRestAtItsTimeoutTheRunningBatchToo) {
  Gate gate;
  Fixture fixture(gate.executor());
  auto running = fixture.enqueue(TestTask(0));
  gate.wait_entered();
  auto queued = fixture.enqueue(TestTask(1));
  const auto report = fixture.scheduler->drain(fixture.clock->now());
  EXPECT_FALSE(report.in_time);
  EXPECT_EQ(report.failed, 2u);
  EXPECT_TRUE(running->failed_with(ErrorCode::kUnavailable));
  EXPECT_TRUE(queued->failed_with(ErrorCode::kUnavailable));
  gate.let_go();
  EXPECT_EQ(running->completions, 1) << "the late end of the batch must not complete it again";
}

TEST(BatchScheduler, TheDestructorDoesNotWaitForAStuckExecutor) {
  auto gate = std::make_shared<Gate>();
  Scheduler::Options options;
  options.shutdown_timeout = milliseconds(20);
  std::shared_ptr<Outcome> outcome;
  std::latch done(1);
  {
    // The executor owns the gate, because an executor may outlive its scheduler and must own what it uses.
    Fixture fixture(
        [gate, inner = gate->executor(), &done](std::size_t worker, std::span<const TestTask> batch) {
          inner(worker, batch);
          done.count_down();
        },
        options);
    outcome = fixture.enqueue(TestTask(0));
    gate->wait_entered();
  }
  EXPECT_TRUE(outcome->failed_with(ErrorCode::kUnavailable));
  gate->let_go();
  done.wait();
}

TEST(BatchScheduler, LingerGathersCompanyUntilTheOldestIsRipe) {
  Gate gate;
  Scheduler::Options options;
  options.batch.max_queue_delay = milliseconds(10);
  Fixture fixture(gate.executor(), options);
  auto first = fixture.enqueue(TestTask(0));
  fixture.manual().advance(milliseconds(6));
  auto second = fixture.enqueue(TestTask(1));
  EXPECT_EQ(first->completions, 0);
  fixture.manual().advance(milliseconds(4));
  gate.let_go();
  wait_complete(*first);
  wait_complete(*second);
  EXPECT_EQ(gate.batches(), (std::vector<std::vector<int>>{{0, 1}}));
}

TEST(BatchScheduler, AnIdleSchedulerDoesNotWakeUp) {
  Fixture fixture(complete_all, {}, std::make_shared<SteadyClock>());
  wait_complete(*fixture.enqueue(TestTask(0)));
  fixture.scheduler->drain(kNever);
  const auto before = fixture.scheduler->stats().worker_wakeups;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, milliseconds(50));  // the test checks behaviour over real time
  EXPECT_LE(fixture.scheduler->stats().worker_wakeups, before + 1);
}

TEST(BatchScheduler, AnIdleWorkerTakesWorkAtOnceEvenIfOthersAreBusy) {
  Gate gate;
  Scheduler::Options options;
  options.workers = 2;
  Fixture fixture(gate.executor(), options);
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  fixture.enqueue(TestTask(1));
  gate.wait_entered();  // would block if the second task waited for the first worker
  gate.let_go(2);
}

TEST(BatchScheduler, ACallerThatMayRunsItsBatchItself) {
  std::thread::id ran_on;
  Fixture fixture([&](std::size_t, std::span<const TestTask> batch) {
    ran_on = std::this_thread::get_id();
    for (const auto& task : batch) task.succeed();
  });
  auto outcome = fixture.enqueue(TestTask(1), true);
  EXPECT_TRUE(outcome->ok()) << "the task completed before enqueue returned";
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(BatchScheduler, ACallerThatMayRunQueuesWhenEveryWorkerIsBusy) {
  Gate gate;
  Fixture fixture(gate.executor());
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  auto outcome = fixture.enqueue(TestTask(1), true);
  EXPECT_EQ(fixture.scheduler->stats().queue_size, 1u);
  EXPECT_EQ(outcome->completions, 0);
  gate.let_go(2);
  wait_complete(*outcome);
}

TEST(BatchScheduler, WhatCameWhileACallerRanABatchIsTakenUpByAThread) {
  Gate gate;
  Fixture fixture(gate.executor());
  std::thread caller([&] { EXPECT_TRUE(fixture.scheduler->enqueue(TestTask(0), true)); });
  gate.wait_entered();
  auto outcome = fixture.enqueue(TestTask(1));
  EXPECT_EQ(fixture.scheduler->stats().busy_workers, 1u);
  gate.let_go(2);
  caller.join();
  wait_complete(*outcome);
  EXPECT_EQ(gate.batches(), (std::vector<std::vector<int>>{{0}, {1}}));
}

TEST(BatchScheduler, ACallerThatMayRunLingersInTheQueueAsAnyOther) {
  Scheduler::Options options;
  options.batch.max_queue_delay = milliseconds(10);
  Fixture fixture(complete_all, options);
  auto outcome = fixture.enqueue(TestTask(1), true);
  EXPECT_EQ(outcome->completions, 0);
  fixture.manual().advance(milliseconds(10));
  wait_complete(*outcome);
  EXPECT_TRUE(outcome->ok());
}

TEST(BatchScheduler, ATaskThatDestroysTheSchedulerOnItsCallersThreadEndsWell) {
  std::unique_ptr<Scheduler> scheduler;
  scheduler = Scheduler::create(
                  {},
                  [&](std::size_t, std::span<const TestTask> batch) {
                    for (const auto& task : batch) task.succeed();
                    scheduler.reset();
                  },
                  std::make_shared<SteadyClock>())
                  .value();
  TestTask task(1);
  auto outcome = task.outcome;
  ASSERT_TRUE(scheduler->enqueue(std::move(task), true));
  EXPECT_EQ(outcome->completions, 1);
  EXPECT_EQ(scheduler, nullptr);
}

TEST(BatchScheduler, StatsAddUp) {
  Gate gate;
  Scheduler::Options options;
  options.batch.max_queue_size = 2;
  Fixture fixture(gate.executor(), options);
  fixture.enqueue(TestTask(0));
  gate.wait_entered();
  fixture.enqueue(TestTask(1));
  fixture.enqueue(TestTask(2));
  EXPECT_FALSE(fixture.scheduler->enqueue(TestTask(3)));
  auto stats = fixture.scheduler->stats();
  EXPECT_EQ(stats.accepted, 3u);
  EXPECT_EQ(stats.refused, 1u);
  EXPECT_EQ(stats.queue_size, 2u);
  EXPECT_EQ(stats.queue_bytes, 16u);
  EXPECT_EQ(stats.busy_workers, 1u);
  EXPECT_NE(stats.oldest_batch_start, kNever);
  gate.let_go(2);
  const auto report = fixture.scheduler->drain(fixture.clock->now() + std::chrono::hours(1));
  EXPECT_TRUE(report.in_time);
  stats = fixture.scheduler->stats();
  EXPECT_EQ(stats.executed, 3u);
  EXPECT_EQ(stats.batches, 2u);
  EXPECT_EQ(stats.queue_size, 0u);
  EXPECT_EQ(stats.oldest_batch_start, kNever);
}

TEST(BatchScheduler, InvalidOptionsAreRefused) {
  Scheduler::Options options;
  options.workers = 0;
  auto result = Scheduler::create(options, complete_all, std::make_shared<SteadyClock>());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
}

TEST(BatchSchedulerStress, EveryTaskOfManyThreadsIsCompletedExactlyOnce) {
  constexpr int kThreads = 8;
  constexpr int kTasks = 2000;
  Scheduler::Options options;
  options.workers = 3;
  options.batch.max_queue_size = 64;
  options.batch.allowed_batch_sizes = {1, 2, 4, 8};
  std::atomic<int> turn{0};
  Fixture fixture(
      [&](std::size_t, std::span<const TestTask> batch) {
        const int kind = turn++ % 7;
        if (kind == 3) throw std::runtime_error("boom");
        for (const auto& task : batch) {
          if (kind != 5 || task.id % 2 == 0) task.succeed();
        }
      },
      options, std::make_shared<SteadyClock>());
  std::vector<std::vector<std::shared_ptr<Outcome>>> accepted(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::stop_source source;
      for (int i = 0; i < kTasks; ++i) {
        TestTask task(i);
        task.key_ = static_cast<std::uint64_t>(i % 2);
        if (i % 5 == 0) task.deadline_ = fixture.clock->now() + std::chrono::microseconds(i % 400);
        if (i % 11 == 0) {
          task.stop_ = source.get_token();
          if (i % 22 == 0) source = std::stop_source();
        }
        auto outcome = task.outcome;
        if (fixture.scheduler->enqueue(std::move(task), i % 3 == 0))
          accepted[static_cast<std::size_t>(thread)].push_back(outcome);
        if (i % 22 == 0) source.request_stop();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  fixture.scheduler->drain(kNever);
  fixture.scheduler.reset();
  std::size_t count = 0;
  for (const auto& list : accepted) {
    for (const auto& outcome : list) {
      ++count;
      ASSERT_EQ(outcome->completions, 1);
    }
  }
  EXPECT_GT(count, 0u);
}

TEST(BatchSchedulerStress, DestroyingWhileOthersRunCompletesEverything) {
  for (int round = 0; round < 50; ++round) {
    std::vector<std::shared_ptr<Outcome>> outcomes;
    {
      Scheduler::Options options;
      options.workers = 2;
      Fixture fixture(complete_all, options, std::make_shared<SteadyClock>());
      for (int i = 0; i < 40; ++i) outcomes.push_back(fixture.enqueue(TestTask(i)));
    }
    for (const auto& outcome : outcomes) ASSERT_EQ(outcome->completions, 1);
  }
}

}  // namespace
}  // namespace infer
