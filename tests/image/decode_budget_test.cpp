#include "infer/image/decode_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace infer {
namespace {

using Lease = DecodeBudget::Lease;

/// CTest's time limit ends a wait that never succeeds.
template <class Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

/// A thread that waits for bytes of a budget and keeps them.
struct Waiter {
  Waiter(DecodeBudget& budget, std::size_t bytes, StopCondition until = {})
      : thread([this, &budget, bytes, until] {
          result = budget.acquire(bytes, until);
          done = true;
        }) {}
  std::optional<Result<Lease>> result;
  std::atomic<bool> done{false};
  std::jthread thread;
};

TEST(DecodeBudget, ALeaseGivesItsBytesBackWhenItEndsAndMovesWithoutACopy) {
  DecodeBudget budget(100);
  {
    Lease first = budget.acquire(60).value();
    EXPECT_EQ(budget.used_bytes(), 60u);
    Lease second = std::move(first);
    EXPECT_EQ(first.bytes(), 0u);  // the moved-from state
    EXPECT_EQ(budget.used_bytes(), 60u);
    second.shrink(25);
    second.shrink(40);
    EXPECT_EQ(second.bytes(), 25u);
    EXPECT_EQ(budget.used_bytes(), 25u);
    second = budget.acquire(70).value();
    EXPECT_EQ(budget.used_bytes(), 70u);
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
  EXPECT_EQ(Lease().bytes(), 0u);
}

TEST(DecodeBudget, WhatCanNeverFitIsRefusedAtOnceWithSizeAndLimit) {
  DecodeBudget budget(100);
  const Lease all = budget.acquire(100).value();
  const auto refused = budget.acquire(101);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().detail, ErrorDetail::kTooLarge);
  EXPECT_EQ(refused.error().message, "101 bytes to decode exceed max_decode_bytes 100");
}

TEST(DecodeBudget, FirstComeIsFirstServedAndASmallImageOvertakesNoLargeOne) {
  DecodeBudget budget(100);
  Lease held = budget.acquire(60).value();
  Waiter large(budget, 80);
  eventually([&] { return budget.waiting() == 1; });
  Waiter small(budget, 10);
  eventually([&] { return budget.waiting() == 2; });
  EXPECT_FALSE(small.done) << "there is room for the small request, but it arrived later";
  held.shrink(25);
  EXPECT_EQ(budget.waiting(), 2u);
  held.shrink(10);
  eventually([&] { return large.done && small.done; });
  EXPECT_EQ(budget.used_bytes(), 100u);
}

TEST(DecodeBudget, AWaiterGivesUpAtItsDeadlineAndThoseBehindItGoOn) {
  DecodeBudget budget(100);
  ManualClock clock;
  const Lease held = budget.acquire(60).value();
  Waiter large(budget, 80, {.deadline = clock.now() + std::chrono::seconds(1), .clock = &clock});
  eventually([&] { return budget.waiting() == 1; });
  Waiter small(budget, 40, {.deadline = kNever, .clock = &clock});
  eventually([&] { return budget.waiting() == 2; });
  clock.advance(std::chrono::seconds(2));
  eventually([&] { return large.done && small.done; });
  EXPECT_EQ(large.result->error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(large.result->error().message,
            "80 bytes to decode were not free before the deadline; other images use max_decode_bytes 100");
  EXPECT_TRUE(*small.result);
}

TEST(DecodeBudget, AWaiterThatIsStoppedGivesUpAtOnce) {
  DecodeBudget budget(100);
  const Lease held = budget.acquire(60).value();
  std::stop_source stop;
  Waiter waiter(budget, 80, {.deadline = kNever, .stop = stop.get_token()});
  eventually([&] { return budget.waiting() == 1; });
  stop.request_stop();
  eventually([&] { return waiter.done.load(); });
  EXPECT_EQ(waiter.result->error().code, ErrorCode::kCancelled);
  EXPECT_EQ(budget.waiting(), 0u);
  EXPECT_EQ(budget.used_bytes(), 60u);
}

TEST(DecodeBudget, ALeaseMayOutliveTheBudget) {
  auto budget = std::make_unique<DecodeBudget>(100);
  Lease lease = budget->acquire(60).value();
  budget.reset();
  EXPECT_EQ(lease.bytes(), 60u);
}

TEST(DecodeBudget, NeverMoreThanTheLimitIsInUseAndEverybodyGetsTheirs) {
  constexpr std::size_t kLimit = 1000;
  DecodeBudget budget(kLimit);
  std::atomic<std::size_t> used{0};
  std::atomic<int> served{0};
  std::atomic<int> stopped{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < 8; ++seed) {
      threads.emplace_back([&, seed] {
        std::mt19937 random(seed);
        for (int round = 0; round < 500; ++round) {
          std::stop_source stop;
          if (random() % 8 == 0) stop.request_stop();
          const std::size_t bytes = random() % kLimit + 1;
          const auto lease = budget.acquire(bytes, {.deadline = kNever, .stop = stop.get_token()});
          if (!lease) {
            ++stopped;
            continue;
          }
          EXPECT_LE(used.fetch_add(bytes) + bytes, kLimit);
          std::this_thread::yield();
          used.fetch_sub(bytes);
          ++served;
        }
      });
    }
  }
  EXPECT_EQ(served + stopped, 8 * 500);
  EXPECT_EQ(budget.used_bytes(), 0u);
  EXPECT_EQ(budget.waiting(), 0u);
}

TEST(DecodeBudget, TheShareOfDecodingIsAQuarterAndEnoughForAPhotographOfAPhone) {
  EXPECT_EQ(decode_share(std::size_t{8} << 30), std::size_t{2} << 30);
  EXPECT_EQ(decode_share(0), std::size_t{96} << 20);
  constexpr std::size_t kPixels = std::size_t{4032} * 3024;
  EXPECT_GT(decode_share(0), kPixels * (3 + 3)) << "RGB, and all coefficients of 4:2:0";
}

}  // namespace
}  // namespace infer
