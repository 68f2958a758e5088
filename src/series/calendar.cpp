#include "infer/series/calendar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <numbers>
#include <optional>

namespace infer::inline v0 {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr double kDay = 86400;
constexpr double kFirstSecond = -62167219200;  // of the year 0
constexpr double kLastSecond = 253402300799;   // of the year 9999, the last year of four digits

struct Civil {
  year_month_day date;
  double second;  // of the day
};

Civil civil(double time) {
  const double whole = std::floor(time / kDay);
  return {year_month_day(sys_days(days(static_cast<int>(whole)))), time - whole * kDay};
}

double seconds_of(const year_month_day& date, double second) {
  return static_cast<double>(sys_days(date).time_since_epoch().count()) * kDay + second;
}

/// Returns the months since year 0.
long month_number(double time) {
  const auto date = civil(time).date;
  return static_cast<int>(date.year()) * 12L + static_cast<unsigned>(date.month()) - 1;
}

/// Removes `count` digits from the front and returns their value; -1 if there are fewer.
int digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

/// Reads what follows the date: "12:30", "12:30:00", "12:30:00.5" or, without colons, "123000".
std::optional<double> read_clock(std::string_view& text) {
  const int hour = digits(text, 2);
  const bool colons = skip(text, ":");
  const int minute = digits(text, 2);
  const int second = (colons ? skip(text, ":") : starts_with_digit(text)) ? digits(text, 2) : 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  double value = hour * 3600 + minute * 60 + second;
  if (!skip(text, ".,")) return value;
  if (!starts_with_digit(text)) return std::nullopt;
  for (double place = 0.1; starts_with_digit(text); place /= 10) {
    value += place * (text.front() - '0');
    text.remove_prefix(1);
  }
  return value;
}

/// Reads what follows the time of day: "Z", "UTC", "+02:00", "+0530" or "-08". Returns the seconds ahead of
/// UTC.
std::optional<double> read_offset(std::string_view& text) {
  skip(text, " ");
  if (text.empty() || text == "UTC" || text == "GMT" || text == "Z" || text == "z") {
    text = {};
    return 0;
  }
  const double sign = text.front() == '-' ? -1 : 1;
  if (!skip(text, "+-")) return std::nullopt;
  const int hours = digits(text, 2);
  const bool minutes_follow = skip(text, ":") || !text.empty();
  const int minutes = minutes_follow ? digits(text, 2) : 0;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

Result<ZonedTime> parse_zoned_time(std::string_view given) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidArgument,
                "'" + std::string(given.substr(0, 40)) +
                    "' is not a time such as 2024-05-01, 2024-05-01T12:30:00 or 2024-05-01T12:30:00.5+02:00");
  };
  std::string_view text = given;
  while (skip(text, " \t")) {
  }
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  const bool number =
      text.substr(0, text.find(".0")).find_first_not_of("0123456789") == std::string_view::npos;
  if (number && text.ends_with(".0")) text.remove_suffix(2);  // a year that was written as a decimal
  if (number && text.size() > 8 && text.size() < 13) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds > kLastSecond) return bad();
    return ZonedTime{seconds, 0};
  }
  const int years = digits(text, 4);
  if (years < 0) return bad();
  int months = 1;
  int day_of_month = 1;
  double second = 0;
  double offset = 0;
  const bool dashed = skip(text, "-/");
  if (skip(text, "Qq")) {
    const int quarter = digits(text, 1);
    if (quarter < 1 || quarter > 4) return bad();
    months = 3 * quarter - 2;
  } else if (!text.empty() || dashed) {
    months = digits(text, 2);
    if (months < 0 || (dashed && !text.empty() && (!skip(text, "-/") || text.empty()))) return bad();
    if (!text.empty()) day_of_month = digits(text, 2);
    if (skip(text, "Tt ")) {
      const auto clock = read_clock(text);
      const auto zone = clock ? read_offset(text) : std::nullopt;
      if (!zone) return bad();
      second = *clock;
      offset = *zone;
    }
  }
  const year_month_day date(year(years), month(static_cast<unsigned>(std::max(months, 0))),
                            day(static_cast<unsigned>(std::max(day_of_month, 0))));
  if (!text.empty() || !date.ok()) return bad();
  // Offsets and leap seconds may lead beyond the years of four digits.
  return ZonedTime{std::clamp(seconds_of(date, second) - offset, kFirstSecond, kLastSecond), offset};
}

Result<double> parse_time(std::string_view text) {
  auto time = parse_zoned_time(text);
  if (!time) return Unexpected(time.error());
  return time->utc;
}

std::string format_time(double time) {
  const Civil at = civil(time);
  const int second = static_cast<int>(at.second);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(at.date.year()),
                static_cast<unsigned>(at.date.month()), static_cast<unsigned>(at.date.day()), second / 3600,
                second / 60 % 60, second % 60);
  return text.data();
}

double advance(double time, const Step& step, std::size_t count) {
  if (step.months == 0) return time + step.seconds * static_cast<double>(count);
  const Civil at = civil(time);
  auto date = at.date + std::chrono::months(static_cast<int>(step.months * count));
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;  // such as 31 January plus a month
  return seconds_of(date, at.second);
}

Step infer_step(std::span<const double> times) {
  if (times.size() < 2) return {};
  std::map<long, std::size_t> months;
  std::vector<double> differences;
  bool same_day = true;
  const Civil first = civil(times.front());
  for (std::size_t i = 1; i < times.size(); ++i) {
    differences.push_back(times[i] - times[i - 1]);
    const Civil at = civil(times[i]);
    same_day = same_day && at.date.day() == first.date.day() && at.second == first.second;
    ++months[month_number(times[i]) - month_number(times[i - 1])];
  }
  if (same_day && months.begin()->first > 0) {
    const auto most = std::max_element(months.begin(), months.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return {0, static_cast<std::size_t>(most->first)};
  }
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  return {*middle, 0};
}

std::size_t usual_season(const Step& step) {
  if (step.months > 0) return step.months < 12 && 12 % step.months == 0 ? 12 / step.months : 1;
  if (step.seconds >= 60 && step.seconds < kDay)
    return static_cast<std::size_t>(std::lround(kDay / step.seconds));
  if (step.seconds == kDay) return 7;
  if (step.seconds == 7 * kDay) return 52;
  return 1;
}

std::vector<std::string> usual_calendar(const Step& step) {
  const double seconds = step.months > 0 ? static_cast<double>(step.months) * 30 * kDay : step.seconds;
  std::vector<std::string> names;
  if (seconds < 60) return names;  // numbered rows, and steps too short for calendar features
  if (seconds < kDay) names.insert(names.end(), {"hour_sin", "hour_cos"});
  if (seconds < 7 * kDay) names.insert(names.end(), {"weekday_sin", "weekday_cos"});
  if (seconds >= kDay && seconds < 200 * kDay) names.insert(names.end(), {"year_sin", "year_cos"});
  return names;
}

Result<double> calendar_feature(std::string_view name, double time) {
  const Civil at = civil(time);
  double part = 0;
  if (name.starts_with("hour_")) {
    part = at.second / kDay;
  } else if (name.starts_with("weekday_")) {
    part = std::chrono::weekday(sys_days(at.date)).c_encoding() / 7.0;
  } else if (name.starts_with("year_")) {
    const auto start = sys_days(at.date.year() / 1 / 1);
    part = (static_cast<double>((sys_days(at.date) - start).count()) + at.second / kDay) / 365.25;
  } else {
    return fail(ErrorCode::kInvalidArgument, "calendar: '" + std::string(name) + "' is not a feature");
  }
  const double angle = 2 * std::numbers::pi * part;
  if (name.ends_with("_sin")) return std::sin(angle);
  if (name.ends_with("_cos")) return std::cos(angle);
  return fail(ErrorCode::kInvalidArgument, "calendar: '" + std::string(name) + "' is not a feature");
}

}  // namespace infer::inline v0
