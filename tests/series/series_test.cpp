#include "infer/series/series.h"

#include <gtest/gtest.h>

#include <sstream>

#include "../src/series/csv.h"
#include "infer/series/windows.h"
#include "support/checkpoint_files.h"

namespace infer::inline v0 {
namespace {

Result<Series> read(const std::string& csv, const SeriesColumns& columns) {
  const auto path = std::filesystem::temp_directory_path() / ("series-" + std::to_string(getpid()) + ".csv");
  testing::write_text(path, csv);
  auto series = read_series(path, columns);
  std::filesystem::remove(path);
  return series;
}

TEST(Csv, QuotesHoldCommasLineEndsAndQuotes) {
  const auto csv = parse_csv(
                       "\xEF\xBB\xBF"
                       "a,b\r\n\"1,2\",\"x\"\"y\nz\"\n\n3,\n")
                       .value();
  EXPECT_EQ(csv.header, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(csv.rows.size(), 2U);
  EXPECT_EQ(csv.rows[0], (std::vector<std::string>{"1,2", "x\"y\nz"}));
  EXPECT_EQ(csv.rows[1], (std::vector<std::string>{"3", ""}));
  const auto inches =
      parse_csv("a,b\r5\" disk,\"7\"\"\"\r8\" disk,2").value();  // old line ends that some spreadsheets write
  EXPECT_EQ(inches.rows[0], (std::vector<std::string>{"5\" disk", "7\""}));
  EXPECT_EQ(inches.rows[1], (std::vector<std::string>{"8\" disk", "2"}));
  EXPECT_NE(parse_csv("\xFF\xFE"
                      "a")
                .error()
                .message.find("save it as UTF-8"),
            std::string::npos);
  EXPECT_NE(parse_csv("a,b\n1\n").error().message.find("has 1 fields"), std::string::npos);
  EXPECT_FALSE(parse_csv("a\n\"1\n"));
  EXPECT_FALSE(parse_csv(""));
}

TEST(Series, GapsAndMissingCellsTakeTheValueAbove) {
  const auto series =
      read("t,y,x\n2024-01-01,NaN,1\n2024-01-02,2,\n2024-01-05,5,3\n2024-01-06,,NA\n2024-01-07,7,4\n",
           {{"y"}, {"x"}, "t"})
          .value();
  EXPECT_EQ(series.rows(), 7U);
  EXPECT_EQ(series.step, (Step{86400, 0}));
  std::vector<double> y;
  for (std::size_t i = 0; i < 7; ++i) y.push_back(series.at(i, 0));
  EXPECT_EQ(y, (std::vector<double>{2, 2, 2, 2, 5, 5, 7}));
  EXPECT_EQ(series.at(1, 1), 1);
}

TEST(Series, IrregularTimesAreLaidOnAGrid) {
  const auto series =
      read(
          "t,y\n2024-01-01T00:00,1\n2024-01-01T01:00,2\n2024-01-01T01:40,9\n2024-01-01T02:00,3\n"
          "2024-01-01T03:00,4\n2024-01-01T04:00,5\n2024-01-01T05:00,6\n",
          {{"y"}, {}, "t"})
          .value();
  EXPECT_EQ(series.step, (Step{3600, 0}));
  ASSERT_EQ(series.rows(), 6U);
  EXPECT_EQ(series.at(1, 0), 2);
  EXPECT_EQ(series.at(2, 0), 3);
}

TEST(Series, WhatIsWrongIsNamed) {
  const SeriesColumns y{{"y"}, {}, ""};
  for (const auto& [csv, columns, expected] :
       std::vector<std::tuple<std::string, SeriesColumns, std::string>>{
           {"x\n1\n2\n", y, "column 'y' is not among x"},
           {"y\n1\n", y, "has 1 rows"},
           {"y\n1\nmany\n", y, "column 'y', row 2: 'many' is not a number"},
           {"y\n\"\"\nNaN\n", y, "column 'y' contains no number"},
           {"t,y\n2024-01-02,1\n2024-01-01,2\n", {{"y"}, {}, "t"}, "is not after"},
           {"t,y\n2024-01-02,1\nsoon,2\n", {{"y"}, {}, "t"}, "'soon' is not a time"},
           {"y\n1\n2\n", {{"y"}, {"y"}, ""}, "named twice"},
           {"y\n1\n2\n", {{}, {}, ""}, "no column is named"},
           {"y\n1\ninf\n", y, "column 'y', row 2: 'inf' is not finite"},
           {"y\n1\n-Infinity\n", y, "column 'y', row 2: '-Infinity' is not finite"},
           {"y\n1e999\n2\n", y, "column 'y', row 1: '1e999' is not finite"},
           {"y\n1e301\n2\n", y, "column 'y', row 1: '1e301' is beyond the limits of -1e300 and 1e300"},
           {"y\n1\n-nan\n", y, "column 'y', row 2: '-nan' is not a number"},
           {"y\n1\nnan(ind)\n", y, "column 'y', row 2: 'nan(ind)' is not a number"},
           {"y\n1\n+-2\n", y, "column 'y', row 2: '+-2' is not a number"},
           {"y,x,y\n1,2,3\n4,5,6\n", y, "line 1: 'y' names both column 1 and column 3"},
           {"y,x,x\n1,2,3\n4,5,6\n", y, "line 1: 'x' names both column 2 and column 3"}}) {
    const auto series = read(csv, columns);
    ASSERT_FALSE(series) << expected;
    EXPECT_NE(series.error().message.find(expected), std::string::npos) << series.error().message;
  }
}

TEST(Series, WhatIsMadeUpIsCounted) {
  const auto series =
      read(
          "t,y,x\n2024-01-01,NaN,1\n2024-01-02,2,\n2024-01-05,5,3\n2024-01-06,,NA\n2024-01-06T12:00,6,6\n"
          "2024-01-07,7,4\n",
          {{"y"}, {"x"}, "t"})
          .value();
  EXPECT_EQ(series.made_up, (MadeUp{4, 2, 1}));
  EXPECT_TRUE(read(",y,\n0,1e-400,\n1,+2,\n", {{"y"}, {}, ""}).value().made_up.nothing());
}

TEST(Series, DaysAndMonthsGoByTheClockThatToldThem) {
  // Berlin changes its clocks on 31 March and 27 October 2024: one day has 23 hours, another 25.
  std::string months = "t,y\n";
  for (int month = 1; month <= 12; ++month)
    months += "2024-" + std::string(month < 10 ? "0" : "") + std::to_string(month) + "-01T00:00:00" +
              (month > 3 && month < 11 ? "+02:00," : "+01:00,") + std::to_string(month) + "\n";
  const auto by_month = read(months, {{"y"}, {}, "t"}).value();
  EXPECT_EQ(by_month.step, (Step{0, 1}));
  EXPECT_EQ(by_month.rows(), 12U);
  EXPECT_TRUE(by_month.made_up.nothing());
  std::string days = "t,y\n";
  for (int day = 20; day <= 31; ++day)
    days += "2024-10-" + std::to_string(day) + "T00:00:00" + (day > 27 ? "+01:00," : "+02:00,") +
            std::to_string(day) + "\n";
  const auto by_day = read(days, {{"y"}, {}, "t"}).value();
  ASSERT_EQ(by_day.rows(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(by_day.at(i, 0), 20.0 + static_cast<double>(i));
  const auto by_hour =
      read(
          "t,y\n2024-10-27T01:00+02:00,1\n2024-10-27T02:00+02:00,2\n2024-10-27T02:00+01:00,3\n"
          "2024-10-27T03:00+01:00,4\n",
          {{"y"}, {}, "t"})
          .value();
  EXPECT_EQ(by_hour.rows(), 4U);
  EXPECT_EQ(by_hour.step, (Step{3600, 0}));
  const auto by_tenth =
      read("t,y\n2024-01-01T00:00:00.1Z,1\n2024-01-01T00:00:00.2Z,2\n2024-01-01T00:00:00.3Z,3\n",
           {{"y"}, {}, "t"})
          .value();
  EXPECT_EQ(by_tenth.rows(), 3U);
}

TEST(Series, ConstantIsJudgedRelativeToTheValues) {
  const auto inputs_of = [](double factor, double level) {
    std::string csv = "y\n";
    for (const double value : {3.0, 1.0, 4.0, 1.0, 5.0, 9.0}) {
      std::ostringstream cell;
      cell.precision(17);
      cell << value * factor + level;
      csv += cell.str() + "\n";
    }
    const auto series = read(csv, {{"y"}, {}, ""}).value();
    SeriesSpec spec;
    spec.columns = series.columns;
    fit_normalisation(series, 6, spec).value();
    return normalised_inputs(spec, series.values, 5).value();
  };
  const auto expected = inputs_of(1, 0);
  for (const auto& [factor, level] : {std::pair{1e-9, 0.0},
                                      {1.0, 1e6},
                                      {1e12, 0.0},
                                      {1e-300, 0.0},
                                      {1e299, 0.0},
                                      {1.0, 1e12},
                                      {1e-9, 1e3}}) {
    const auto found = inputs_of(factor, level);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-3) << factor << " " << level;
  }
  for (const float value : inputs_of(0, 0.1)) EXPECT_EQ(value, 0);
  for (const float value : inputs_of(1e-16, 1))
    EXPECT_NEAR(value, 0, 1e-12) << "rounding errors do not count as variation";
}

TEST(Series, AConstantColumnIsNotDividedByItsDeviation) {
  const auto series = read("y,c\n1,1e12\n2,1e12\n3,1e12\n", {{"y"}, {"c"}, ""}).value();
  SeriesSpec spec;
  spec.columns = series.columns;
  fit_normalisation(series, 3, spec).value();
  EXPECT_EQ(spec.scale[1], 1);
  const auto inputs = normalised_inputs(spec, series.values, 2).value();
  EXPECT_EQ(inputs[1], 0);
  EXPECT_NEAR(inputs[0], -1.2247449, 1e-6);
}

}  // namespace
}  // namespace infer::inline v0
