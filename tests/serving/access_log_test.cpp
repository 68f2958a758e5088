#include "infer/serving/access_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "infer/serving/lifecycle.h"

namespace infer {
namespace {

using namespace std::chrono_literals;

struct Log {
  explicit Log(std::uint64_t records_per_second)
      : log(metrics, records_per_second,
            [this](const AccessLog::LeftOut& left_out) { reports.push_back(left_out); }) {}
  std::optional<AccessRecord> finish(Outcome outcome) {
    Call call;
    call.start = now - 5ms;
    call.confidence = 0.5F;
    call.ran({.queue = 1ms}, 4, 3);
    return log.finish(call, outcome, now);
  }
  MetricsRegistry metrics;
  std::vector<AccessLog::LeftOut> reports;
  AccessLog log;
  TimePoint now = TimePoint{} + 1h;
};

TEST(AccessLog, ARecordHoldsWhatTheCallKnows) {
  Log log(0);
  const auto record = log.finish(Outcome::kRefused);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->outcome, Outcome::kRefused);
  EXPECT_EQ(record->latency, 5ms);
  EXPECT_EQ(record->model, "") << "no model was chosen";
  ASSERT_TRUE(record->timings);
  EXPECT_EQ(record->timings->queue, 1ms);
  EXPECT_EQ(record->batch_size, 4u);
  EXPECT_EQ(record->samples, 3u);
  EXPECT_EQ(record->confidence, 0.5F);
}

TEST(AccessLog, OnlySuccessesArePredictions) {
  Log log(0);
  log.finish(Outcome::kSucceeded);
  log.finish(Outcome::kRefused);
  log.finish(Outcome::kFailed);
  EXPECT_NE(log.metrics.render().find("predictions_total 1"), std::string::npos) << log.metrics.render();
}

TEST(AccessLog, AFloodOfOneOutcomeLeavesRoomForTheOthers) {
  Log log(2);
  int refused = 0;
  for (int i = 0; i < 10; ++i) refused += log.finish(Outcome::kRefused) ? 1 : 0;
  EXPECT_EQ(refused, 2);
  EXPECT_TRUE(log.finish(Outcome::kFailed));
  EXPECT_TRUE(log.finish(Outcome::kSucceeded));
  EXPECT_TRUE(log.reports.empty()) << "at most once a second";
  log.now += 1s;
  EXPECT_TRUE(log.finish(Outcome::kRefused));
  ASSERT_EQ(log.reports.size(), 1u);
  EXPECT_EQ(log.reports[0].refused, 8u);
  EXPECT_EQ(log.reports[0].failed, 0u);
  log.log.report_left_out();
  EXPECT_EQ(log.reports.size(), 1u) << "nothing new";
}

TEST(Lifecycle, NewWorkIsAcceptedFromLoadedToDraining) {
  Lifecycle lifecycle;
  EXPECT_EQ(lifecycle.admit().error().message, "loading");
  EXPECT_EQ(lifecycle.admit().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Call().retry_after_seconds(lifecycle.admit().error()), 1);
  lifecycle.loaded();
  EXPECT_TRUE(lifecycle.admit());
  EXPECT_FALSE(lifecycle.is_leaving());
  lifecycle.start_lame_duck(0ms);
  EXPECT_TRUE(lifecycle.admit());
  EXPECT_TRUE(lifecycle.is_leaving());
  lifecycle.start_draining();
  EXPECT_EQ(lifecycle.admit().error().message, "draining");
  EXPECT_FALSE(Call().retry_after_seconds(Error{ErrorCode::kInvalidArgument, "bad", {}}));
}

}  // namespace
}  // namespace infer
