#include <gtest/gtest.h>

#include "infer/tools/plan.h"

namespace infer::inline v0::tools {
namespace {

/// A curve of one worker on one core with 10 ms for a batch of one.
SimulationOptions single_server() {
  SimulationOptions options;
  options.replica.batch.max_batch_size = 1;
  options.replica.curve = {.points = {{1, 0.010, 0.010}}};
  return options;
}

TEST(Plan, ChoosesTheFewestServersThatKeepTheObjective) {
  const auto arrivals = Arrivals::create({.qps = 250, .seconds = 60, .poisson = true}).value();
  const auto services = plan_service(single_server(), arrivals, Objective{0.95, 0.11});
  const PlannedService* chosen = choose_service(services);
  ASSERT_NE(chosen, nullptr);
  EXPECT_EQ(chosen->name, "3 replicas");
  EXPECT_EQ(chosen->most_replicas, 3);
  for (const PlannedService& service : services) EXPECT_EQ(service.kept, service.most_replicas >= 3);
}

TEST(Plan, TriesTargetsIfThereIsAnAutoscalerAndChoosesNoneThatBreaksTheObjective) {
  auto options = single_server();
  options.autoscaler = AutoscalerOptions{.max_replicas = 8, .target = 0.55};
  const auto arrivals = Arrivals::create({.qps = 30, .seconds = 60}).value();
  const auto services = plan_service(options, arrivals, Objective{0.95, 0.001});
  ASSERT_EQ(services.size(), 8) << "targets from 30 % to 90 %, and the given target";
  EXPECT_EQ(services[3].name, "target 55 %");
  EXPECT_EQ(choose_service(services), nullptr) << "a forward alone takes 10 ms";
  EXPECT_EQ(plan_service(options, arrivals, std::nullopt).size(), 1);
}

}  // namespace
}  // namespace infer::inline v0::tools
