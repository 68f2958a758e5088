#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "infer/tools/arrivals.h"
#include "support/scripted_model.h"

namespace infer::inline v0::tools {
namespace {

std::vector<double> all_of(const ArrivalOptions& options) {
  auto arrivals = Arrivals::create(options).value();
  std::vector<double> times;
  while (const auto time = arrivals.next()) times.push_back(*time);
  return times;
}

TEST(Arrivals, OfAConstantRateAreEvenlySpaced) {
  const auto times = all_of({.qps = 4, .seconds = 2});
  ASSERT_EQ(times.size(), 8);
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_DOUBLE_EQ(times[i], 0.25 * static_cast<double>(i));
}

TEST(Arrivals, OfARampHaveItsRateInEachPart) {
  // From 10 to 30 a second in 10 s: the rate is 20 on average, 15 in the first half and 25 in the second.
  const auto times = all_of({.qps = 10, .seconds = 10, .ramp_to = 30});
  ASSERT_EQ(times.size(), 200);
  std::size_t first_half = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (i > 0) {
      EXPECT_GT(times[i], times[i - 1]);
    }
    if (times[i] < 5) ++first_half;
  }
  EXPECT_EQ(first_half, 75);
  EXPECT_LE(times.back(), 10);
  const auto down = all_of({.qps = 30, .seconds = 10, .ramp_to = 10});
  ASSERT_EQ(down.size(), 200);
  EXPECT_LE(down.back(), 10);
}

TEST(Arrivals, OfAPoissonProcessAreIndependentAndOfTheRightRate) {
  const auto times = all_of({.qps = 1000, .seconds = 20, .poisson = true});
  // Expects 20,000 with a standard deviation of the square root, and allows five deviations.
  EXPECT_NEAR(static_cast<double>(times.size()), 20000, 5 * std::sqrt(20000));
  double sum = 0;
  double squares = 0;
  double neighbours = 0;
  for (std::size_t i = 2; i < times.size(); ++i) {
    const double gap = (times[i] - times[i - 1]) * 1000 - 1;
    sum += gap;
    squares += gap * gap;
    neighbours += gap * ((times[i - 1] - times[i - 2]) * 1000 - 1);
  }
  const auto count = static_cast<double>(times.size() - 2);
  EXPECT_NEAR(sum / count, 0, 0.05);
  EXPECT_NEAR(squares / count, 1, 0.1) << "the deviation of exponential gaps equals their mean";
  EXPECT_NEAR(neighbours / squares, 0, 0.05) << "successive gaps are independent";
}

TEST(Arrivals, ReplayATraceAndNameTheLineThatIsWrong) {
  const testing::Folder folder;
  const auto file = [&](const std::string& text) {
    std::ofstream(folder / "trace.csv") << text;
    return ArrivalOptions{.trace = folder / "trace.csv"};
  };
  EXPECT_EQ(all_of(file("due_s,outcome\n0.5,200\n0.5,200\r\n2,\"503\"\n")),
            (std::vector<double>{0.5, 0.5, 2}));
  EXPECT_EQ(all_of(file("3\n1\n")), (std::vector<double>{1, 3})) << "sorted by time";
  for (const auto& [text, message] : {std::pair{"1\nx\n", "line 2: the first column"},
                                      {"due\n", "no times"},
                                      {"-1\n", "line 1"},
                                      {"1\nnan\n", "line 2"}}) {
    const auto refused = Arrivals::create(file(text));
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find(message), std::string::npos) << refused.error().message;
  }
  EXPECT_EQ(Arrivals::create({.trace = folder / "none"}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace infer::inline v0::tools
