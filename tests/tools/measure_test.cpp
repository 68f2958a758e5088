// Measures and tunes a model whose forwards take a known time.

#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>

#include <gtest/gtest.h>

#include "infer/tools/bench.h"
#include "infer/tools/sample_request.h"
#include "infer/tools/tune.h"
#include "support/scripted_model.h"

namespace infer::inline v0::tools {
namespace {

TEST(Bench, TimesForwardsOfEachBatchSize) {
  const testing::Folder folder;
  BenchOptions options{
      .model = testing::scripted_model(folder.path(), 2), .batches = {4, 1}, .seconds = 0.02};
  const auto bench = Bench::open(options);
  ASSERT_TRUE(bench) << bench.error().message;
  EXPECT_EQ(bench->batches(), (std::vector<std::size_t>{1, 4}));
  EXPECT_FALSE(bench->has_free_dimensions());
  const auto row = bench->measure_forward(4);
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_GE(row->alone_ms, 8) << "2 ms for each sample";
  EXPECT_GE(row->mean_ms, 8);
  options.length = 7;
  EXPECT_EQ(Bench::open(options).error().code, ErrorCode::kInvalidArgument) << "the model's shapes are fixed";
  options.model = folder / "none";
  EXPECT_EQ(Bench::open(options).error().code, ErrorCode::kNotFound);
}

TEST(Tune, ChoosesSettingsForEachVersionThatPromisesTheSameAnswers) {
  const testing::Folder folder;
  const std::filesystem::path model = testing::scripted_model(folder.path(), 1);
  std::filesystem::copy(model / "1", model / "2");
  std::filesystem::copy(model / "1", model / "1-int8");
  std::ifstream manifest(model / "infer.json");
  std::string text(std::istreambuf_iterator<char>(manifest), {});
  text.insert(text.find('{') + 1, R"("same_weights_as": "2", "precision": "int8", )");
  std::ofstream(model / "1-int8" / "infer.json") << text;
  TuneOptions options{.model = model.string(), .clients = 2};
  options.search.seconds = 0.1;
  options.search.least_trial = 0.005;
  std::size_t measured = 0;
  options.progress = [&](const std::string&, std::size_t candidates, double) { measured += candidates; };
  const auto report = tune_model(options, {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->versions, (std::vector<std::string>{"2", "1-int8"})) << "version 1 has other weights";
  EXPECT_EQ(report->precision.at("1-int8"), "int8");
  EXPECT_EQ(tuned_settings(report->chosen).size(), 2);
  EXPECT_GE(report->trials.size(), measured);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(tune_model(options, source.get_token()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace infer::inline v0::tools
