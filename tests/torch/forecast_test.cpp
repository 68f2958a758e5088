#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <cmath>
#include <sstream>

#include "infer/models/train_forecast.h"
#include "infer/tasks/forecaster.h"
#include "support/checkpoint_files.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

Forecaster open_version(const fs::path& model, const std::string& version) {
  OpenOptions options;
  options.version = version;
  return Forecaster::open(model, options).value();
}

class RecurrentForecast : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("infer-gru-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(RecurrentForecast, OnRealSeriesThePromotedModelBeatsSeasonalNaive) {
  struct Data {
    const char* file;
    SeriesColumns columns;
    std::size_t history;
    std::size_t season;
  };
  for (const Data& data : {Data{"macrodata.csv", {{"realgdp", "realcons"}, {"unemp"}, ""}, 10, 4},
                           Data{"co2.csv", {{"co2"}, {}, "date"}, 52, 0}}) {
    TrainForecastOptions options;
    options.data = fs::path(INFER_SERIES) / data.file;
    options.columns = data.columns;
    options.history = data.history;
    options.season = data.season;
    options.horizon = 4;
    const auto rows = train_forecast(options, folder_ / "model").value();
    double naive = 0;
    for (const auto& row : rows) {
      std::printf("%s %s: MASE %.3f\n", data.file, row.model.c_str(), row.mase);
      if (row.model == "seasonal-naive") naive = row.mase;
    }
    EXPECT_LT(rows.front().mase, naive) << data.file;
    fs::remove_all(folder_);
  }
}

TEST_F(RecurrentForecast, ElevenTargetsOfSeventeenInputsAndTheSameSeedTheSameModelToRounding) {
  std::string csv;
  for (int column = 0; column < 17; ++column) csv += (column ? ",c" : "c") + std::to_string(column);
  csv += "\n";
  for (int row = 0; row < 80; ++row) {
    for (int column = 0; column < 17; ++column)
      csv += (column ? "," : "") +
             std::to_string(column == 3 ? 7.0 : std::sin(row * 0.3 + column) * (column + 1));
    csv += "\n";
  }
  testing::write_text(folder_ / "wide.csv", csv);
  TrainForecastOptions options;
  options.data = folder_ / "wide.csv";
  for (int column = 0; column < 17; ++column)
    (column < 11 ? options.columns.targets : options.columns.features)
        .push_back("c" + std::to_string(column));
  options.models = {"gru", "lstm"};
  const auto first = train_forecast(options, folder_ / "a").value();
  const auto second = train_forecast(options, folder_ / "b").value();
  EXPECT_NEAR(first[0].mae, second[0].mae, 1e-3 * first[0].mae);
  promote(folder_ / "a", "1-gru").value();
  const auto forecaster = Forecaster::open(folder_ / "a").value();
  EXPECT_EQ(forecaster.engine().model().backend->signature().inputs[0].shape, (Shape{10, 17}));
  EXPECT_EQ(forecaster.engine().model().backend->signature().outputs[0].shape, (Shape{1, 11}));
  ForecastRequest request;
  request.length = 25;
  const auto forecast = forecaster.forecast(request).value();
  ASSERT_EQ(forecast.values.size(), 25U);
  for (const auto& row : forecast.values) {
    ASSERT_EQ(row.size(), 11U);
    for (const double value : row) EXPECT_TRUE(std::isfinite(value));
    EXPECT_NEAR(row[3], 7, 0.5);  // a constant column
  }
}

TEST_F(RecurrentForecast, AnotherUnitOrLevelGivesTheSameForecastInItAndTheLastRowsAreKnown) {
  const auto forecasts_of = [&](double factor, double level) {
    std::string csv = "y\n";
    for (int i = 0; i < 70; ++i) {
      std::ostringstream cell;
      cell.precision(17);
      cell << (10 + 3 * std::sin(i * 0.5) + (i > 55 ? 0.3 * (55 - i) : 0)) * factor + level;
      csv += cell.str() + "\n";
    }
    testing::write_text(folder_ / "scaled.csv", csv);
    TrainForecastOptions options;
    options.data = folder_ / "scaled.csv";
    options.columns = {{"y"}, {}, ""};
    options.models = {"gru"};
    fs::remove_all(folder_ / "model");
    std::vector<double> values;
    const auto rows = train_forecast(options, folder_ / "model").value();
    for (const auto& row : rows) {
      const auto forecaster = open_version(folder_ / "model", row.version);
      const auto forecast = forecaster.forecast({}).value();
      EXPECT_NEAR(forecaster.series().mean[0], (10 - 0.3 * 14 * 15 / 2 / 70) * factor + level, factor);
      values.push_back((forecast.values[0][0] - level) / factor);
      values.push_back((forecast.upper[0][0] - forecast.lower[0][0]) / factor);
    }
    return values;
  };
  const auto expected = forecasts_of(1, 0);
  for (const auto& [factor, level] : {std::pair{1e-9, 0.0}, {1e12, 1e15}}) {
    const auto found = forecasts_of(factor, level);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 0.3) << factor << " " << level;
  }
}

TEST(ForecastVersions, TwelveRunsAreNumberedOneToTwelve) {
  const auto folder = std::filesystem::temp_directory_path() / ("infer-versions-" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    std::ofstream csv(folder / "data.csv");
    csv << "y\n";
    for (int i = 0; i < 80; ++i) csv << i % 7 << "\n";
  }
  TrainForecastOptions options;
  options.data = folder / "data.csv";
  options.columns.targets = {"y"};
  options.models = {"naive"};
  for (int run = 1; run <= 12; ++run) {
    const auto rows = train_forecast(options, folder / "model");
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->front().version, std::to_string(run) + "-naive");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace infer::inline v0
