#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Time from one row of a series to the next: so many calendar months, or so many seconds.
struct Step {
  double seconds = 1;
  std::size_t months = 0;  ///< Where not 0, `seconds` is not used.
  friend bool operator==(const Step&, const Step&) = default;
};

/// A time and how far the clock that told it is ahead of UTC, both in seconds.
struct ZonedTime {
  double utc = 0;  ///< Since 1970.
  double offset = 0;
};

/// Reads "2024-05-01", "2024-05-01T12:30:00", "2024-05-01 12:30:00.25+02:00", "20240501T123000Z", "2024-05",
/// "2024", "20240501", "202405" or "2024Q2"; without an offset they are UTC. A number of more than eight
/// digits counts seconds itself. Errors: `kInvalidArgument`.
INFER_EXPORT Result<ZonedTime> parse_zoned_time(std::string_view text);
/// The same, in seconds since 1970.
INFER_EXPORT Result<double> parse_time(std::string_view text);
/// The inverse, as "2024-05-01T12:30:00Z".
INFER_EXPORT std::string format_time(double seconds);
/// `time` moved on by `count` steps.
INFER_EXPORT double advance(double time, const Step& step, std::size_t count);
/// The step that most neighbours of the ascending `times` have.
INFER_EXPORT Step infer_step(std::span<const double> times);
/// Rows after which a series of this step tends to repeat: 24 for hours, 7 for days, 52 for weeks, 12 for
/// months, 4 for quarters; else 1.
INFER_EXPORT std::size_t usual_season(const Step& step);
/// The calendar features worth having for a step, such as "year_sin" and "year_cos".
INFER_EXPORT std::vector<std::string> usual_calendar(const Step& step);
/// Sine or cosine of the part of the hour-of-day, weekday or year that `time` is at. Errors:
/// `kInvalidArgument` (a name there is not).
INFER_EXPORT Result<double> calendar_feature(std::string_view name, double time);

}  // namespace infer::inline v0
