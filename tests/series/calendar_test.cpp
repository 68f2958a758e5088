#include "infer/series/calendar.h"

#include <gtest/gtest.h>

namespace infer::inline v0 {
namespace {

TEST(Calendar, TimesOfManyFormsAreRead) {
  const double may = parse_time("2024-05-01").value();
  EXPECT_EQ(format_time(may), "2024-05-01T00:00:00Z");
  EXPECT_EQ(parse_time("20240501").value(), may);
  EXPECT_EQ(parse_time("2024-05").value(), may);
  EXPECT_EQ(parse_time("202405").value(), may);
  EXPECT_EQ(parse_time("2024-05-01T00:00:00Z").value(), may);
  EXPECT_EQ(parse_time("2024/05/01 00:00").value(), may);
  EXPECT_EQ(parse_time("2024-05-01T12:30:15.25Z").value(), may + 45015.25);
  EXPECT_EQ(format_time(parse_time("2024Q2").value()), "2024-04-01T00:00:00Z");
  EXPECT_EQ(format_time(parse_time("1959.0").value()), "1959-01-01T00:00:00Z");
  EXPECT_EQ(parse_time("1700000000").value(), 1.7e9);
  EXPECT_EQ(format_time(parse_time("1700").value()), "1700-01-01T00:00:00Z");
  EXPECT_EQ(format_time(parse_time("9999-12-31T23:59:60").value()), "9999-12-31T23:59:59Z");
}

TEST(Calendar, OffsetsAreTakenOff) {
  const double noon = parse_time("2024-05-01T12:00:00Z").value();
  for (const char* text : {"2024-05-01T14:00:00+02:00", "2024-05-01T17:30:00+0530", "2024-05-01 04:00:00-08",
                           "2024-05-01T12:00+00:00", "2024-05-01 12:00:00 UTC", "20240501T120000Z",
                           "2024-05-01T12:00:00.000000+00:00", "2024-05-01t12:00z", " 2024-05-01 12:00:00 ",
                           "2024-05-02T00:45:00+12:45", "2024-05-01 15:30:00 +0330"})
    EXPECT_EQ(parse_time(text).value_or(0), noon) << text;
  EXPECT_EQ(parse_zoned_time("2024-05-01T14:00:00+02:00").value().offset, 7200);
  EXPECT_NEAR(parse_time("2024-05-01T12:00:00,125Z").value() - noon, 0.125, 1e-6);
  EXPECT_EQ(format_time(parse_time("0000-01-01T00:00:00+14:00").value()), "0000-01-01T00:00:00Z");
}

TEST(Calendar, WhatIsNoTimeIsAnError) {
  for (const char* text : {"",
                           "yesterday",
                           "2024-13",
                           "2024-02-30",
                           "2024-05-01T25:00",
                           "2024-05-01T12",
                           "20240532",
                           "2024Q5",
                           "99999999999999999999",
                           "2024-05-01 12:30 or so",
                           "999999999999",
                           "2024-05-",
                           "2024-05-01T12:30+25:00",
                           "2024-05-01T12:30+",
                           "2024-05-01T12:30+02:0",
                           "2024-05-01T12:30:00.Z",
                           "2024-05-01T12:30Zulu",
                           "2024-05-01T12:",
                           "2024-05-01T",
                           "2024-05-01T12:30+02:00:00"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Calendar, MonthsAreStepsOfTheirOwn) {
  std::vector<double> times;
  for (const char* text : {"2023-10", "2023-11", "2023-12", "2024-01", "2024-02"})
    times.push_back(parse_time(text).value());
  const Step step = infer_step(times);
  EXPECT_EQ(step, (Step{0, 1}));
  EXPECT_EQ(format_time(advance(times.front(), step, 5)), "2024-03-01T00:00:00Z");
  EXPECT_EQ(usual_season(step), 12U);
  EXPECT_EQ(format_time(advance(parse_time("2024-01-31").value(), step, 1)), "2024-02-29T00:00:00Z");
}

TEST(Calendar, AGapDoesNotChangeTheStep) {
  const std::vector<double> days{0, 86400, 2 * 86400, 9 * 86400, 10 * 86400};
  EXPECT_EQ(infer_step(days), (Step{86400, 0}));
  EXPECT_EQ(usual_season({86400, 0}), 7U);
  EXPECT_EQ(usual_season({7 * 86400, 0}), 52U);
  EXPECT_EQ(usual_season({3600, 0}), 24U);
}

TEST(Calendar, FeaturesGoRoundOnceAPeriod) {
  EXPECT_NEAR(calendar_feature("hour_sin", 6 * 3600).value(), 1, 1e-12);
  EXPECT_NEAR(calendar_feature("hour_cos", 12 * 3600).value(), -1, 1e-12);
  const double start = parse_time("2024-01-01").value();
  EXPECT_NEAR(calendar_feature("year_cos", start).value(), 1, 1e-12);
  EXPECT_EQ(calendar_feature("weekday_sin", start).value(),
            calendar_feature("weekday_sin", start + 7 * 86400).value());
  EXPECT_FALSE(calendar_feature("moon_sin", 0));
  EXPECT_FALSE(calendar_feature("year_tan", 0));
}

}  // namespace
}  // namespace infer::inline v0
