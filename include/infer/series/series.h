#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/series/calendar.h"

namespace infer::inline v0 {

/// How much of a series its table does not contain.
struct MadeUp {
  std::size_t cells = 0;        ///< Missing cells of the table, which took the value above.
  std::size_t rows = 0;         ///< Rows of the grid at times that the table omits.
  std::size_t passed_over = 0;  ///< Rows of the table between rows of the grid, which were skipped.

  /// Returns true if the table contained the whole series.
  bool nothing() const noexcept { return cells == 0 && rows == 0 && passed_over == 0; }
  /// Returns true if all counts are equal.
  friend bool operator==(const MadeUp&, const MadeUp&) = default;
};

/// Rows of numbers at regular times.
struct Series {
  std::vector<std::string> columns;  ///< Names of the columns.
  std::vector<double> values;        ///< Row after row, one number per column; all finite.
  /// Time of the first row, in seconds since 1970; the number of the first row if rows are numbered.
  double start = 0;
  Step step;             ///< Time from row to row.
  bool numbered = true;  ///< True if the table has no column of times.
  MadeUp made_up = {};   ///< What the table did not contain.

  /// Returns the number of rows.
  std::size_t rows() const noexcept { return columns.empty() ? 0 : values.size() / columns.size(); }
  /// Returns the time of row `row`, in seconds since 1970, or its number.
  double time(std::size_t row) const { return advance(start, step, row); }
  /// Returns one value; both indices must be in range.
  double at(std::size_t row, std::size_t column) const { return values[row * columns.size() + column]; }
};

/// The columns of a table that make a series.
struct SeriesColumns {
  std::vector<std::string> targets;   ///< Columns to forecast.
  std::vector<std::string> features;  ///< Columns that are known beside the targets.
  std::string time;                   ///< Column of times; empty: rows are numbered.
};

/// Reads a CSV table (RFC 4180) with a header line into a series of `targets` and `features`, in this order.
///
/// An empty cell, NA, NaN, nan or null takes the value above; at the top of a column, the first value below.
/// Rows are laid on the regular grid of the most frequent step: a grid time takes the last row at or before
/// it, which fills gaps and skips rows in between. `Series::made_up` counts what was filled and skipped.
/// Times with an offset count in UTC; if the step is in days or months, they count in local time, so that a
/// day of 23 hours is one day. Blocking.
///
/// Errors: `kNotFound`; `kInvalidArgument`, naming column and row (a column that is missing, occurs twice or
/// has no number; a cell that is not a number or is infinite; times that do not ascend; fewer than 2 rows).
INFER_EXPORT Result<Series> read_series(const std::filesystem::path& file, const SeriesColumns& wanted);

}  // namespace infer::inline v0
