#include <chrono>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "infer/tools/simulation.h"
#include "support/scripted_model.h"

namespace infer::inline v0::tools {
namespace {

/// Options of one worker on one core with 10 ms for a batch of one.
SimulationOptions single_server() {
  SimulationOptions options;
  options.replica.batch.max_batch_size = 1;
  options.replica.batch.max_queue_size = 100000;
  options.replica.max_inflight = 100000;
  options.replica.curve = {.points = {{1, 0.010, 0.010}}};
  return options;
}

Prediction predict(const SimulationOptions& options, double qps, double seconds, bool poisson = true) {
  return simulate(options, Arrivals::create({.qps = qps, .seconds = seconds, .poisson = poisson}).value());
}

/// Returns the fraction of requests that wait at most `t` in a queue M/D/1 (A. K. Erlang, 1909).
double waits_at_most(double t, double rate, double service) {
  double sum = 0;
  double factorial = 1;
  for (int k = 0; k <= static_cast<int>(t / service); ++k) {
    if (k > 0) factorial *= k;
    const double x = rate * (k * service - t);
    sum += std::pow(x, k) / factorial * std::exp(-x);
  }
  return (1 - rate * service) * sum;
}

TEST(Simulation, OfOneServerWaitsAsErlangsFormulaSays) {
  for (const double rate : {30.0, 60.0, 80.0}) {
    const Prediction seen = predict(single_server(), rate, 4000);
    for (const double fraction : {0.75, 0.9, 0.95}) {
      const double wait = seen.times.percentile(fraction) - 0.010;
      EXPECT_NEAR(waits_at_most(wait, rate, 0.010), fraction, 0.02) << rate << " a second";
    }
  }
}

TEST(Simulation, AnswersWhatItCanAndRefusesTheRest) {
  auto options = single_server();
  options.replica.max_inflight = 8;
  const Prediction seen = predict(options, 200, 100, false);
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 100, 1);
  EXPECT_NEAR(seen.drop_rate(), 0.5, 0.01);
  EXPECT_EQ(seen.answered + seen.refused, 20000);
  EXPECT_NEAR(seen.utilization, 1, 0.01);
  EXPECT_NEAR(seen.times.percentile(0.5), 0.075, 0.002)
      << "eight requests are in the server, the last admitted 5 ms late";
}

TEST(Simulation, RefusesWhatWouldNotBeginWithinMaxWait) {
  auto options = single_server();
  options.replica.max_wait = std::chrono::milliseconds(505);
  const Prediction seen = predict(options, 130, 100, false);
  // Of requests that arrive 10 ms apart, one is admitted with up to 50 before it, so it waits for at most
  // 51 forwards, including the running one.
  EXPECT_EQ(seen.answered + seen.refused, 13000);
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 100, 0.5);
  EXPECT_NEAR(static_cast<double>(seen.refused), 13000 - 100 * 100 - 51, 5);
  EXPECT_NEAR(seen.times.percentile(0.95), 0.52, 0.01);
  EXPECT_LE(seen.times.percentile(1), 0.53);
  options.replica.max_wait = {};
  const Prediction all = predict(options, 130, 100, false);
  EXPECT_EQ(all.refused, 0);
  EXPECT_GT(all.times.percentile(0.95), 20) << "the queue grows by 30 requests a second for 100 s";
}

TEST(Simulation, CountsWholeBatchesBeforeARequestAndRefusesNoneThatTheNextHasRoomFor) {
  auto options = single_server();
  options.replica.batch = {.max_batch_size = 4, .max_queue_size = 1000, .allowed_batch_sizes = {1, 2, 4}};
  options.replica.curve.points = {{1, 0.010, 0.010}, {2, 0.012, 0.012}, {4, 0.016, 0.016}};
  options.replica.max_wait = std::chrono::milliseconds(100);
  const Prediction seen = predict(options, 325, 40, false);  // 130 % of the capacity, four in 16 ms
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 250, 2);
  EXPECT_NEAR(seen.drop_rate(), 1 - 250 / 325.0, 0.01);
  // Six full batches take 96 ms: up to 28 requests are queued, the last of which leaves with the seventh
  // batch.
  EXPECT_LE(seen.times.percentile(1), 8 * 0.016 + 0.002);
  EXPECT_GE(seen.times.percentile(0.95), 6 * 0.016);
  options.replica.max_wait = std::chrono::milliseconds(1);
  const Prediction impatient = predict(options, 325, 40, false);
  EXPECT_NEAR(static_cast<double>(impatient.answered) / impatient.seconds, 250, 12)
      << "batches are always full";
}

TEST(Simulation, CountsWhatIsRefusedAfterItWasPrepared) {
  auto options = single_server();
  options.replica.curve.prepare = 0.005;
  options.replica.cores = 100;
  options.replica.batch.max_queue_size = 4;
  const Prediction queue = predict(options, 200, 20, false);
  EXPECT_EQ(queue.answered + queue.refused, 4000);
  EXPECT_NEAR(queue.drop_rate(), 0.5, 0.01);
  options.replica.batch.max_queue_size = 100000;
  options.replica.max_wait = std::chrono::milliseconds(45);
  const Prediction wait = predict(options, 200, 20, false);
  EXPECT_EQ(wait.answered + wait.refused, 4000);
  EXPECT_NEAR(wait.drop_rate(), 0.5, 0.01);
  EXPECT_LE(wait.times.percentile(1), 0.005 + 0.071);
}

TEST(Simulation, BatchesAsThePolicySays) {
  auto options = single_server();
  options.replica.batch = {.max_batch_size = 4, .max_queue_size = 1000, .allowed_batch_sizes = {1, 2, 4}};
  options.replica.curve.points = {{1, 0.010, 0.010}, {2, 0.012, 0.012}, {4, 0.016, 0.016}};
  const Prediction seen = predict(options, 1000, 20, false);
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 4 / 0.016, 5)
      << "each batch has four samples";
  // A lone request every 20 ms waits for a batch that does not fill.
  options.replica.batch.max_queue_delay = std::chrono::milliseconds(5);
  const Prediction alone = predict(options, 50, 10, false);
  EXPECT_NEAR(alone.times.percentile(0.5), 0.015, 0.0005);
}

TEST(Simulation, SharesTheCoresBetweenPreparingAndComputing) {
  auto options = single_server();
  options.replica.curve = {.points = {{1, 0.010, 0.020}}, .prepare = 0.010, .workers = 2};
  options.replica.cores = 1;
  Prediction seen = predict(options, 500, 20, false);
  EXPECT_LT(static_cast<double>(seen.answered) / seen.seconds, 51)
      << "each request needs 20 ms of the single core";
  options.replica.cores = 4;
  options.replica.max_inflight = 4;
  seen = predict(options, 1000, 20, false);
  // Two forwards at the same time take twice as long as one alone: 100 a second, however many cores.
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 100, 3);
}

TEST(Simulation, GivesTheSameAnswerTwice) {
  auto options = single_server();
  options.replicas = 3;
  EXPECT_EQ(predict(options, 200, 50).times.percentile(0.95),
            predict(options, 200, 50).times.percentile(0.95));
}

TEST(Simulation, ScalesUnderLoadAndBackAfterIt) {
  const testing::Folder folder;
  auto options = single_server();
  options.replica.max_inflight = 64;
  options.autoscaler = AutoscalerOptions{.min_replicas = 1, .max_replicas = 8, .target = 0.5};
  options.autoscaler->down.stabilization = 60;
  std::ofstream trace(folder / "trace.csv");
  for (int i = 0; i < 30000; ++i) trace << i * 0.005 << '\n';  // 200 a second for 150 s
  for (int i = 0; i < 300; ++i) trace << 150 + i << '\n';      // one a second for 300 s
  trace.close();
  const Prediction seen = simulate(options, Arrivals::create({.trace = folder / "trace.csv"}).value());
  std::size_t settled = 0;
  for (const auto& [time, count] : seen.replicas) {
    if (time < 150) settled = count;
    EXPECT_LE(count, 6);
  }
  EXPECT_GE(settled, 4) << "the load needs two cores at a target of one half";
  EXPECT_LE(settled, 5);
  EXPECT_EQ(seen.replicas.back().second, 1);
  EXPECT_GT(seen.replicas.back().first, 150 + 60);
}

}  // namespace
}  // namespace infer::inline v0::tools
