#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "infer/tools/search.h"

namespace infer::inline v0::tools {
namespace {

Candidate batch_of(std::size_t size) { return {"1", 1, 1, size, 0}; }

TEST(Search, FindsTheBestOfManyWithMostOfTheTimeForTheGoodOnes) {
  std::vector<Candidate> all;
  for (std::size_t size = 1; size <= 16; ++size) all.push_back(batch_of(size));
  std::map<std::size_t, double> spent;
  const auto trials =
      successive_halving(all, {.seconds = 10, .least_trial = 0}, [&](const Candidate& c, double seconds) {
        spent[c.max_batch_size] += seconds;
        return Result<Trial>(Trial{c, 100 - std::abs(static_cast<double>(c.max_batch_size) - 11), 0.1});
      });
  ASSERT_TRUE(trials);
  EXPECT_EQ(trials->front().candidate, batch_of(11));
  EXPECT_EQ(trials->size(), 16) << "one trial of each candidate is returned";
  double total = 0;
  for (const auto& [size, seconds] : spent) total += seconds;
  EXPECT_LE(total, 10.01);
  EXPECT_GT(total, 7);
  EXPECT_GT(spent[11], 10 * spent[2]);
}

TEST(Search, StaysWithWhatIsUsedUnlessAnotherIsClearlyBetter) {
  const auto best = [](double other) {
    return successive_halving({batch_of(1), batch_of(2), batch_of(3), batch_of(4)}, {.seconds = 1},
                              [&](const Candidate& c, double) {
                                return Result<Trial>(Trial{c, c.max_batch_size == 3 ? other : 100, 0.1});
                              })
        ->front()
        .candidate;
  };
  EXPECT_EQ(best(101), batch_of(1));
  EXPECT_EQ(best(103), batch_of(3));
}

TEST(Search, KeepsTheObjectiveBeforeItLooksAtThroughput) {
  const auto search = [](double p95) {
    return successive_halving({batch_of(8), batch_of(1), batch_of(2), batch_of(4)},
                              {.seconds = 1, .p95 = p95},
                              [](const Candidate& c, double) {
                                const auto size = static_cast<double>(c.max_batch_size);
                                return Result<Trial>(Trial{c, 10 * size, 0.01 * size});
                              })
        ->front()
        .candidate;
  };
  EXPECT_EQ(search(0), batch_of(8));
  EXPECT_EQ(search(0.025), batch_of(2));
  EXPECT_EQ(search(0.001), batch_of(1)) << "no candidate meets the objective, so the nearest is chosen";
}

TEST(Search, ReportsWhatFails) {
  EXPECT_FALSE(successive_halving({}, {}, nullptr));
  const auto failed = successive_halving({batch_of(1)}, {}, [](const Candidate&, double) {
    return Result<Trial>(Unexpected(Error{ErrorCode::kModelError, "broken", {}}));
  });
  EXPECT_EQ(failed.error().message, "broken");
}

TEST(Front, HasOnlyWhatNoOtherBeatsInBoth) {
  const auto best =
      front({{batch_of(1), 10, 0.1}, {batch_of(2), 20, 0.3}, {batch_of(3), 15, 0.4}, {batch_of(4), 20, 0.2}});
  ASSERT_EQ(best.size(), 2);
  EXPECT_EQ(best[0].candidate, batch_of(4));
  EXPECT_EQ(best[1].candidate, batch_of(1));
}

}  // namespace
}  // namespace infer::inline v0::tools
