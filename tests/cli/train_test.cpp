#include <gtest/gtest.h>

#include <filesystem>

#include "cli/process.h"
#include "support/checkpoint_files.h"

namespace infer::cli {
namespace {

namespace fs = std::filesystem;

class Train : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("infer-train-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    std::string csv = "day,sales\n";
    for (int i = 0; i < 90; ++i) {
      const int day = i % 28 + 1;
      csv += "2024-0" + std::to_string(i / 28 + 1) + (day < 10 ? "-0" : "-") + std::to_string(day) + "," +
             std::to_string(50 + i % 7) + "\n";
    }
    infer::testing::write_text(folder_ / "sales.csv", csv);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static infer::testing::Finished run(std::vector<std::string> arguments) {
    return infer::testing::run_infer(std::move(arguments));
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(Train, AForecasterIsTrainedPromotedAndInspected) {
  const auto trained = run({"train", "forecast", "--data", path("sales.csv"), "--target", "sales", "--time",
                            "day", "--model", "seasonal-naive", "--out", path("sales")});
  ASSERT_EQ(trained.code, 0) << trained.output;
  EXPECT_NE(trained.output.find("1-seasonal-naive"), std::string::npos) << trained.output;
  const auto again = run({"train", "forecast", "--data", path("sales.csv"), "--target", "sales", "--time",
                          "day", "--model", "prophet", "--out", path("sales"), "--json"});
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find(R"([{"version":"2-prophet","model":"prophet","mae":)"), std::string::npos)
      << again.output;
  const auto promoted = run({"promote", path("sales"), "1-seasonal-naive"});
  EXPECT_EQ(promoted.code, 0) << promoted.output;
  const auto inspected = run({"model", "inspect", path("sales")});
  EXPECT_NE(inspected.output.find("version 1-seasonal-naive: forecast, series"), std::string::npos)
      << inspected.output;
  EXPECT_EQ(run({"promote", path("sales")}).code, 0);  // the first of the leaderboard
  EXPECT_EQ(run({"doctor", "--model", path("sales")}).output.find("failure"), std::string::npos);
}

TEST_F(Train, WhatIsWrongIsSaidAndNothingIsLeft) {
  const auto missing =
      run({"train", "forecast", "--data", path("sales.csv"), "--target", "profit", "--out", path("x")});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.output.find("column 'profit' is not among day, sales"), std::string::npos)
      << missing.output;
  EXPECT_FALSE(fs::exists(path("x")));
  EXPECT_EQ(run({"train", "forecast", "--data", path("none.csv"), "--target", "a", "--out", path("x")}).code,
            2);
  EXPECT_EQ(run({"train", "forecast", "--data", path("sales.csv"), "--target", "sales", "--model", "oracle",
                 "--out", path("x")})
                .code,
            2);
  EXPECT_EQ(run({"train"}).code, 2);
  EXPECT_EQ(run({"promote", path("sales.csv")}).code, 2);
  const auto unknown = run({"promote", folder_.string(), "7"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.output.find("no such version"), std::string::npos) << unknown.output;
}

TEST_F(Train, ASimulatorIsMadeAsStated) {
  const auto made =
      run({"model", "create", "simulator", "--base-ms", "7", "--out", path("simulator"), "--json"});
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_NE(made.output.find(R"("architecture":"simulator")"), std::string::npos) << made.output;
  EXPECT_EQ(run({"model", "create", "simulator", "--sigma", "-1", "--out", path("other")}).code, 1);
}

#if INFER_WITH_TORCH
TEST_F(Train, ACheckpointBecomesAClassifierOfTexts) {
  infer::testing::write_checkpoint(folder_ / "checkpoint", infer::testing::bert_config(false),
                                   infer::testing::bert_shapes("", false, 0));
  const auto imported = run({"model", "import", path("checkpoint"), "--arch", "bert", "--out", path("base")});
  ASSERT_EQ(imported.code, 0) << imported.output;
  std::string csv = "text,label\n";
  for (char c = 'a'; c <= 'z'; ++c) csv += std::string("good ") + c + ",yes\nbad bad " + c + ",no\n";
  infer::testing::write_text(folder_ / "data.csv", csv);
  const auto trained = run(
      {"train", "text", "--base", path("base"), "--data", path("data.csv"), "--out", path("head"), "--json"});
  ASSERT_EQ(trained.code, 0) << trained.output;
  EXPECT_NE(trained.output.find(R"("labels":["no","yes"])"), std::string::npos) << trained.output;
  const auto again =
      run({"train", "text", "--base", path("base"), "--data", path("data.csv"), "--out", path("head")});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.output.find("exists already"), std::string::npos) << again.output;
  const auto wrong =
      run({"model", "import", path("checkpoint"), "--arch", "clip-vit", "--out", path("clip")});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.output.find("model_type: 'bert' is neither clip"), std::string::npos) << wrong.output;
}
#endif

}  // namespace
}  // namespace infer::cli
