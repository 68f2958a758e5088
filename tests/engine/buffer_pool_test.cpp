#include "infer/engine/buffer_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "support/allocation_failure.h"

namespace infer {
namespace {

constexpr std::size_t kSize = std::size_t{1} << 20;

/// Whether the pool keeps buffers. With a sanitizer it frees each buffer, so that misuse is found.
#ifdef INFER_SANITIZED
#define INFER_SKIP_WHERE_NOTHING_IS_KEPT() GTEST_SKIP() << "the pool keeps no buffers under a sanitizer"
#else
#define INFER_SKIP_WHERE_NOTHING_IS_KEPT()
#endif

TEST(BufferPool, WhatWasGivenBackServesTheNext) {
  INFER_SKIP_WHERE_NOTHING_IS_KEPT();
  const BufferPool pool;
  void* first = pool.take(kSize).get();
  EXPECT_EQ(pool.take(kSize).get(), first);
  EXPECT_EQ(pool.take(kSize - 5'000).get(), first) << "somewhat smaller";
  const BufferPool same = pool;
  EXPECT_EQ(same.take(kSize).get(), first) << "a copy shares the pool";
}

TEST(BufferPool, TheSmallestThatFitsIsTaken) {
  INFER_SKIP_WHERE_NOTHING_IS_KEPT();
  const BufferPool pool;
  auto large = pool.take(2 * kSize);
  auto small = pool.take(kSize);
  void* expected = small.get();
  large.reset();
  small.reset();
  EXPECT_EQ(pool.take(kSize).get(), expected);
}

TEST(BufferPool, ABurstsPeakIsFreedOnceItHasGoneUnused) {
  INFER_SKIP_WHERE_NOTHING_IS_KEPT();
  const auto clock = std::make_shared<ManualClock>();
  const BufferPool pool(clock);
  {
    std::vector<std::shared_ptr<void>> burst;
    for (int i = 0; i < 20; ++i) burst.push_back(pool.take(kSize));
  }
  EXPECT_EQ(pool.kept_bytes(), 20 * kSize);
  for (auto second = BufferPool::kUnusedFor; second.count() > 1; --second) {
    clock->advance(std::chrono::seconds(1));
    pool.take(kSize);
  }
  EXPECT_EQ(pool.kept_bytes(), 20 * kSize);
  clock->advance(std::chrono::seconds(1));
  pool.take(kSize);
  EXPECT_EQ(pool.kept_bytes(), kSize) << "the pool keeps the size that is in use";
  clock->advance(BufferPool::kUnusedFor);
  EXPECT_EQ(pool.kept_bytes(), 0u) << "no buffer was taken since";
}

TEST(BufferPool, KeepsNoMoreThanItsLimitAndWhatWasUsedLast) {
  INFER_SKIP_WHERE_NOTHING_IS_KEPT();
  const auto clock = std::make_shared<ManualClock>();
  const BufferPool pool(clock, 3 * kSize);
  std::vector<std::shared_ptr<void>> buffers;
  for (int i = 0; i < 5; ++i) buffers.push_back(pool.take(kSize));
  void* last = buffers.back().get();
  for (auto& buffer : buffers) {
    clock->advance(std::chrono::milliseconds(1));
    buffer.reset();
  }
  EXPECT_EQ(pool.kept_bytes(), 3 * kSize);
  EXPECT_EQ(pool.take(kSize).get(), last);
  pool.take(4 * kSize);
  EXPECT_EQ(pool.kept_bytes(), 3 * kSize) << "a buffer larger than the limit is not kept";
}

TEST(BufferPool, ASmallRequestDoesNotHoldAMuchLargerBuffer) {
  INFER_SKIP_WHERE_NOTHING_IS_KEPT();
  const BufferPool pool;
  void* large = pool.take(16 * kSize).get();
  const auto small = pool.take(kSize);
  EXPECT_NE(small.get(), large);
  EXPECT_EQ(pool.take(16 * kSize).get(), large) << "still there";
}

TEST(BufferPool, BuffersInUseAreApart) {
  const BufferPool pool;
  std::vector<std::shared_ptr<void>> buffers;
  for (int i = 0; i < 20; ++i) {
    buffers.push_back(pool.take(kSize + static_cast<std::size_t>(i)));
    std::memset(buffers.back().get(), i, kSize);
    if (i % 3 == 2) buffers.erase(buffers.end() - 2);
  }
  for (const auto& buffer : buffers) {
    const auto* bytes = static_cast<const unsigned char*>(buffer.get());
    EXPECT_EQ(bytes[0], bytes[kSize - 1]);
    for (const auto& other : buffers) EXPECT_TRUE(&buffer == &other || buffer.get() != other.get());
  }
}

TEST(BufferPool, ABufferMayOutliveThePool) {
  std::optional<BufferPool> pool(std::in_place);
  const auto buffer = pool->take(kSize);
  pool.reset();
  std::memset(buffer.get(), 1, kSize);
  EXPECT_EQ(static_cast<const char*>(buffer.get())[kSize - 1], 1);
}

TEST(BufferPool, MemoryBeginsWhereItSays) {
  const BufferPool pool;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, BufferPool::kLeast - 1}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(size).get()) % 64, 0u) << size;
  }
#ifndef INFER_SANITIZED
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(BufferPool::kLeast).get()) % BufferPool::kPage, 0u);
#endif
}

TEST(BufferPool, WhatCannotBeHadIsOutOfMemory) {
  const BufferPool pool;
  EXPECT_THROW(pool.take(std::numeric_limits<std::size_t>::max() - 1), std::bad_alloc);
  EXPECT_EQ(pool.tensor(DType::kFp64, Shape{1LL << 50}).error().code, ErrorCode::kOutOfMemory);
}

TEST(BufferPool, AFailedAllocationLosesNothing) {
  const BufferPool pool;
  for (std::size_t nth = 1;; ++nth) {
    const testing::AllocationFailure failure(nth);
    try {
      const auto buffer = pool.take(kSize);
      std::memset(buffer.get(), 1, kSize);
      const auto second = pool.take(kSize);
      EXPECT_NE(buffer.get(), second.get());
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(failure.happened());
    }
    if (!failure.happened()) break;
  }
  EXPECT_NE(pool.take(kSize), nullptr);
}

TEST(BufferPool, ThreadsShareIt) {
  const BufferPool pool;
  std::vector<std::thread> threads;
  std::atomic<bool> apart{true};
  for (unsigned char t = 1; t <= 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const auto buffer = pool.take(BufferPool::kLeast + static_cast<std::size_t>(i % 7) * 4096);
        auto* bytes = static_cast<unsigned char*>(buffer.get());
        bytes[0] = t;
        bytes[BufferPool::kLeast - 1] = t;
        std::this_thread::yield();
        if (bytes[0] != t || bytes[BufferPool::kLeast - 1] != t) apart = false;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(apart);
}

}  // namespace
}  // namespace infer
