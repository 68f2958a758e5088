#include "infer/tasks/simulator.h"

#include <gtest/gtest.h>

#include "infer/engine/open.h"
#include "infer/models/simulator.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

class Simulating : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("infer-simulator-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Simulator open(const SimulatorConfig& config) {
    create_simulator(config, folder_).value();
    return Simulator::create(std::make_shared<Engine>(open_engine(folder_).value())).value();
  }

  fs::path folder_;
};

TEST_F(Simulating, WorkTakesTheCpuTimeThatWasAskedFor) {
  const auto simulator = open({.base_ms = 0});
  const auto answer = simulator.run({.milliseconds = 5}).value();
  EXPECT_GE(answer.timings.compute, std::chrono::milliseconds(5));  // CPU time never exceeds real time
  EXPECT_GT(answer.units, 0U);
  EXPECT_EQ(simulator.run({.units = 17}).value().units, 17U);
}

TEST_F(Simulating, TheLawTakesItsTimeToo) {
  const auto simulator = open({.base_ms = 4});
  EXPECT_GE(simulator.run({}).value().timings.compute, std::chrono::milliseconds(4));
}

TEST_F(Simulating, FailuresComeAsOftenAsStated) {
  const auto simulator = open({.base_ms = 0, .failure_rate = 0.5, .seed = 3});
  int failed = 0;
  for (int i = 0; i < 400; ++i) failed += simulator.run({}).has_value() ? 0 : 1;
  EXPECT_NEAR(failed, 200, 60);
}

TEST_F(Simulating, WhatIsOutOfBoundsIsRefused) {
  const auto simulator = open({.base_ms = 0});
  EXPECT_FALSE(simulator.run({.milliseconds = -1}));
  EXPECT_FALSE(simulator.run({.milliseconds = 1e9}));
  EXPECT_FALSE(simulator.run({.units = std::uint64_t{1} << 40}));
  EXPECT_FALSE(create_simulator({.base_ms = -1}, folder_ / "x"));
  EXPECT_EQ(create_simulator({}, folder_).error().code, ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace infer::inline v0
