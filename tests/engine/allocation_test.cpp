#include <gtest/gtest.h>

#include <atomic>

#include "engine_fixture.h"
#include "support/allocation_failure.h"

namespace infer {
namespace {

using testing::AllocationFailure;

/// Whatever allocation fails, in the caller's or a worker's thread, there is one answer, and the engine
/// still works.
TEST(Allocation, EveryFailingStepOfARequestGivesExactlyOneAnswer) {
  Engine engine = testing::scripted_engine({});
  std::size_t steps = 0;
  for (bool done = false; !done; ++steps) {
    ASSERT_LT(steps, 200u);
    Sample sample = testing::vector_sample({1, 2, 3, 4});
    std::atomic<int> answers{0};
    std::atomic<int> code{-1};
    SubmitOptions options;
    options.callback = [&](Result<Response>&& result) {
      code = result ? 0 : 1 + static_cast<int>(result.error().code);
      ++answers;
      answers.notify_all();
    };
    bool accepted = false;
    ErrorCode refusal{};
    {
      const AllocationFailure failure(steps + 1, AllocationFailure::Scope::kAllThreads);
      auto pending = engine.submit(std::move(sample), std::move(options));
      accepted = pending.has_value();
      if (accepted) {
        answers.wait(0);
      } else {
        refusal = pending.error().code;
      }
      done = !failure.happened();
    }
    if (accepted) {
      EXPECT_EQ(answers, 1);
      EXPECT_EQ(code, done ? 0 : 1 + static_cast<int>(ErrorCode::kOutOfMemory)) << steps;
    } else {
      EXPECT_EQ(refusal, ErrorCode::kOutOfMemory) << steps;
      EXPECT_EQ(answers, 0);
      EXPECT_EQ(sample.size(), 1u);  // the caller keeps a refused sample
    }
    EXPECT_EQ(engine.stats().inflight, 0u);
  }
  EXPECT_GT(steps, 3u);
}

}  // namespace
}  // namespace infer
