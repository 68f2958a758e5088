#include "infer/series/series.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include "csv.h"
#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxRows = 10'000'000;
constexpr double kMaxValue = 1e300;  // keeps the sum of all rows finite

std::string_view trimmed(std::string_view cell) {
  const auto first = cell.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
}

/// Returns a number, or NaN for a missing number. An error says what is wrong with the cell.
Result<double> read_number(std::string_view cell) {
  const auto wrong = [&](const char* why) {
    return invalid("'" + std::string(cell.substr(0, 40)) + "' " + why);
  };
  std::string_view text = trimmed(cell);
  for (const char* missing : {"", "NA", "NaN", "nan", "null"}) {
    if (text == missing) return kMissing;
  }
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument)
    return wrong("is not a number");
  if (error == std::errc::result_out_of_range) {
    const auto power = text.find_first_of("eE");
    const bool small = power != std::string_view::npos ? text.substr(power + 1).starts_with('-')
                                                       : text.find_first_of("123456789") > text.find('.');
    if (small) return 0.0;
    value = std::numeric_limits<double>::infinity();
  }
  if (std::isnan(value))
    return wrong("is not a number; write a missing number as an empty cell, NA, NaN or null");
  if (std::isinf(value)) return wrong("is not finite; leave the cell empty if its value is missing");
  if (std::abs(value) > kMaxValue) return wrong("is beyond the limits of -1e300 and 1e300");
  return value;
}

Result<std::size_t> find_column(const Csv& csv, const std::string& name) {
  const auto found = std::find(csv.header.begin(), csv.header.end(), name);
  if (found != csv.header.end()) return static_cast<std::size_t>(found - csv.header.begin());
  std::string known;
  for (const auto& other : csv.header) known += (known.empty() ? "" : ", ") + other;
  return invalid("column '" + name + "' is not among " + known);
}

std::string place(const std::string& column, std::size_t row) {
  return "column '" + column + "', row " + std::to_string(row + 1) + ": ";
}

/// Reads a column of numbers; fills missing numbers from above and counts them.
Result<std::vector<double>> read_column(const Csv& csv, const std::string& name, std::size_t& missing) {
  const auto column = find_column(csv, name);
  if (!column) return Unexpected(column.error());
  std::vector<double> values;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const auto value = read_number(csv.rows[i][*column]);
    if (!value) return invalid(place(name, i) + value.error().message);
    if (std::isnan(*value)) ++missing;
    values.push_back(std::isnan(*value) && !values.empty() ? values.back() : *value);
  }
  const auto first = std::find_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
  if (first == values.end()) return invalid("column '" + name + "' contains no number");
  std::fill(values.begin(), first, *first);
  return values;
}

bool ascending(const std::vector<double>& times) {
  return std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end();
}

Result<std::vector<double>> read_times(const Csv& csv, const std::string& name) {
  const auto column = find_column(csv, name);
  if (!column) return Unexpected(column.error());
  std::vector<double> times;
  std::vector<double> told;  // local times
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const std::string& cell = csv.rows[i][*column];
    auto time = parse_zoned_time(cell);
    if (!time) return invalid(place(name, i) + time.error().message);
    if (!times.empty() && time->utc <= times.back())
      return invalid(place(name, i) + cell + " is not after the time above it");
    times.push_back(time->utc);
    told.push_back(time->utc + time->offset);
  }
  if (told != times && ascending(told)) {
    const Step step = infer_step(told);
    if (step.months > 0 || std::fmod(step.seconds, 86400) == 0) return told;
  }
  return times;
}

}  // namespace

Result<Series> read_series(const std::filesystem::path& file, const SeriesColumns& wanted) {
  auto csv = read_csv(file);
  if (!csv) return Unexpected(csv.error());
  const auto in_file = [&](const Error& error) {
    return fail(error.code, file.string() + ": " + error.message);
  };
  if (csv->rows.size() < 2)
    return invalid(file.string() + ": has " + std::to_string(csv->rows.size()) +
                   " rows; at least 2 are needed");
  if (wanted.targets.empty()) return invalid("target: no column is named");
  Series series;
  series.columns = wanted.targets;
  series.columns.insert(series.columns.end(), wanted.features.begin(), wanted.features.end());
  std::vector<std::vector<double>> columns;
  for (const std::string& name : series.columns) {
    if (std::count(series.columns.begin(), series.columns.end(), name) > 1)
      return invalid("column '" + name + "' is named twice");
    auto column = read_column(*csv, name, series.made_up.cells);
    if (!column) return in_file(column.error());
    columns.push_back(*std::move(column));
  }
  const auto add_row = [&](std::size_t row) {
    for (const auto& column : columns) series.values.push_back(column[row]);
  };
  if (wanted.time.empty()) {
    for (std::size_t row = 0; row < csv->rows.size(); ++row) add_row(row);
    return series;
  }
  auto times = read_times(*csv, wanted.time);
  if (!times) return in_file(times.error());
  series.numbered = false;
  series.start = times->front();
  series.step = infer_step(*times);
  std::size_t row = 0;
  std::size_t used = times->size();  // the row of the previous grid time; none yet
  for (std::size_t i = 0;; ++i) {
    // Allows a hundredth of a step for 2024-02-29 plus a year, leap seconds and rounded times.
    const double tolerance = (advance(series.start, series.step, i + 1) - series.time(i)) / 100;
    const double grid = series.time(i) + tolerance;
    if (grid > times->back() + 2 * tolerance) return series;
    if (i == kMaxRows)
      return invalid(file.string() + ": a regular grid of the times has more than 10000000 rows");
    for (; row + 1 < times->size() && (*times)[row + 1] <= grid; ++row) {
      if (row != used) ++series.made_up.passed_over;
    }
    if (row == used) ++series.made_up.rows;
    used = row;
    add_row(row);
  }
}

}  // namespace infer::inline v0
