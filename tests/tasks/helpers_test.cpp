#include "tasks/helpers.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace infer {
namespace {

TEST(Helpers, EveryPartIsDoneOnce) {
  Helpers helpers(3);
  std::array<std::atomic<int>, 100> done{};
  std::size_t next = 0;
  while (next < done.size()) {
    const std::size_t after = helpers.some(next, done.size(), [&](std::size_t i) { ++done.at(i); });
    ASSERT_GT(after, next);
    ASSERT_LE(after, next + 4) << "the caller and three helpers";
    next = after;
  }
  for (const auto& count : done) EXPECT_EQ(count, 1);
}

TEST(Helpers, PartsGoSideBySide) {
  Helpers helpers(3);
  std::latch all(4);
  EXPECT_EQ(helpers.some(0, 9, [&](std::size_t) { all.arrive_and_wait(); }), 4u)
      << "with fewer threads, the barrier would block forever";
}

TEST(Helpers, WithoutCoresToSpareTheCallerDoesOne) {
  Helpers helpers(0);
  const auto caller = std::this_thread::get_id();
  EXPECT_EQ(helpers.some(5, 9,
                         [&](std::size_t i) {
                           EXPECT_EQ(i, 5u);
                           EXPECT_EQ(std::this_thread::get_id(), caller);
                         }),
            6u);
}

TEST(Helpers, ThereAreOnlySoManyForAllCallersTogether) {
  Helpers helpers(2);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t) {
    callers.emplace_back([&] {
      for (std::size_t next = 0; next < 200;) {
        next = helpers.some(next, 200, [&](std::size_t) {
          const int running = ++now;
          for (int seen = most.load(); running > seen && !most.compare_exchange_weak(seen, running);) {
          }
          std::this_thread::yield();
          --now;
        });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_LE(most, 5) << "three callers and two helpers";
}

}  // namespace
}  // namespace infer
