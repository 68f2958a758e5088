#include "infer/core/batch_policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace infer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const TimePoint kStart{std::chrono::hours(1)};

std::vector<QueueItem> items(std::size_t count, TimePoint enqueued = kStart) {
  return std::vector<QueueItem>(count, QueueItem{enqueued, 1, 0});
}

Decision decide(const BatchOptions& options, const std::vector<QueueItem>& queue, std::size_t idle = 1,
                TimePoint now = kStart, bool draining = false) {
  return BatchPolicy(options).decide(QueueView<>{queue, idle, draining}, now);
}

std::size_t dispatched(const Decision& decision) {
  const auto* dispatch = std::get_if<Dispatch>(&decision);
  return dispatch == nullptr ? 0 : dispatch->count;
}

TEST(BatchPolicy, EmptyQueueWaitsForever) {
  EXPECT_TRUE(std::holds_alternative<WaitForever>(decide({}, {})));
}

TEST(BatchPolicy, WithoutLingerASingleSampleGoesAtOnce) { EXPECT_EQ(dispatched(decide({}, items(1))), 1u); }

TEST(BatchPolicy, NeverExceedsMaxBatchSize) {
  BatchOptions options;
  options.max_batch_size = 4;
  EXPECT_EQ(dispatched(decide(options, items(9))), 4u);
}

TEST(BatchPolicy, IdleWorkersShareTheQueue) {
  EXPECT_EQ(dispatched(decide({}, items(4), 2)), 2u);
  EXPECT_EQ(dispatched(decide({}, items(5), 2)), 3u);
  EXPECT_EQ(dispatched(decide({}, items(4), 1)), 4u);
}

TEST(BatchPolicy, RoundsDownToAnAllowedSize) {
  BatchOptions options;
  options.allowed_batch_sizes = {1, 2, 4, 8};
  for (const auto& [queued, expected] :
       {std::pair{1u, 1u}, {2u, 2u}, {3u, 2u}, {5u, 4u}, {7u, 4u}, {8u, 8u}, {20u, 8u}}) {
    EXPECT_EQ(dispatched(decide(options, items(queued))), expected) << queued;
  }
}

TEST(BatchPolicy, LingerIsAnchoredToTheOldestSample) {
  BatchOptions options;
  options.max_queue_delay = microseconds(1000);
  auto queue = items(2, kStart + microseconds(600));
  queue.push_back({kStart, 1, 0});  // the oldest sample need not be first
  const Decision early = decide(options, queue, 1, kStart + microseconds(700));
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(early));
  EXPECT_EQ(std::get<WaitUntil>(early).time, kStart + microseconds(1000));
  EXPECT_EQ(dispatched(decide(options, queue, 1, kStart + microseconds(1000))), 3u);
}

TEST(BatchPolicy, AFullBatchDoesNotLinger) {
  BatchOptions options;
  options.max_batch_size = 4;
  options.max_queue_delay = milliseconds(10);
  EXPECT_EQ(dispatched(decide(options, items(4))), 4u);
}

TEST(BatchPolicy, ABatchOfTheLargestAllowedSizeDoesNotLinger) {
  BatchOptions options;
  options.allowed_batch_sizes = {1, 2, 4};  // of up to eight samples
  options.max_queue_delay = milliseconds(10);
  EXPECT_EQ(dispatched(decide(options, items(4))), 4u);
  EXPECT_EQ(dispatched(decide(options, items(6))), 4u);
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(decide(options, items(3))));
}

TEST(BatchPolicy, NeitherDoSamplesBeforeAFullBatchOfAnotherKey) {
  BatchOptions options;
  options.max_batch_size = 4;
  options.max_queue_delay = milliseconds(10);
  auto queue = items(5);
  queue[0].key = 7;
  EXPECT_EQ(dispatched(decide(options, queue)), 1u);
  queue[4].key = 7;
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(decide(options, queue)))
      << "the queue has three samples of one kind and two of another";
  options.max_batch_cost = 3;
  EXPECT_EQ(dispatched(decide(options, queue)), 2u) << "three samples use up the budget";
  auto many = items(100);  // each with its own key: limited work, and no full batch
  for (std::size_t i = 0; i < many.size(); ++i) many[i].key = i;
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(decide(options, many)));
}

TEST(BatchPolicy, DrainingDoesNotLinger) {
  BatchOptions options;
  options.max_queue_delay = milliseconds(10);
  EXPECT_EQ(dispatched(decide(options, items(1), 1, kStart, true)), 1u);
}

TEST(BatchPolicy, StopsAtTheCostBudget) {
  BatchOptions options;
  options.max_batch_cost = 100;
  auto queue = items(3);
  queue[0].cost = 60;
  queue[1].cost = 30;
  queue[2].cost = 20;
  EXPECT_EQ(dispatched(decide(options, queue)), 2u);
}

TEST(BatchPolicy, ABatchHoldsOneKeyOnly) {
  auto queue = items(4);
  queue[1].key = 7;
  queue[3].key = 7;
  EXPECT_EQ(dispatched(decide({}, queue)), 2u);
}

TEST(BatchPolicy, InvalidOptionsNameFieldValueAndLimit) {
  BatchOptions options;
  options.allowed_batch_sizes = {1, 16};
  const auto result = validate(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().message, "allowed_batch_sizes: 16 exceeds max_batch_size 8");
  options.allowed_batch_sizes = {2, 4};
  EXPECT_FALSE(validate(options));
  options.allowed_batch_sizes = {1, 4, 2};
  EXPECT_FALSE(validate(options));
  options = {};
  options.max_batch_size = 0;
  EXPECT_FALSE(validate(options));
  options = {};
  options.max_queue_size = 0;
  EXPECT_FALSE(validate(options));
}

}  // namespace
}  // namespace infer
