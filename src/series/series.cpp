#include "infer/series/series.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "csv.h"

namespace infer::inline v0 {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxRows = 10'000'000;

Unexpected bad(const std::string& what) { return fail(ErrorCode::kInvalidArgument, what); }

std::optional<double> read_number(std::string_view cell) {
  while (cell.starts_with(' ')) cell.remove_prefix(1);
  while (cell.ends_with(' ')) cell.remove_suffix(1);
  if (cell.empty() || cell == "NA" || cell == "NaN" || cell == "nan" || cell == "null") return kMissing;
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return std::isfinite(value) ? value : kMissing;
}

/// The column of numbers, gaps filled from above.
Result<std::vector<double>> read_column(const Csv& csv, const std::string& name) {
  const auto found = std::find(csv.header.begin(), csv.header.end(), name);
  if (found == csv.header.end()) {
    std::string known;
    for (const auto& other : csv.header) known += (known.empty() ? "" : ", ") + other;
    return bad("there is no column '" + name + "' among " + known);
  }
  const auto column = static_cast<std::size_t>(found - csv.header.begin());
  std::vector<double> values;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const std::string& cell = csv.rows[i][column];
    const auto value = read_number(cell);
    if (!value)
      return bad("column '" + name + "', row " + std::to_string(i + 1) + ": '" + cell.substr(0, 40) +
                 "' is no number");
    values.push_back(std::isnan(*value) && !values.empty() ? values.back() : *value);
  }
  const auto first = std::find_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
  if (first == values.end()) return bad("column '" + name + "' holds no number");
  std::fill(values.begin(), first, *first);
  return values;
}

Result<std::vector<double>> read_times(const Csv& csv, const std::string& name) {
  const auto found = std::find(csv.header.begin(), csv.header.end(), name);
  if (found == csv.header.end()) return bad("there is no column '" + name + "'");
  const auto column = static_cast<std::size_t>(found - csv.header.begin());
  std::vector<double> times;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const std::string where = "column '" + name + "', row " + std::to_string(i + 1) + ": ";
    auto time = parse_time(csv.rows[i][column]);
    if (!time) return bad(where + time.error().message);
    if (!times.empty() && *time <= times.back())
      return bad(where + csv.rows[i][column] + " is not after the time above it");
    times.push_back(*time);
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
    return bad(file.string() + ": has " + std::to_string(csv->rows.size()) + " rows, at least 2 are needed");
  if (wanted.targets.empty()) return bad("target: no column is named");
  Series series;
  series.columns = wanted.targets;
  series.columns.insert(series.columns.end(), wanted.features.begin(), wanted.features.end());
  std::vector<std::vector<double>> columns;
  for (const std::string& name : series.columns) {
    if (std::count(series.columns.begin(), series.columns.end(), name) > 1)
      return bad("column '" + name + "' is named twice");
    auto column = read_column(*csv, name);
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
  for (std::size_t i = 0;; ++i) {
    // A hundredth of a step of tolerance: 2024-02-29 plus a year, leap seconds, rounded clocks.
    const double tolerance = (advance(series.start, series.step, i + 1) - series.time(i)) / 100;
    const double grid = series.time(i) + tolerance;
    if (grid > times->back() + 2 * tolerance) return series;
    if (i == kMaxRows)
      return bad(file.string() + ": a regular grid of its times has more than 10000000 rows");
    while (row + 1 < times->size() && (*times)[row + 1] <= grid) ++row;
    add_row(row);
  }
}

}  // namespace infer::inline v0
