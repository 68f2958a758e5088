#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The time from one row of a series to the next: a number of calendar months, or else of seconds.
struct Step {
  double seconds = 1;      ///< Used if `months` is 0.
  std::size_t months = 0;  ///< Calendar months; 0: the step is in seconds.
  /// Returns true if both fields are equal.
  friend bool operator==(const Step&, const Step&) = default;
};

/// A time and its offset from UTC.
struct ZonedTime {
  double utc = 0;     ///< Seconds since 1970-01-01 in UTC.
  double offset = 0;  ///< Seconds ahead of UTC.
};

/// Reads a date or time.
///
/// Examples: "2024-05-01", "2024-05-01T12:30:00", "2024-05-01 12:30:00.25+02:00", "20240501T123000Z",
/// "2024-05", "2024", "20240501", "202405", "2024Q2". A time without an offset is in UTC. A number of more
/// than eight digits counts seconds since 1970.
///
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<ZonedTime> parse_zoned_time(std::string_view text);
/// Reads a date or time as `parse_zoned_time` does, and returns seconds since 1970 in UTC.
///
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<double> parse_time(std::string_view text);
/// Returns a time in UTC as text, such as "2024-05-01T12:30:00Z".
INFER_EXPORT std::string format_time(double seconds);
/// Returns `time` moved forward by `count` steps.
INFER_EXPORT double advance(double time, const Step& step, std::size_t count);
/// Returns the step between most neighbours of the ascending `times`.
INFER_EXPORT Step infer_step(std::span<const double> times);
/// Returns the number of rows after which a series of this step tends to repeat.
///
/// 24 for hours, 7 for days, 52 for weeks, 12 for months, 4 for quarters; else 1.
INFER_EXPORT std::size_t usual_season(const Step& step);
/// Returns the calendar features that suit a step, such as "year_sin" and "year_cos".
INFER_EXPORT std::vector<std::string> usual_calendar(const Step& step);
/// Returns a calendar feature at `time`: sine or cosine of the position in the day, week or year.
///
/// Errors: `kInvalidArgument` (unknown name).
INFER_EXPORT Result<double> calendar_feature(std::string_view name, double time);

}  // namespace infer::inline v0
