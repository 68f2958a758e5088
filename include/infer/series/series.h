#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/series/calendar.h"

namespace infer::inline v0 {

/// What a series holds that its table does not say.
struct MadeUp {
  std::size_t cells = 0;        ///< Missing in the table; they took the value above.
  std::size_t rows = 0;         ///< Of the grid, at times that the table leaves out.
  std::size_t passed_over = 0;  ///< Rows of the table between those of the grid.

  bool nothing() const noexcept { return cells == 0 && rows == 0 && passed_over == 0; }
  friend bool operator==(const MadeUp&, const MadeUp&) = default;
};

/// Rows of numbers at regular times.
struct Series {
  std::vector<std::string> columns;
  std::vector<double> values;  ///< Row after row; finite.
  double start = 0;  ///< Time of the first row, seconds since 1970; its number where rows are numbered.
  Step step;
  bool numbered = true;  ///< There is no column of times.
  MadeUp made_up = {};

  std::size_t rows() const noexcept { return columns.empty() ? 0 : values.size() / columns.size(); }
  double time(std::size_t row) const { return advance(start, step, row); }
  double at(std::size_t row, std::size_t column) const { return values[row * columns.size() + column]; }
};

/// Which columns of a table make a series.
struct SeriesColumns {
  std::vector<std::string> targets;   ///< What is forecast.
  std::vector<std::string> features;  ///< What is known beside it.
  std::string time;                   ///< The column of times; empty: rows are numbered.
};

/// Reads a table with a header line, in CSV (RFC 4180), into a series of `targets` and `features`, in this
/// order.
///
/// A cell that is empty, NA, NaN, nan or null takes the value above it, at the top of a column the first
/// there is. Rows are laid on the regular grid of the step that most of them have: a grid time takes the last
/// row at or before it, so that gaps are filled and rows between are passed over; `made_up` counts them.
/// Times with an offset count in UTC, and where the step is days or months by the clock that told them, so
/// that a day of 23 hours is one. Errors: `kNotFound`, `kInvalidArgument` (a column that is missing, there
/// twice, or holds no number, a cell that is none or infinite, times that do not ascend, fewer than 2 rows),
/// naming column and row.
INFER_EXPORT Result<Series> read_series(const std::filesystem::path& file, const SeriesColumns& wanted);

}  // namespace infer::inline v0
