#include "infer/series/series.h"

#include <gtest/gtest.h>

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
           {"x\n1\n2\n", y, "no column 'y' among x"},
           {"y\n1\n", y, "has 1 rows"},
           {"y\n1\nmany\n", y, "column 'y', row 2: 'many' is no number"},
           {"y\n\"\"\nNaN\n", y, "column 'y' holds no number"},
           {"t,y\n2024-01-02,1\n2024-01-01,2\n", {{"y"}, {}, "t"}, "is not after"},
           {"t,y\n2024-01-02,1\nsoon,2\n", {{"y"}, {}, "t"}, "'soon' is no time"},
           {"y\n1\n2\n", {{"y"}, {"y"}, ""}, "named twice"},
           {"y\n1\n2\n", {{}, {}, ""}, "no column is named"}}) {
    const auto series = read(csv, columns);
    ASSERT_FALSE(series) << expected;
    EXPECT_NE(series.error().message.find(expected), std::string::npos) << series.error().message;
  }
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
