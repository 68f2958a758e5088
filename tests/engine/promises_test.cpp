// Tests of the eleven promises of the engine.

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

#include "engine_fixture.h"
#include "infer/tasks/image_embedder.h"

namespace infer {
namespace {

using std::chrono::milliseconds;
using testing::ForwardGate;
using testing::scripted_engine;
using testing::ScriptedOptions;
using testing::vector_sample;

/// Counts completions and keeps the last code (0: success, else 1 + code).
struct Outcome {
  std::atomic<int> count{0};
  std::atomic<int> code{-1};
  ResponseCallback callback() {
    return [this](Result<Response>&& result) {
      code = result ? 0 : 1 + static_cast<int>(result.error().code);
      ++count;
      count.notify_all();
    };
  }
  void wait() const { count.wait(0); }
  bool failed_with(ErrorCode wanted) const { return code == 1 + static_cast<int>(wanted); }
};

SubmitOptions with(Outcome& outcome) {
  SubmitOptions options;
  options.callback = outcome.callback();
  return options;
}

TEST(Promise1ExactlyOnce, EveryWayToEndCompletesOnce) {
  // A value, a model error, a throw, a throw of something that is not an exception, a wrong shape,
  // bad_alloc.
  std::atomic<int> mode{0};
  ScriptedOptions script;
  script.before = [&](std::span<const Tensor>) -> Result<void> {
    switch (mode.load()) {
      case 1:
        return fail(ErrorCode::kModelError, "no");
      case 2:
        throw std::runtime_error("boom");
      case 3:
        throw 42;  // NOLINT(misc-throw-by-value-catch-by-reference)
      case 4:
        throw std::bad_alloc();
      default:
        return {};
    }
  };
  std::atomic<int> logged{0};
  EngineOptions engine_options;
  engine_options.log = [&](LogLevel, std::string_view event, std::string_view) {
    logged += event == "batch_failed" ? 1 : 0;
  };
  Engine engine = scripted_engine(script, engine_options);
  const int expected[] = {
      0, 1 + static_cast<int>(ErrorCode::kModelError), 1 + static_cast<int>(ErrorCode::kModelError),
      1 + static_cast<int>(ErrorCode::kModelError), 1 + static_cast<int>(ErrorCode::kOutOfMemory)};
  for (mode = 0; mode < 5; ++mode) {
    Outcome outcome;
    ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcome)));
    outcome.wait();
    EXPECT_EQ(outcome.code, expected[mode]) << mode;
    EXPECT_EQ(outcome.count, 1);
  }
  EXPECT_EQ(logged, 4) << "the log hook receives each failure";
}

TEST(Promise1ExactlyOnce, DestroyingTheEngineAnswersWhatIsQueuedAndWhatRuns) {
  const auto gate = std::make_shared<ForwardGate>();  // shared with the worker, which is left behind
  Outcome running;
  Outcome queued;
  {
    ScriptedOptions script;
    script.before = [gate, hook = gate->hook()](std::span<const Tensor> inputs) { return hook(inputs); };
    EngineOptions options;
    options.shutdown_timeout = milliseconds(10);
    Engine engine = scripted_engine(script, options);
    ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(running)));
    gate->wait_entered();
    ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(queued)));
  }
  EXPECT_TRUE(running.failed_with(ErrorCode::kUnavailable));
  EXPECT_TRUE(queued.failed_with(ErrorCode::kUnavailable));
  gate->let_go(8);
  EXPECT_EQ(running.count, 1);
  EXPECT_EQ(queued.count, 1);
}

TEST(Promise1ExactlyOnce, UnderStressEveryAcceptedSampleIsAnsweredOnce) {
  std::atomic<int> turn{0};
  ScriptedOptions script;
  script.before = [&](std::span<const Tensor>) -> Result<void> {
    if (turn++ % 5 == 0) throw std::runtime_error("boom");
    return {};
  };
  EngineOptions options;
  options.threads.workers = 3;
  constexpr int kThreads = 6;
  constexpr int kSamples = 500;
  std::atomic<int> accepted{0};
  std::atomic<int> answered{0};
  {
    Engine engine = scripted_engine(script, options);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kSamples; ++i) {
          SubmitOptions submit;
          submit.callback = [&](Result<Response>&&) { ++answered; };
          if (i % 7 == 0) submit.deadline = engine.clock().now() + std::chrono::microseconds(t * 50);
          if (engine.submit(vector_sample({1, 2, 3, 4}), submit)) ++accepted;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    engine.drain(milliseconds(10000));
  }
  EXPECT_EQ(accepted, answered);
  EXPECT_GT(accepted, 0);
}

TEST(Promise2SubmitNeverBlocks, ARefusedSampleIsStillTheCallers) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  EngineOptions options;
  options.batch.max_queue_size = 1;
  Engine engine = scripted_engine(script, options);
  Outcome outcomes[2];
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[0])));
  gate.wait_entered();
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[1])));
  Sample sample = vector_sample({5, 6, 7, 8});
  auto refused = engine.submit(std::move(sample));  // returns although the only worker is blocked
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  ASSERT_EQ(sample.size(), 1u);  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(sample[0].as<float>()[3], 8.0F);
  EXPECT_EQ(engine.stats().inflight, 2u) << "a refused request releases its place";
  gate.let_go(2);
}

TEST(Promise2SubmitNeverBlocks, AnInstantForwardRunsOnTheThreadThatWaitsAndOnNoOther) {
  Engine engine = scripted_engine({});
  ASSERT_TRUE(engine.model().backend->is_instant());
  const std::uint64_t wakeups = engine.stats().scheduler.worker_wakeups;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine.infer(vector_sample({1, 2, 3, 4})));
  EXPECT_EQ(engine.stats().scheduler.worker_wakeups, wakeups);
  EXPECT_EQ(engine.stats().scheduler.executed, 100u);
}

TEST(Promise3Deadlines, AnExpiredRequestIsAnsweredWhenItExpiresAndCostsNoForward) {
  auto clock = std::make_shared<ManualClock>();
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  EngineOptions options;
  options.clock = clock;
  Engine engine = scripted_engine(script, options);
  Outcome first;
  Outcome late;
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(first)));
  gate.wait_entered();
  SubmitOptions submit = with(late);
  submit.deadline = clock->now() + milliseconds(100);
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), submit));
  clock->advance(milliseconds(100));
  late.wait();  // the worker is still blocked
  EXPECT_TRUE(late.failed_with(ErrorCode::kDeadlineExceeded));
  gate.let_go(1);
  first.wait();
  EXPECT_TRUE(engine.drain(milliseconds(1000)).in_time);
  EXPECT_EQ(gate.sizes(), std::vector<std::size_t>{1});
}

TEST(Promise3Deadlines, APassedDeadlineIsRefusedAtSubmit) {
  Engine engine = scripted_engine({});
  SubmitOptions options;
  options.deadline = engine.clock().now();
  const auto refused = engine.submit(vector_sample({1, 2, 3, 4}), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDeadlineExceeded);
}

TEST(Promise4Cancelling, AStoppedRequestCostsNoForward) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  Outcome first;
  Outcome gone;
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(first)));
  gate.wait_entered();
  std::stop_source source;
  SubmitOptions submit = with(gone);
  submit.stop = source.get_token();
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), submit));
  source.request_stop();
  gate.let_go(1);
  gone.wait();
  EXPECT_TRUE(gone.failed_with(ErrorCode::kCancelled));
  EXPECT_EQ(gate.sizes(), std::vector<std::size_t>{1});
}

TEST(Promise5WorkConserving, AnIdleWorkerTakesOneSampleAtOnceAndBatchesGrowWhileBusy) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  Outcome outcomes[6];
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[0])));
  gate.wait_entered();
  for (int i = 1; i < 6; ++i) ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[i])));
  gate.let_go(10);
  for (auto& outcome : outcomes) outcome.wait();
  // 1 runs, then 5 are queued: 4 as the largest allowed size, then 1.
  EXPECT_TRUE(engine.drain(milliseconds(1000)).in_time);
  EXPECT_EQ(gate.sizes(), (std::vector<std::size_t>{1, 4, 1}));
}

TEST(Promise6OneBadRequest, DoesNotFailItsBatch) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  script.poison = 666.0F;
  Engine engine = scripted_engine(script);
  Outcome outcomes[5];
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[0])));
  gate.wait_entered();
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(engine.submit(vector_sample({i == 2 ? 666.0F : 1.0F, 2, 3, 4}), with(outcomes[i])));
  }
  gate.let_go(100);
  for (auto& outcome : outcomes) outcome.wait();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(outcomes[i].code, i == 2 ? 1 + static_cast<int>(ErrorCode::kModelError) : 0) << i;
  }
  EXPECT_EQ(engine.stats().batch_reruns, 1u);
}

TEST(Promise6OneBadRequest, TheTimesOfASampleThatRanAgainAreItsOwn) {
  auto clock = std::make_shared<ManualClock>();
  ForwardGate gate;
  ScriptedOptions script;
  script.poison = 666.0F;
  script.before = [&, hook = gate.hook()](std::span<const Tensor> inputs) -> Result<void> {
    const auto result = hook(inputs);
    clock->advance(milliseconds(10));
    return result;
  };
  EngineOptions options;
  options.clock = clock;
  Engine engine = scripted_engine(script, options);
  std::vector<Pending> pending;
  pending.push_back(engine.submit(vector_sample({1, 2, 3, 4})).value());
  gate.wait_entered();
  for (const float first : {1.0F, 666.0F, 1.0F, 1.0F})
    pending.push_back(engine.submit(vector_sample({first, 2, 3, 4})).value());
  gate.let_go(100);
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const auto response = pending[i].get();
    ASSERT_EQ(response.has_value(), i != 2);
    if (!response) continue;
    EXPECT_EQ(response->timings.compute, milliseconds(10)) << i;
    EXPECT_EQ(response->timings.forward, milliseconds(10)) << i;
    EXPECT_EQ(response->timings.queue, milliseconds(i == 0 ? 0 : 10 + 10 + 10 * (i - 1))) << i;
  }
}

TEST(Promise6OneBadRequest, APoisonClientCannotDoubleTheLoad) {
  auto clock = std::make_shared<ManualClock>();
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  script.poison = 666.0F;
  EngineOptions options;
  options.clock = clock;
  Engine engine = scripted_engine(script, options);
  // Blocks one forward while a batch of two forms. Returns the code of the valid sample of the two.
  const auto poisoned_batch = [&](int forwards) {
    Outcome outcomes[3];
    EXPECT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[0])));
    gate.wait_entered();
    for (int i = 1; i < 3; ++i) {
      EXPECT_TRUE(engine.submit(vector_sample({i == 1 ? 666.0F : 1.0F, 2, 3, 4}), with(outcomes[i])));
    }
    gate.let_go(forwards);
    for (auto& outcome : outcomes) outcome.wait();
    for (int i = 1; i < forwards; ++i) gate.wait_entered();
    return outcomes[2].code.load();
  };
  EXPECT_EQ(poisoned_batch(4), 0) << "the valid sample runs again, alone";
  EXPECT_EQ(engine.stats().batch_reruns, 1u);
  EXPECT_EQ(poisoned_batch(2), 1 + static_cast<int>(ErrorCode::kModelError))
      << "there is at most one rerun a second";
  EXPECT_EQ(engine.stats().batch_reruns, 1u);
  clock->advance(std::chrono::seconds(1));
  EXPECT_EQ(poisoned_batch(4), 0);
  EXPECT_EQ(engine.stats().batch_reruns, 2u);
}

TEST(Promise6OneBadRequest, InputsAreCheckedAgainstTheSignatureAtSubmit) {
  Engine engine = scripted_engine({});
  auto wrong_shape = engine.submit(vector_sample({1, 2, 3}));
  ASSERT_FALSE(wrong_shape);
  EXPECT_EQ(wrong_shape.error().message, "x: shape [3], the model takes [4]");
  Sample wrong_dtype{Tensor::allocate(DType::kUint8, Shape{4}).value()};
  EXPECT_EQ(engine.submit(std::move(wrong_dtype)).error().message, "x: dtype UINT8, the model takes FP32");
  EXPECT_EQ(engine.submit(Sample{}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(engine.stats().inflight, 0u);
}

TEST(Promise7BatchIndependence, EachSampleGetsItsOwnRowWhoeverSharedTheBatch) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  std::vector<Pending> pending;
  pending.push_back(engine.submit(vector_sample({0, 0, 0, 0})).value());
  gate.wait_entered();
  for (int i = 1; i <= 8; ++i) {
    const auto base = static_cast<float>(i * 10);
    pending.push_back(engine.submit(vector_sample({base, base + 1, base + 2, base + 3})).value());
  }
  gate.let_go(10);
  for (int i = 0; i <= 8; ++i) {
    auto response = pending[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->batch_size, i == 0 ? 1u : 8u);
    for (int j = 0; j < 4; ++j) {
      EXPECT_EQ(response->outputs[0].as<float>()[static_cast<std::size_t>(j)],
                i == 0 ? 0.0F : static_cast<float>(i * 10 + j));
    }
  }
}

TEST(Promise8Bounded, InFlightRequestsAreBounded) {
  EngineOptions options;
  options.max_inflight = 2;
  Engine engine = scripted_engine({}, options);
  auto first = engine.try_admit();
  auto second = engine.try_admit();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  auto third = engine.try_admit();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(third.error().message, "requests in flight: max_inflight 2 reached");
  first->release();
  EXPECT_TRUE(engine.try_admit());
  EXPECT_GE(engine.retry_after_seconds(), 1);
}

TEST(Promise8Bounded, WhatCanNeverFitIsRefusedAtSubmit) {
  EngineOptions options;
  options.batch.max_queue_bytes = 8;
  Engine engine = scripted_engine({}, options);
  const auto refused = engine.submit(vector_sample({1, 2, 3, 4}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().message, "sample bytes: 16 exceeds max_queue_bytes 8");
}

TEST(Promise8Bounded, WhatWouldNotBeginInTimeIsRefusedAndARequestUnderWayIsNot) {
  auto clock = std::make_shared<ManualClock>();
  ForwardGate gate;
  ScriptedOptions script;
  script.before = [&, hook = gate.hook()](std::span<const Tensor> inputs) -> Result<void> {
    clock->advance(milliseconds(100));
    return hook(inputs);
  };
  EngineOptions options;
  options.clock = clock;
  options.max_wait = milliseconds(500);
  options.batch.max_batch_size = 1;
  options.batch.allowed_batch_sizes = {1};
  Engine engine = scripted_engine(script, options);
  Outcome outcomes[4];
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[0])));
  gate.let_go(1);
  outcomes[0].wait();
  gate.wait_entered();
  while (engine.stats().scheduler.busy_workers > 0) std::this_thread::yield();
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[1])));
  gate.wait_entered();
  const Permit under_way = engine.try_admit().value();
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[2]), under_way));
  std::vector<Pending> taken;
  while (taken.size() < 60) {
    auto pending = engine.submit(vector_sample({1, 2, 3, 4}));
    if (!pending) {
      EXPECT_EQ(pending.error().code, ErrorCode::kOverloaded);
      EXPECT_EQ(pending.error().message, "expected wait: 600 ms exceeds max_wait 500 ms; try again later");
      break;
    }
    taken.push_back(*std::move(pending));
  }
  EXPECT_EQ(taken.size(), 5u)
      << "one request waits for the running forward, five more for up to 500 ms after it";
  EXPECT_EQ(engine.try_admit().error().code, ErrorCode::kOverloaded)
      << "the request is refused before any work";
  EXPECT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcomes[3]), under_way));
  gate.let_go(100);
  EXPECT_TRUE(engine.drain(milliseconds(10'000)).in_time);
}

TEST(Promise9Drain, FinishesTheQueueRefusesTheNewAndReports) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  Outcome outcomes[3];
  for (auto& outcome : outcomes) ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcome)));
  gate.wait_entered();
  gate.let_go(10);
  const DrainReport report = engine.drain(milliseconds(10000));
  EXPECT_TRUE(report.in_time);
  EXPECT_EQ(report.failed, 0u);
  for (auto& outcome : outcomes) EXPECT_EQ(outcome.code, 0);
  EXPECT_FALSE(engine.ready());
  EXPECT_EQ(engine.submit(vector_sample({1, 2, 3, 4})).error().code, ErrorCode::kUnavailable);
}

TEST(Promise9Drain, AtTheTimeoutTheRestFailsAsUnavailable) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  Outcome running;
  Outcome queued;
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(running)));
  gate.wait_entered();
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(queued)));
  const DrainReport report = engine.drain(milliseconds(1));
  EXPECT_FALSE(report.in_time);
  EXPECT_EQ(report.failed, 2u);
  EXPECT_TRUE(running.failed_with(ErrorCode::kUnavailable));
  EXPECT_TRUE(queued.failed_with(ErrorCode::kUnavailable));
  gate.let_go(10);
}

TEST(Promise9Drain, ABatchIsNotFreedWhileItsSamplesAreFailed) {
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  Engine engine = scripted_engine(script);
  Outcome first;
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(first)));
  gate.wait_entered();
  // A batch of two: while the drain answers one task, the forward ends, and the worker finishes the batch.
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> other = alive;
  bool freed = false;
  std::atomic<int> answers{0};
  SubmitOptions two[2];
  two[0].callback = [&](Result<Response>&&) {
    gate.let_go(1);
    // Real time, because an event that must not happen cannot be waited for.
    for (int i = 0; i < 50 && !other.expired(); ++i) std::this_thread::sleep_for(milliseconds(1));
    freed = other.expired();
    ++answers;
  };
  two[1].callback = [&answers, alive](Result<Response>&&) { ++answers; };
  alive.reset();
  for (auto& options : two) ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), std::move(options)));
  gate.let_go(1);
  gate.wait_entered();
  first.wait();
  EXPECT_EQ(engine.drain(milliseconds(0)).failed, 2u);
  EXPECT_FALSE(freed);
  EXPECT_EQ(answers, 2);
}

/// Drains exactly while batches of several requests begin. ThreadSanitizer finds the errors that this test
/// is for.
TEST(Promise9Drain, AtAnyMomentOfABatchAnswersEachSampleOnce) {
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> answered{0};
    int accepted = 0;
    {
      EngineOptions options;
      options.shutdown_timeout = milliseconds(round % 2 == 0 ? 0 : 1000);
      Engine engine = scripted_engine({}, options);
      std::vector<Permit> requests;
      for (int i = 0; i < 3; ++i) requests.push_back(engine.try_admit().value());
      for (std::size_t i = 0; i < 12; ++i) {
        SubmitOptions submit;
        submit.callback = [&answered](Result<Response>&&) {
          ++answered;
          answered.notify_all();
        };
        if (i % 5 == 0) submit.deadline = engine.clock().now() + std::chrono::microseconds(round % 50);
        accepted += engine.submit(vector_sample({1, 2, 3, 4}), std::move(submit), requests[i % 3]) ? 1 : 0;
      }
      requests.clear();
      if (round % 3 != 0) engine.drain(milliseconds(0));
    }
    for (int now = answered; now < accepted; now = answered) answered.wait(now);
    ASSERT_EQ(answered, accepted) << round;
  }
}

TEST(Promise10GoodGuest, PrintsNothingSetsNoSignalHandlerAndLeavesNoThread) {
  const auto threads = [] {
    int count = 0;
    DIR* tasks = opendir("/proc/self/task");
    while (readdir(tasks) != nullptr) ++count;
    closedir(tasks);
    return count;
  };
  { Engine first = scripted_engine({}); }  // a sanitizer starts its own thread with the first engine
  struct sigaction before[32] = {};
  for (int signal = 1; signal < 32; ++signal) sigaction(signal, nullptr, &before[signal]);
  const int threads_before = threads();
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    Engine engine = scripted_engine({});
    EXPECT_TRUE(engine.infer(vector_sample({1, 2, 3, 4})));
    EXPECT_FALSE(engine.infer(vector_sample({1})));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction after = {};
    sigaction(signal, nullptr, &after);
    EXPECT_EQ(after.sa_handler, before[signal].sa_handler) << signal;
  }
  // A joined thread leaves /proc a moment later. CTest's time limit ends a wait that never succeeds.
  while (threads() != threads_before) std::this_thread::yield();
}

TEST(Promise11Fairness, AManySampleRequestCannotStarveASingleOne) {
  ForwardGate gate;
  std::vector<float> served;
  ScriptedOptions script;
  script.before = [&, hook = gate.hook()](std::span<const Tensor> inputs) -> Result<void> {
    for (std::int64_t i = 0; i < inputs[0].shape()[0]; ++i) {
      served.push_back(inputs[0].row(static_cast<std::size_t>(i)).as<float>()[0]);
    }
    return hook(inputs);
  };
  EngineOptions options;
  options.batch.max_batch_size = 4;
  options.batch.allowed_batch_sizes = {1, 2, 4};
  options.batch.max_queue_size = 128;
  Engine engine = scripted_engine(script, options);
  const Permit large = engine.try_admit().value();
  Outcome outcomes[64];
  for (auto& outcome : outcomes)
    ASSERT_TRUE(engine.submit(vector_sample({1, 0, 0, 0}), with(outcome), large));
  gate.wait_entered();
  EXPECT_EQ(engine.stats().inflight, 1u) << "64 samples under one permit are one request";
  Outcome single;
  ASSERT_TRUE(engine.submit(vector_sample({2, 0, 0, 0}), with(single)));
  gate.let_go(100);
  single.wait();
  for (auto& outcome : outcomes) outcome.wait();
  const auto position = std::find(served.begin(), served.end(), 2.0F) - served.begin();
  EXPECT_LE(position, 8) << "at most the running batch and a share of the next batch run first";
}

TEST(Promise11Fairness, SinglesThatKeepComingCannotStarveARequestOfTwo) {
  // Each answer to a single sample triggers the next, like clients that send continuously.
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  EngineOptions options;
  options.batch.max_batch_size = 2;
  options.batch.allowed_batch_sizes = {1, 2};
  Engine engine = scripted_engine(script, options);
  std::atomic<int> singles{0};
  std::function<void()> ask = [&] {
    SubmitOptions submit;
    submit.callback = [&](Result<Response>&&) {
      if (++singles < 200) ask();
    };
    ASSERT_TRUE(engine.submit(vector_sample({1, 0, 0, 0}), std::move(submit)));
  };
  for (int i = 0; i < 20; ++i) ask();
  gate.wait_entered();
  std::atomic<int> overtook{-1};
  std::atomic<int> open{2};
  {
    const Permit two = engine.try_admit().value();
    for (int i = 0; i < 2; ++i) {
      SubmitOptions submit;
      submit.callback = [&](Result<Response>&&) {
        if (--open == 0) overtook = singles.load();
      };
      ASSERT_TRUE(engine.submit(vector_sample({2, 0, 0, 0}), std::move(submit), two));
    }
  }
  gate.let_go(1000);
  while (singles < 200 || open > 0) std::this_thread::yield();
  EXPECT_TRUE(engine.drain(milliseconds(60'000)).in_time);
  EXPECT_LE(overtook, 3 * 20 + 2) << "two rounds of the queue, and the rest of one";
}

TEST(EngineLife, LiveUnlessOneForwardIsStuck) {
  auto clock = std::make_shared<ManualClock>();
  ForwardGate gate;
  ScriptedOptions script;
  script.before = gate.hook();
  EngineOptions options;
  options.clock = clock;
  Engine engine = scripted_engine(script, options);
  Outcome outcome;
  ASSERT_TRUE(engine.submit(vector_sample({1, 2, 3, 4}), with(outcome)));
  gate.wait_entered();
  clock->advance(std::chrono::seconds(30));
  EXPECT_TRUE(engine.live());
  clock->advance(std::chrono::seconds(1));
  EXPECT_FALSE(engine.live());
  gate.let_go(1);
  outcome.wait();
  EXPECT_TRUE(engine.drain(milliseconds(1000)).in_time);
  EXPECT_TRUE(engine.live());
}

TEST(EngineLife, WarmUpRunsTheAllowedSizesAndAFailingModelIsAnError) {
  ScriptedOptions script;
  script.signature = testing::vector_signature();
  std::mutex mutex;
  std::vector<std::size_t> sizes;
  script.before = [&](std::span<const Tensor> inputs) -> Result<void> {
    std::unique_lock lock(mutex);
    sizes.push_back(static_cast<std::size_t>(inputs[0].shape()[0]));
    return {};
  };
  auto engine = Engine::create(make_model("m", testing::make_scripted_backend(script).value()), {}).value();
  EXPECT_EQ(sizes.front(), 8u) << "largest first";
  EXPECT_EQ(std::set<std::size_t>(sizes.begin(), sizes.end()), (std::set<std::size_t>{1, 2, 4, 8}));
  EXPECT_EQ(engine.stats().warmup_runs, sizes.size());

  script.before = [](std::span<const Tensor>) -> Result<void> { throw std::runtime_error("broken model"); };
  auto broken = Engine::create(make_model("m", testing::make_scripted_backend(script).value()), {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kModelError);
  EXPECT_EQ(broken.error().message, "warm-up with a batch of 8: broken model");
}

TEST(EngineLife, AWorkerThatThrowsAnythingWhileItStartsIsAnErrorOfCreate) {
  class ThrowingBackend final : public Backend {
   public:
    explicit ThrowingBackend(int how) : how_(how) {}
    const ModelSignature& signature() const noexcept override { return signature_; }
    Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
      return std::vector<Tensor>(inputs.begin(), inputs.end());
    }
    void bind_worker_thread() const override {
      if (how_ == 0) throw 42;  // NOLINT(misc-throw-by-value-catch-by-reference)
      if (how_ == 1) throw std::bad_alloc();
      throw std::runtime_error("no such device, said in words too long for a string that allocates nothing");
    }

   private:
    const int how_;
    const ModelSignature signature_ = testing::vector_signature();
  };
  for (int how = 0; how < 3; ++how) {
    const auto engine = Engine::create(make_model("m", std::make_shared<ThrowingBackend>(how)), {});
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, how == 1 ? ErrorCode::kOutOfMemory : ErrorCode::kModelError) << how;
  }
}

TEST(EngineMetricsTest, NamesAreThereFromTheStartAndCountWhatHappens) {
  auto metrics = std::make_shared<MetricsRegistry>();
  EngineOptions options;
  options.metrics = metrics;
  Engine engine = scripted_engine({}, options);
  EXPECT_NE(metrics->render().find("infer_queue_depth{model=\"scripted\"} 0\n"), std::string::npos);
  ASSERT_TRUE(engine.infer(vector_sample({1, 2, 3, 4})));
  ASSERT_FALSE(engine.infer(vector_sample({1})));
  const std::string text = metrics->render();
  EXPECT_NE(text.find("infer_requests_total{model=\"scripted\",code=\"OK\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("infer_requests_total{model=\"scripted\",code=\"InvalidArgument\"} 1\n"),
            std::string::npos);
  for (const char* name :
       {"infer_inflight{", "infer_batch_size_bucket{", "infer_prepare_seconds_bucket{",
        "infer_queue_seconds_bucket{", "infer_compute_seconds_bucket{", "infer_request_seconds_bucket{"}) {
    EXPECT_NE(text.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace infer
