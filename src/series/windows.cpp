#include "infer/series/windows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rounding.h"

namespace infer::inline v0 {
namespace {

/// Returns the times of `rows` rows, of which the last is at `last`.
std::vector<double> times_until(double last, const Step& step, std::size_t rows) {
  std::vector<double> times(rows);
  // Months have no fixed number of seconds, so count forward from an estimated start.
  const double about = step.months > 0 ? static_cast<double>(step.months) * 2629746.0 : step.seconds;
  for (std::size_t i = 0; i < rows; ++i) times[i] = last - about * static_cast<double>(rows - 1 - i);
  return times;
}

}  // namespace

Step step_of(const SeriesSpec& spec) {
  return {spec.step_months > 0 ? 0 : spec.step_seconds, spec.step_months};
}

Result<void> fit_normalisation(const Series& series, std::size_t rows, SeriesSpec& spec) {
  const std::size_t inputs = spec.columns.size() + spec.calendar.size();
  spec.mean.assign(inputs, 0);
  spec.scale.assign(inputs, 1);
  for (std::size_t column = 0; column < spec.columns.size(); ++column) {
    double least = series.at(0, column);
    double most = least;
    for (std::size_t row = 1; row < rows; ++row) {
      least = std::min(least, series.at(row, column));
      most = std::max(most, series.at(row, column));
    }
    const double largest = std::max(std::abs(least), std::abs(most));
    const double range = most - least;
    if (range <= rounding_of(largest)) {
      spec.mean[column] = least;
      spec.scale[column] = range > 0 ? largest : 1;  // so that normalising does not enlarge rounding
      continue;
    }
    // Computes relative to the minimum and in units of the range, so that large or distant values cost no
    // digits.
    double sum = 0;
    for (std::size_t row = 0; row < rows; ++row) sum += (series.at(row, column) - least) / range;
    const double mean = sum / static_cast<double>(rows);
    double squares = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const double difference = (series.at(row, column) - least) / range - mean;
      squares += difference * difference;
    }
    spec.mean[column] = least + mean * range;
    spec.scale[column] =
        std::max(std::sqrt(squares / static_cast<double>(rows)) * range, std::numeric_limits<double>::min());
  }
  for (const auto& name : spec.calendar) {
    if (auto known = calendar_feature(name, 0); !known) return Unexpected(known.error());
  }
  return {};
}

Result<std::vector<float>> normalised_inputs(const SeriesSpec& spec, std::span<const double> rows,
                                             double last_time) {
  const std::size_t columns = spec.columns.size();
  const std::size_t count = rows.size() / columns;
  const std::vector<double> times = times_until(last_time, step_of(spec), count);
  std::vector<float> inputs;
  inputs.reserve(count * (columns + spec.calendar.size()));
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t column = 0; column < columns; ++column)
      inputs.push_back(
          static_cast<float>((rows[row * columns + column] - spec.mean[column]) / spec.scale[column]));
    for (const auto& name : spec.calendar) {
      auto value = calendar_feature(name, times[row]);
      if (!value) return Unexpected(value.error());
      inputs.push_back(static_cast<float>(*value));
    }
  }
  return inputs;
}

}  // namespace infer::inline v0
