#include "infer/tasks/forecaster.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

#include "infer/models/train_forecast.h"
#include "support/checkpoint_files.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

Forecaster open_version(const fs::path& model, const std::string& version) {
  OpenOptions options;
  options.version = version;
  return Forecaster::open(model, options).value();
}

/// A folder of trained models: two targets with a season of 12 months, and a feature.
class Forecasting : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("infer-forecast-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    std::string csv = "month,sales,visits,price\n";
    for (int i = 0; i < 120; ++i) {
      const std::string month =
          std::to_string(2010 + i / 12) + "-" + (i % 12 < 9 ? "0" : "") + std::to_string(i % 12 + 1);
      csv += month + "," + std::to_string(100 + i + 10 * std::sin(i * 0.5235987756)) + "," +
             std::to_string(1000 - 3 * i + 50 * std::cos(i * 0.5235987756)) + "," + std::to_string(i % 7) +
             "\n";
    }
    testing::write_text(folder_ / "series.csv", csv);
    options_.data = folder_ / "series.csv";
    options_.columns = {{"sales", "visits"}, {"price"}, "month"};
    options_.history = 10;
    options_.horizon = 3;
    options_.models = {"prophet", "naive", "seasonal-naive"};
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path model() const { return folder_ / "model"; }

  fs::path folder_;
  TrainForecastOptions options_;
};

TEST_F(Forecasting, TheLeaderboardIsSortedAndKept) {
  const auto rows = train_forecast(options_, model()).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_LE(rows[0].mase, rows[1].mase);
  EXPECT_LE(rows[1].mase, rows[2].mase);
  EXPECT_EQ(rows[0].model, "prophet");
  for (const auto& row : rows) {
    EXPECT_GE(row.rmse, row.mae);
    ASSERT_TRUE(row.coverage);
  }
  const auto kept = read_leaderboard(model()).value();
  EXPECT_EQ(kept[2].version, rows[2].version);
  EXPECT_EQ(kept[1].mase, rows[1].mase);
  EXPECT_EQ(train_forecast(options_, model()).value()[0].version.substr(0, 2), "2-");
}

TEST_F(Forecasting, ModelsThatAreTrainedSideBySideJoinOneRunAndItsLeaderboard) {
  const auto train = [this](const std::string& name, bool join) {
    TrainForecastOptions options = options_;
    options.models = {name};
    options.join = join;
    return train_forecast(options, model()).value().size();
  };
  EXPECT_EQ(train("naive", false), 1U);
  std::thread other([&] { (void)train("seasonal-naive", true); });
  (void)train("prophet", true);
  other.join();
  auto rows = read_leaderboard(model()).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_LE(rows[0].mase, rows[1].mase);
  EXPECT_LE(rows[1].mase, rows[2].mase);
  for (const auto& row : rows) EXPECT_TRUE(row.version.starts_with("1-")) << row.version;
  EXPECT_EQ(train("prophet", true), 3U) << "training again replaces the first version";
  EXPECT_EQ(train("naive", false), 1U) << "another run has its own leaderboard";
}

TEST_F(Forecasting, SeasonalNaiveRepeatsTheYearForAsLongAsAsked) {
  options_.models = {"seasonal-naive"};
  (void)train_forecast(options_, model()).value();
  const auto forecaster = Forecaster::open(model()).value();
  ForecastRequest request;
  request.length = 30;
  const auto forecast = forecaster.forecast(request).value();
  ASSERT_EQ(forecast.values.size(), 30U);
  const auto& window = forecaster.recorded_window()->rows;
  for (std::size_t i = 0; i < 30; ++i) {
    const double then = window[window.size() - 3 * (12 - i % 12)];
    EXPECT_NEAR(forecast.values[i][0], then, 1e-3) << i;
    EXPECT_LT(forecast.lower[i][0], forecast.values[i][0]);
    EXPECT_GT(forecast.upper[i][0], forecast.values[i][0]);
  }
  EXPECT_GT(forecast.upper[29][0] - forecast.values[29][0], forecast.upper[0][0] - forecast.values[0][0]);
}

TEST_F(Forecasting, AnIntervalNeverBecomesNarrowerThanTheOneBefore) {
  options_.models = {"naive"};
  (void)train_forecast(options_, model()).value();
  const auto forecaster = Forecaster::open(model()).value();
  ForecastRequest request;
  request.length = 5 * forecaster.series().horizon + 1;
  const auto forecast = forecaster.forecast(request).value();
  for (std::size_t i = 1; i < request.length; ++i) {
    for (std::size_t target = 0; target < forecast.values[i].size(); ++target) {
      const auto below = [&](std::size_t row) {
        return forecast.values[row][target] - forecast.lower[row][target];
      };
      const auto above = [&](std::size_t row) {
        return forecast.upper[row][target] - forecast.values[row][target];
      };
      EXPECT_GT(below(i), below(i - 1) * 0.99999) << i;
      EXPECT_GT(above(i), above(i - 1) * 0.99999) << i;
    }
  }
  const std::size_t last = forecaster.series().horizon - 1;
  EXPECT_NEAR((forecast.upper[5 * last + 4][0] - forecast.values[5 * last + 4][0]) /
                  (forecast.upper[last][0] - forecast.values[last][0]),
              std::sqrt(5), 1e-3)
      << "five pieces, a random walk";
}

TEST_F(Forecasting, AWindowOfItsOwnGapsIncludedIsGoneOnFrom) {
  options_.models = {"naive"};
  (void)train_forecast(options_, model()).value();
  const auto forecaster = Forecaster::open(model()).value();
  ForecastRequest request;
  request.window.emplace();
  for (int i = 0; i < 25; ++i) {  // longer than the history
    for (const double value : {1.0 * i, 2.0 * i, 0.0}) request.window->rows.push_back(value);
  }
  request.window->rows[72] = std::nan("");  // a gap in the last row's sales, to be filled from the row before
  const auto forecast = forecaster.forecast(request).value();
  EXPECT_NEAR(forecast.values[0][0], 23, 1e-3);
  EXPECT_NEAR(forecast.values[0][1], 48, 1e-3);
}

TEST_F(Forecasting, AConstantSeriesIsForecastAsItself) {
  std::string csv = "y\n";
  for (int i = 0; i < 60; ++i) csv += "42\n";
  testing::write_text(folder_ / "constant.csv", csv);
  options_.data = folder_ / "constant.csv";
  options_.columns = {{"y"}, {}, ""};
  const auto rows = train_forecast(options_, model()).value();
  for (const auto& row : rows) {
    EXPECT_EQ(row.mae, 0) << row.model;
    promote(model(), row.version).value();
    const auto forecast = Forecaster::open(model()).value().forecast({}).value();
    EXPECT_EQ(forecast.values[0][0], 42);
  }
}

TEST_F(Forecasting, WhatIsServedKnowsTheSeriesToItsEnd) {
  // The series rises for four fifths and then falls: a model fitted without the last fifth would forecast
  // 180 or more.
  std::string csv = "y\n";
  for (int i = 0; i < 200; ++i) csv += std::to_string(i < 160 ? 20 + i : 180 - 2.4 * (i - 160)) + "\n";
  testing::write_text(folder_ / "turned.csv", csv);
  options_.data = folder_ / "turned.csv";
  options_.columns = {{"y"}, {}, ""};
  const auto rows = train_forecast(options_, model()).value();
  for (const auto& row : rows) {
    const auto forecaster = open_version(model(), row.version);
    EXPECT_NEAR(forecaster.forecast({}).value().values[0][0], 84, 25) << row.version;
    EXPECT_NEAR(forecaster.series().mean[0], 108, 3) << "the normalisation, too";
    EXPECT_TRUE(fs::exists(model() / row.version / "infer.json"));
  }
  for (const auto& entry : fs::directory_iterator(model()))
    EXPECT_FALSE(entry.path().string().ends_with("~")) << entry.path() << ": no unfinished file is left";
}

TEST_F(Forecasting, AnotherUnitOrLevelGivesTheSameForecastInIt) {
  const auto forecasts_of = [&](double factor, double level) {
    std::string csv = "y\n";
    for (int i = 0; i < 80; ++i) {
      std::ostringstream cell;
      cell.precision(17);
      cell << (3 + std::sin(i * 0.5) + 0.02 * i) * factor + level;
      csv += cell.str() + "\n";
    }
    testing::write_text(folder_ / "scaled.csv", csv);
    options_.data = folder_ / "scaled.csv";
    options_.columns = {{"y"}, {}, ""};
    options_.season = 12;
    std::map<std::string, double> values;
    const auto rows = train_forecast(options_, model()).value();
    for (const auto& row : rows) {
      const auto forecaster = open_version(model(), row.version);
      ForecastRequest request;
      request.length = 3;
      const auto forecast = forecaster.forecast(request).value();
      values[row.model] = (forecast.values[2][0] - level) / factor;
      values[row.model + " width"] = (forecast.upper[2][0] - forecast.lower[2][0]) / factor;
      values[row.model + " MASE"] = row.mase;
      values[row.model + " RMSE"] = row.rmse / factor;
    }
    fs::remove_all(model());
    return values;
  };
  const auto expected = forecasts_of(1, 0);
  for (const auto& [factor, level] :
       {std::pair{1e-9, 0.0}, {1.0, 1e6}, {1e12, 0.0}, {1e-200, 0.0}, {1e200, 0.0}, {-1e9, 1e12}}) {
    for (const auto& [what, value] : forecasts_of(factor, level))
      EXPECT_NEAR(what.ends_with("width") || what.ends_with("RMSE") ? std::abs(value) : value,
                  expected.at(what), 1e-3)
          << what << " of a series times " << factor << " plus " << level;
  }
}

TEST_F(Forecasting, WhatWasMadeUpIsSaidAndRecorded) {
  std::string csv = "y\n";
  for (int i = 0; i < 60; ++i) csv += i % 10 == 3 ? "NA\n" : std::to_string(i) + "\n";
  testing::write_text(folder_ / "gaps.csv", csv);
  options_.data = folder_ / "gaps.csv";
  options_.columns = {{"y"}, {}, ""};
  options_.models = {"naive"};
  std::string said;
  options_.notice = [&](const std::string& line) { said += line; };
  (void)train_forecast(options_, model()).value();
  EXPECT_NE(said.find("6 missing values took the value above"), std::string::npos) << said;
  EXPECT_NE(read_manifest(model(), "1-naive").value().source.find(R"("missing_values":6)"),
            std::string::npos);
  const auto forecaster = Forecaster::open(model()).value();
  EXPECT_EQ(forecaster.forecast({}).value().filled, 0U);
  ForecastRequest request{.length = 1, .window = ForecastWindow{std::vector<double>(20, 1), 0}};
  request.window->rows[5] = request.window->rows[15] = std::nan("");  // the first gap lies before the history
  EXPECT_EQ(forecaster.forecast(request).value().filled, 1U);
}

TEST_F(Forecasting, ValuesThatCannotBeComputedWithAreTheClientsFault) {
  (void)train_forecast(options_, model()).value();
  const auto rows = read_leaderboard(model()).value();
  for (const auto& row : rows) {
    const auto forecaster = open_version(model(), row.version);
    const std::size_t rows = forecaster.series().history;
    for (const double value : {1e300, -1.7e308, HUGE_VAL, 1e60}) {
      ForecastRequest request{.length = 1, .window = ForecastWindow{std::vector<double>(rows * 3, 1), 0}};
      request.window->rows[3 * 4 + 1] = value;
      const auto forecast = forecaster.forecast(request);
      ASSERT_FALSE(forecast) << row.version << " " << value;
      EXPECT_EQ(forecast.error().code, ErrorCode::kInvalidArgument);
      EXPECT_NE(forecast.error().message.find("rows[4]: 'visits' is "), std::string::npos)
          << forecast.error().message;
    }
    ForecastRequest request{.length = 3, .future = {{"price", {1, 2, 1e300}}}};
    EXPECT_NE(forecaster.forecast(request).error().message.find("future.price[2]: 'price' is 1e+300"),
              std::string::npos)
        << forecaster.forecast(request).error().message;
  }
}

TEST_F(Forecasting, OutputsThatAreNotFiniteAreAModelError) {
  options_.models = {"prophet"};
  (void)train_forecast(options_, model()).value();
  for (const char* field : {"\"offset\": ", "\"sigma\": "}) {
    const auto file = model() / "1-prophet" / "model.json";
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    testing::write_text(file,
                        std::string(text).insert(text.find(field) + std::strlen(field), "1e300,\"was\":"));
    const auto forecast = Forecaster::open(model()).value().forecast({});
    testing::write_text(file, text);
    ASSERT_FALSE(forecast) << field;
    EXPECT_EQ(forecast.error().code, ErrorCode::kModelError);
    EXPECT_NE(forecast.error().message.find("must be finite"), std::string::npos) << forecast.error().message;
    EXPECT_NE(forecast.error().message.find("model 'model', output '"), std::string::npos)
        << forecast.error().message;
  }
}

TEST_F(Forecasting, WhatIsWrongIsNamed) {
  options_.models = {"naive"};
  (void)train_forecast(options_, model()).value();
  const auto forecaster = Forecaster::open(model()).value();
  const auto message = [&](const ForecastRequest& request) {
    return forecaster.forecast(request).error().message;
  };
  EXPECT_EQ(message({.length = 0}), "inference_length: 0 is outside 1 to 1000");
  EXPECT_EQ(message({.length = 1001}), "inference_length: 1001 is outside 1 to 1000");
  EXPECT_EQ(message({.window = ForecastWindow{{1, 2, 3}, 0}}), "rows: 1 rows given, the model needs 10");
  ForecastRequest request;
  request.future["sales"] = {1};
  EXPECT_EQ(message(request), "future: 'sales' is not a feature of this model");
  request.future = {{"price", {}}};
  EXPECT_EQ(message(request), "future.price: 0 values given for 1 rows");
  EXPECT_FALSE(promote(model(), "9-none"));
  EXPECT_FALSE(promote(model(), "../model"));
}

TEST_F(Forecasting, TooFewRowsAreAClearError) {
  options_.history = 100;
  const auto trained = train_forecast(options_, model());
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message.find("has 120 rows"), std::string::npos) << trained.error().message;
  options_.models = {"crystal-ball"};
  EXPECT_FALSE(train_forecast(options_, model()));
}

}  // namespace
}  // namespace infer::inline v0
