#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cli/process.h"
#include "infer/tools/read_curve.h"
#include "support/checkpoint_files.h"
#include "support/scripted_model.h"

namespace infer::cli {
namespace {

using testing::run_infer;

/// A curve of one worker that needs 10 ms for each request.
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
  EXPECT_NEAR(p95({}), 2015, 20) << "the default is 2,000 ms, as for infer serve";
  EXPECT_NEAR(p95({"--max-wait-ms", "505"}), 520, 10);
  EXPECT_GT(p95({"--max-wait-ms", "0"}), 12000);
  EXPECT_EQ(run_infer({"plan", curve, "--max-wait-ms", "-1"}).code, 2);
}

class BenchCommand : public ::testing::Test {
 protected:
  /// Returns the curve that plan reads from bench's output for the model.
  void expect_curve(const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{"bench", model, "--seconds", "0.02", "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const auto bench = run_infer(command);
    ASSERT_EQ(bench.code, 0) << bench.output;
    std::ofstream(folder_ / "curve.json") << bench.output;
    const auto curve = tools::read_curve(folder_ / "curve.json");
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
  EXPECT_NE(unknown.output.find("set the length that clients send with --length N"), std::string::npos)
      << unknown.output;
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
  const auto model = tools::read_curve(folder / "curve.json");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_GE(model->curve.forward(1), 0.002) << "a busy machine takes longer";
}

}  // namespace
}  // namespace infer::cli
