#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "load/objective.h"
#include "plan/autoscaler.h"
#include "plan/read_curve.h"
#include "plan/simulation.h"
#include "support/checkpoint_files.h"

namespace infer::cli {
namespace {

using testing::run_infer;

/// One worker on one core, a batch of one in 10 ms.
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

/// The part of requests that wait no longer than `t` in a queue M/D/1 (A. K. Erlang, 1909).
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
  EXPECT_NEAR(seen.times.percentile(0.5), 0.075, 0.002) << "eight in the house, the last let in 5 ms late";
}

TEST(Simulation, RefusesWhatWouldNotBeginWithinMaxWait) {
  auto options = single_server();
  options.replica.max_wait = std::chrono::milliseconds(505);
  const Prediction seen = predict(options, 130, 100, false);
  // Of those that come in 10 ms apart, one is taken with up to 50 before it: it waits for 51 forwards at
  // most, the one that is running counted in.
  EXPECT_EQ(seen.answered + seen.refused, 13000);
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 100, 0.5);
  EXPECT_NEAR(static_cast<double>(seen.refused), 13000 - 100 * 100 - 51, 5);
  EXPECT_NEAR(seen.times.percentile(0.95), 0.52, 0.01);
  EXPECT_LE(seen.times.percentile(1), 0.53);
  options.replica.max_wait = {};
  const Prediction all = predict(options, 130, 100, false);
  EXPECT_EQ(all.refused, 0);
  EXPECT_GT(all.times.percentile(0.95), 20) << "30 a second pile up for 100 s";
}

TEST(Simulation, CountsWholeBatchesBeforeARequestAndRefusesNoneThatTheNextHasRoomFor) {
  auto options = single_server();
  options.replica.batch = {.max_batch_size = 4, .max_queue_size = 1000, .allowed_batch_sizes = {1, 2, 4}};
  options.replica.curve.points = {{1, 0.010, 0.010}, {2, 0.012, 0.012}, {4, 0.016, 0.016}};
  options.replica.max_wait = std::chrono::milliseconds(100);
  const Prediction seen = predict(options, 325, 40, false);  // 130 % of 4 in 16 ms
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 250, 2);
  EXPECT_NEAR(seen.drop_rate(), 1 - 250 / 325.0, 0.01);
  // Six whole batches take 96 ms: up to 28 are queued, the last of which leaves with the seventh batch.
  EXPECT_LE(seen.times.percentile(1), 8 * 0.016 + 0.002);
  EXPECT_GE(seen.times.percentile(0.95), 6 * 0.016);
  options.replica.max_wait = std::chrono::milliseconds(1);
  const Prediction impatient = predict(options, 325, 40, false);
  EXPECT_NEAR(static_cast<double>(impatient.answered) / impatient.seconds, 250, 12) << "batches stay full";
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
  EXPECT_NEAR(static_cast<double>(seen.answered) / seen.seconds, 4 / 0.016, 5) << "always batches of four";
  // A lone request in 20 ms lingers for company that does not come.
  options.replica.batch.max_queue_delay = std::chrono::milliseconds(5);
  const Prediction alone = predict(options, 50, 10, false);
  EXPECT_NEAR(alone.times.percentile(0.5), 0.015, 0.0005);
}

TEST(Simulation, SharesTheCoresBetweenPreparingAndComputing) {
  auto options = single_server();
  options.replica.curve = {.points = {{1, 0.010, 0.020}}, .prepare = 0.010, .workers = 2};
  options.replica.cores = 1;
  Prediction seen = predict(options, 500, 20, false);
  EXPECT_LT(static_cast<double>(seen.answered) / seen.seconds, 51) << "a request takes 20 ms of the one core";
  options.replica.cores = 4;
  options.replica.max_inflight = 4;
  seen = predict(options, 1000, 20, false);
  // Two forwards side by side take twice as long as one alone: 100 a second whatever the cores.
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
  EXPECT_GE(settled, 4) << "two cores of work at a target of a half";
  EXPECT_LE(settled, 5);
  EXPECT_EQ(seen.replicas.back().second, 1);
  EXPECT_GT(seen.replicas.back().first, 150 + 60);
}

TEST(Autoscaler, ScalesByTheRatioWithinTolerancePoliciesAndBounds) {
  AutoscalerOptions options{.min_replicas = 2, .max_replicas = 10, .target = 0.5};
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 1.0), 4);
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 0.54), 2) << "within 10 %";
  EXPECT_EQ(Autoscaler(options).decide(15, 2, 2, 0.56), 3);
  EXPECT_EQ(Autoscaler(options).decide(15, 4, 4, 5.0), 8) << "twice as many, or four more, in 15 s";
  EXPECT_EQ(Autoscaler(options).decide(15, 8, 8, 5.0), 10);
  EXPECT_EQ(Autoscaler(options).decide(15, 4, 2, 0.8), 4) << "two are on their way";
  options.up.policies = {{false, 2, 30}};
  Autoscaler slow(options);
  EXPECT_EQ(slow.decide(15, 2, 2, 5.0), 4);
  EXPECT_EQ(slow.decide(30, 4, 4, 5.0), 4) << "two pods in 30 s";
  EXPECT_EQ(slow.decide(46, 4, 4, 5.0), 6);
}

TEST(Autoscaler, GoesDownOnlyWhenTheWholeWindowSaysSo) {
  AutoscalerOptions options{.min_replicas = 1, .max_replicas = 10, .target = 0.5};
  options.down = {60, {{false, 1, 30}}};
  Autoscaler scaler(options);
  EXPECT_EQ(scaler.decide(15, 4, 4, 0.5), 4);
  EXPECT_EQ(scaler.decide(30, 4, 4, 0.05), 4);
  EXPECT_EQ(scaler.decide(75, 4, 4, 0.05), 4) << "60 s ago it still wanted four";
  EXPECT_EQ(scaler.decide(90, 4, 4, 0.05), 3) << "one pod in 30 s";
  EXPECT_EQ(scaler.decide(105, 3, 3, 0.05), 3);
  EXPECT_EQ(scaler.decide(121, 3, 3, 0.05), 2);
}

TEST(Autoscaler, TakesTheWidestOfItsPoliciesThoughItAllowsMoreThanThereAre) {
  AutoscalerOptions options{.min_replicas = 1, .max_replicas = 10, .target = 0.5};
  options.down = {0, {{false, 8, 60}, {true, 10, 60}}};
  EXPECT_EQ(Autoscaler(options).decide(15, 5, 5, 0.01), 1);
  options.down.least = true;
  EXPECT_EQ(Autoscaler(options).decide(15, 5, 5, 0.01), 4);
}

TEST(Objective, IsReadOrRefused) {
  EXPECT_DOUBLE_EQ(Objective::parse("p95=200ms").value().seconds, 0.2);
  EXPECT_DOUBLE_EQ(Objective::parse("p99.9=1.5s").value().fraction, 0.999);
  for (const char* bad :
       {"", "p95", "p95=200", "95=200ms", "p100=1s", "p0=1s", "p95=-1s", "p95=ms", "p95=infs", "p=1s"})
    EXPECT_FALSE(Objective::parse(bad)) << bad;
}

/// One worker that takes 10 ms for each request.
std::string write_curve(const testing::Folder& folder, std::size_t max_queue_size) {
  const std::string curve = folder / "curve.json";
  std::ofstream(curve)
      << R"({"model": "m", "workers": 1, "intra_op_threads": 1, "max_batch_size": 1, "max_queue_size": )"
      << max_queue_size << R"(,
    "max_queue_delay_ms": 0, "prepare_ms": 0, "batches": [{"batch": 1, "forward_ms": 10, "alone_ms": 10}]})";
  return curve;
}

TEST(PlanCommand, ChoosesTheFewestServersAndSaysWhatIsWrong) {
  const testing::Folder folder;
  const std::string curve = write_curve(folder, 64);
  const auto plan = run_infer({"plan", curve, "--qps", "250", "--poisson", "--slo", "p95=110ms", "--json"});
  EXPECT_EQ(plan.code, 0) << plan.output;
  EXPECT_NE(plan.output.find(R"("choice":"3 replicas")"), std::string::npos) << plan.output;
  EXPECT_EQ(run_infer({"plan", curve, "--qps", "250", "--slo", "p95=5ms"}).code, 1);
  for (const auto& [text, message] : {std::pair{"{", "bad.json"}, {"{}", "infer bench --json"}}) {
    std::ofstream(folder / "bad.json") << text;
    const auto bad = run_infer({"plan", folder / "bad.json"});
    EXPECT_EQ(bad.code, 1);
    EXPECT_NE(bad.output.find(message), std::string::npos) << bad.output;
  }
  std::ofstream(folder / "hpa.json")
      << R"({"spec": {"maxReplicas": 4, "metrics": [{"resource": {"name": "memory"}}]}})";
  const auto memory = run_infer({"plan", curve, "--hpa", folder / "hpa.json"});
  EXPECT_EQ(memory.code, 1);
  EXPECT_NE(memory.output.find("averageUtilization of cpu"), std::string::npos) << memory.output;
}

TEST(PlanCommand, ModelsMaxWaitAsServeHasIt) {
  const testing::Folder folder;
  const std::string curve = write_curve(folder, 100000);
  const auto p95 = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command{"plan",           curve,    "--qps", "130", "--seconds", "60",
                                     "--max-inflight", "100000", "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const auto plan = run_infer(command);
    EXPECT_EQ(plan.code, 0) << plan.output;
    const std::size_t at = plan.output.find("\"p95\":");
    return at == std::string::npos ? 0 : std::stod(plan.output.substr(at + 6));
  };
  EXPECT_NEAR(p95({}), 2015, 20) << "2,000 ms if not given, as infer serve";
  EXPECT_NEAR(p95({"--max-wait-ms", "505"}), 520, 10);
  EXPECT_GT(p95({"--max-wait-ms", "0"}), 12000);
  EXPECT_EQ(run_infer({"plan", curve, "--max-wait-ms", "-1"}).code, 2);
}

class BenchCommand : public ::testing::Test {
 protected:
  /// The curve that plan reads, of what bench writes about the model.
  void expect_curve(const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{"bench", model, "--seconds", "0.02", "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const auto bench = run_infer(command);
    ASSERT_EQ(bench.code, 0) << bench.output;
    std::ofstream(folder_ / "curve.json") << bench.output;
    const auto curve = read_curve(folder_ / "curve.json");
    ASSERT_TRUE(curve) << curve.error().message << bench.output;
    EXPECT_GT(curve->curve.forward(1), 0) << bench.output;
    const auto plan = run_infer({"plan", folder_ / "curve.json", "--qps", "1", "--seconds", "5"});
    EXPECT_EQ(plan.code, 0) << plan.output;
  }
  std::string raw_model(const std::string& name, const std::string& shape) {
    std::filesystem::create_directories(folder_.path() / name / "1");
    std::ofstream(folder_.path() / name / "infer.json")
        << R"({"task": "raw", "backend": "scripted", "file": "script.json",
               "inputs": [{"name": "x", "dtype": "FP32", "shape": )"
        << shape << R"(}], "outputs": [{"name": "x", "dtype": "FP32", "shape": )" << shape << "}]}";
    std::ofstream(folder_.path() / name / "1" / "script.json") << R"({"base_ms": 1})";
    return folder_ / name;
  }
  testing::Folder folder_;
};

TEST_F(BenchCommand, TakesTensorsOfFixedAndOfFreeShape) {
  expect_curve(raw_model("fixed", "[11]"));
  const std::string free = raw_model("free", "[-1, 3]");
  expect_curve(free, {"--length", "7"});
  const auto unknown = run_infer({"bench", free});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.output.find("say with --length N"), std::string::npos) << unknown.output;
  const auto fixed = run_infer({"bench", folder_ / "fixed", "--length", "7"});
  EXPECT_EQ(fixed.code, 1);
  EXPECT_NE(fixed.output.find("every input of fixed has a fixed shape"), std::string::npos) << fixed.output;
}

TEST_F(BenchCommand, TakesASimulator) {
  ASSERT_EQ(
      run_infer({"model", "create", "simulator", "--base-ms", "1", "--out", folder_ / "simulator"}).code, 0);
  expect_curve(folder_ / "simulator");
}

TEST_F(BenchCommand, TakesASeries) {
  std::string csv = "y\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i % 7) + "\n";
  testing::write_text(folder_ / "data.csv", csv);
  for (const char* model : {"naive", "prophet"}) {
    ASSERT_EQ(run_infer({"train", "forecast", "--data", folder_ / "data.csv", "--target", "y", "--model",
                         model, "--out", folder_ / "series"})
                  .code,
              0);
    expect_curve(folder_ / "series");
  }
}

#if INFER_WITH_TORCH
TEST_F(BenchCommand, TakesTextsAndANetworkOfSeries) {
  testing::write_checkpoint(folder_ / "checkpoint", testing::bert_config(false),
                            testing::bert_shapes("", false, 0));
  const auto imported =
      run_infer({"model", "import", folder_ / "checkpoint", "--arch", "bert", "--out", folder_ / "texts"});
  ASSERT_EQ(imported.code, 0) << imported.output;
  expect_curve(folder_ / "texts");
  expect_curve(folder_ / "texts", {"--length", "16", "--batch", "1,2"});
  std::string csv = "y\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i % 7) + "\n";
  testing::write_text(folder_ / "data.csv", csv);
  ASSERT_EQ(run_infer({"train", "forecast", "--data", folder_ / "data.csv", "--target", "y", "--model", "gru",
                       "--out", folder_ / "series"})
                .code,
            0);
  expect_curve(folder_ / "series");
}
#endif

TEST(PlanCommand, ReadsWhatBenchMeasures) {
  const testing::Folder folder;
  testing::scripted_model(folder.path(), 2);
  const auto bench = run_infer({"bench", "--model", folder / "scripted", "--seconds", "0.05", "--json"});
  ASSERT_EQ(bench.code, 0) << bench.output;
  std::ofstream(folder / "curve.json") << bench.output;
  const auto model = read_curve(folder / "curve.json");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_GE(model->curve.forward(1), 0.002) << "longer where the machine is busy";
}

}  // namespace
}  // namespace infer::cli
