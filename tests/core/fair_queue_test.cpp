#include "infer/core/fair_queue.h"

#include <gtest/gtest.h>

#include "core/test_task.h"

namespace infer {
namespace {

using testing::TestTask;

BatchOptions limits(std::size_t size, std::size_t bytes = 1 << 20) {
  BatchOptions options;
  options.max_queue_size = size;
  options.max_queue_bytes = bytes;
  return options;
}

std::vector<int> serve_all(FairQueue<TestTask>& queue, std::size_t batch_size) {
  std::vector<int> ids;
  while (!queue.empty()) {
    std::vector<TestTask> batch;
    batch.reserve(batch_size);
    queue.serve(batch_size, batch);
    for (const auto& task : batch) ids.push_back(task.id);
  }
  return ids;
}

TEST(FairQueue, SingleRequestsAreServedInOrderOfArrival) {
  FairQueue<TestTask> queue(limits(8));
  for (int id = 0; id < 5; ++id) queue.push(TestTask(id), TimePoint{});
  EXPECT_EQ(serve_all(queue, 2), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(FairQueue, RequestsOfManySamplesTakeTurns) {
  FairQueue<TestTask> queue(limits(16));
  FairLane first;
  FairLane second;
  for (int i = 0; i < 3; ++i) {
    TestTask task(10 + i);
    task.lane_ = &first;
    queue.push(std::move(task), TimePoint{});
  }
  for (int i = 0; i < 3; ++i) {
    TestTask task(20 + i);
    task.lane_ = &second;
    queue.push(std::move(task), TimePoint{});
  }
  EXPECT_EQ(serve_all(queue, 1), (std::vector<int>{10, 20, 11, 21, 12, 22}));
}

TEST(FairQueue, ALateSingleOvertakesTheRestOfALargeRequest) {
  FairQueue<TestTask> queue(limits(128));
  FairLane large;
  for (int i = 0; i < 64; ++i) {
    TestTask task(i);
    task.lane_ = &large;
    queue.push(std::move(task), TimePoint{});
  }
  std::vector<TestTask> batch;
  batch.reserve(8);
  queue.serve(8, batch);
  queue.push(TestTask(1000), TimePoint{});
  const auto ids = serve_all(queue, 8);
  EXPECT_LE(std::find(ids.begin(), ids.end(), 1000) - ids.begin(), 1);
}

TEST(FairQueue, ServesOneKeyAndLeavesTheOthersInPlace) {
  FairQueue<TestTask> queue(limits(8));
  for (int id = 0; id < 6; ++id) {
    TestTask task(id);
    task.key_ = static_cast<std::uint64_t>(id % 2);
    queue.push(std::move(task), TimePoint{});
  }
  EXPECT_EQ(serve_all(queue, 8), (std::vector<int>{0, 2, 4, 1, 3, 5}));
}

TEST(FairQueue, IsBoundedInCountAndBytes) {
  FairQueue<TestTask> by_count(limits(2));
  by_count.push(TestTask(0), TimePoint{});
  EXPECT_TRUE(by_count.admissible(TestTask(1)));
  by_count.push(TestTask(1), TimePoint{});
  const auto full = by_count.admissible(TestTask(2));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kOverloaded);

  FairQueue<TestTask> by_bytes(limits(8, 100));
  TestTask big(0);
  big.bytes_ = 60;
  by_bytes.push(TestTask(big), TimePoint{});
  ASSERT_FALSE(by_bytes.admissible(big));
  EXPECT_EQ(by_bytes.admissible(big).error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(by_bytes.remove(0).id, 0);
  EXPECT_EQ(by_bytes.bytes(), 0u);
  EXPECT_TRUE(by_bytes.admissible(big));
}

TEST(FairQueue, WhatCanNeverFitIsAnInvalidArgument) {
  BatchOptions options = limits(8, 100);
  options.max_batch_cost = 50;
  FairQueue<TestTask> queue(options);
  TestTask task(0);
  task.cost_ = 51;
  auto result = queue.admissible(task);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().message, "cost: 51 exceeds max_batch_cost 50");
  task.cost_ = 1;
  task.bytes_ = 101;
  EXPECT_EQ(queue.admissible(task).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace infer
