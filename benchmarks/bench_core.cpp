// What batching itself costs: the policy's decision, and a task's way through the scheduler.

#include <benchmark/benchmark.h>

#include <atomic>

#include "core/test_task.h"
#include "infer/core/batch_scheduler.h"

namespace {

using infer::testing::TestTask;

void policy_decision(benchmark::State& state) {
  infer::BatchOptions options;
  options.allowed_batch_sizes = {1, 2, 4, 8};
  const infer::BatchPolicy policy(options);
  const std::vector<infer::QueueItem> items(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy.decide(infer::QueueView<>{items, 1, false}, infer::TimePoint{}));
  }
}
BENCHMARK(policy_decision)->Arg(1)->Arg(8)->Arg(64);

/// One task at a time: the latency of enqueue, wake-up, execution and completion.
void scheduler_round_trip(benchmark::State& state) {
  auto scheduler = infer::BatchScheduler<TestTask>::create(
                       {},
                       [](std::size_t, std::span<TestTask> batch) {
                         for (const auto& task : batch) task.succeed();
                       },
                       std::make_shared<infer::SteadyClock>())
                       .value();
  for (auto _ : state) {
    TestTask task;
    auto outcome = task.outcome;
    if (!scheduler->enqueue(std::move(task))) state.SkipWithError("refused");
    infer::testing::wait_complete(*outcome);
  }
}
BENCHMARK(scheduler_round_trip)->UseRealTime();

/// As many tasks as fit, from several threads: the throughput of the queue.
void scheduler_throughput(benchmark::State& state) {
  static std::unique_ptr<infer::BatchScheduler<TestTask>> scheduler;
  static const auto outcome = std::make_shared<infer::testing::Outcome>();
  if (state.thread_index() == 0) {
    infer::SchedulerOptions options;
    options.batch.max_queue_size = 1024;
    scheduler = infer::BatchScheduler<TestTask>::create(
                    options, [](std::size_t, std::span<TestTask>) {}, std::make_shared<infer::SteadyClock>())
                    .value();
  }
  std::int64_t accepted = 0;
  for (auto _ : state) {
    TestTask task;
    task.outcome = outcome;
    if (scheduler->enqueue(std::move(task))) ++accepted;
  }
  state.SetItemsProcessed(accepted);
  if (state.thread_index() == 0) scheduler.reset();
}
BENCHMARK(scheduler_throughput)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
