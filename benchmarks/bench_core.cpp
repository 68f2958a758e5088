// Measures the cost of batching (the policy's decision and a task's way through the scheduler) and its
// fairness.

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

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
                       [](std::size_t, std::span<const TestTask> batch) {
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
    scheduler =
        infer::BatchScheduler<TestTask>::create(
            options, [](std::size_t, std::span<const TestTask>) {}, std::make_shared<infer::SteadyClock>())
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

/// Sends a request of n samples beside 60 clients that each send single samples continuously. The counter
/// `in_singles` is the request's time divided by that of a single sample. A fair value is at most n plus
/// one round.
void request_among_singles(benchmark::State& state) {
  constexpr int kClients = 60;
  constexpr int kOfRequest = kClients;
  using infer::Duration;
  infer::SchedulerOptions options;
  options.batch.max_queue_size = 256;
  std::unique_ptr<infer::BatchScheduler<TestTask>> scheduler;
  std::array<infer::TimePoint, kClients> asked;
  Duration singles{};
  std::int64_t answers = 0;
  std::atomic<bool> stop{false};
  const auto ask = [&](int client) {
    asked[static_cast<std::size_t>(client)] = std::chrono::steady_clock::now();
    if (!scheduler->enqueue(TestTask(client))) std::abort();
  };
  scheduler = infer::BatchScheduler<TestTask>::create(
                  options,
                  [&](std::size_t, std::span<const TestTask> batch) {
                    std::this_thread::sleep_for(std::chrono::microseconds(200 + 100 * batch.size()));
                    for (const auto& task : batch) {
                      task.succeed();
                      if (task.id == kOfRequest) continue;
                      singles += std::chrono::steady_clock::now() - asked[static_cast<std::size_t>(task.id)];
                      ++answers;
                      if (!stop) ask(task.id);
                    }
                  },
                  std::make_shared<infer::SteadyClock>())
                  .value();
  for (int client = 0; client < kClients; ++client) ask(client);
  Duration requests{};
  for (auto _ : state) {
    infer::FairLane lane;
    std::vector<std::shared_ptr<infer::testing::Outcome>> outcomes;
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t sample = 0; sample < state.range(0); ++sample) {
      TestTask task(kOfRequest);
      task.lane_ = &lane;
      outcomes.push_back(task.outcome);
      if (!scheduler->enqueue(std::move(task))) std::abort();
    }
    for (const auto& outcome : outcomes) infer::testing::wait_complete(*outcome);
    requests += std::chrono::steady_clock::now() - start;
  }
  stop = true;
  scheduler->drain(infer::kNever);
  const double single = static_cast<double>(singles.count()) / static_cast<double>(answers);
  state.counters["in_singles"] =
      static_cast<double>(requests.count()) / static_cast<double>(state.iterations()) / single;
}
BENCHMARK(request_among_singles)->Arg(1)->Arg(2)->Arg(8)->Arg(64)->Iterations(20)->UseRealTime();

}  // namespace
