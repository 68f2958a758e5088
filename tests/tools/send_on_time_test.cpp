#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "infer/tools/send_on_time.h"

namespace infer::inline v0::tools {
namespace {

using std::chrono::milliseconds;

/// Calls `answer` for each request of a connection.
SendOptions options_of(std::size_t connections, std::function<Answer()> answer) {
  return {.connections = connections, .connect = [answer = std::move(answer)] { return answer; }};
}

TEST(SendOnTime, SendsEachRequestOnceAndNoneBeforeItIsDue) {
  auto arrivals = Arrivals::create({.qps = 100, .seconds = 0.3}).value();
  Tally tally(arrivals.seconds());
  std::atomic<int> made{0};
  std::atomic<int> sent{0};
  SendOptions options;
  options.connections = 3;
  options.connect = [&]() -> SendRequest {
    ++made;
    return [&]() -> Answer { return ++sent % 3 == 0 ? Answer{"503", false} : Answer{"200", true}; };
  };
  const double seconds = send_on_time(arrivals, options, tally, {});
  EXPECT_EQ(made, 3) << "each thread makes one connection";
  EXPECT_EQ(sent, 30);
  EXPECT_GE(seconds, 0.29) << "the last request is due at this time";
  const auto seen = tally.counts();
  EXPECT_EQ(seen.ok, 20);
  EXPECT_EQ(seen.failed, 10);
  EXPECT_EQ(seen.outcomes.at("503"), 10);
  EXPECT_EQ(seen.from_due.count(), 20);
}

TEST(SendOnTime, ARequestThatWaitsForAConnectionIsTimedFromWhenItWasDue) {
  auto arrivals = Arrivals::create({.qps = 100, .seconds = 0.05}).value();
  Tally tally(arrivals.seconds());
  // Uses real time: the only connection is busy for longer than all requests take to arrive.
  const auto options = options_of(1, []() -> Answer {
    std::this_thread::sleep_for(milliseconds(200));
    return {"200", true};
  });
  send_on_time(arrivals, options, tally, {});
  const auto seen = tally.counts();
  EXPECT_EQ(seen.ok, 1);
  EXPECT_EQ(seen.failed, 4);
  EXPECT_EQ(seen.outcomes.at("not sent: every connection was busy"), 4);
}

TEST(SendOnTime, NothingIsSentOnceItShallStop) {
  auto arrivals = Arrivals::create({.qps = 1, .seconds = 3600}).value();
  Tally tally(arrivals.seconds());
  std::stop_source source;
  const auto options = options_of(2, [&]() -> Answer {
    source.request_stop();
    return {"200", true};
  });
  send_on_time(arrivals, options, tally, source.get_token());
  EXPECT_EQ(tally.counts().ok, 1) << "the first request is due at once, the second after a second";
}

}  // namespace
}  // namespace infer::inline v0::tools
