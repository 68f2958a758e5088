#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Returns a string as JSON.
std::string json_text(const std::string& text);

/// The format of (path, vector) rows in a file, chosen by its extension:
///
/// `.jsonl`: lines of {"path","embedding"}. `.csv`: a header, then paths and numbers (RFC 4180). `.npy`: a
/// float32 array of shape (rows, dim) (NumPy format 1.0).
class RowFormat {
 public:
  /// Errors: `kInvalidArgument` (extension).
  static Result<std::unique_ptr<RowFormat>> of(const std::filesystem::path& path, std::size_t dim);

  virtual ~RowFormat() = default;
  /// Returns the beginning of a file with so many rows. Its length does not depend on `rows`.
  virtual std::string header(std::size_t rows) const = 0;
  virtual std::string row(const std::string& path, std::span<const float> vector) const = 0;
  /// Whether `row` can be a row of `path`.
  virtual bool is_row_of(const std::string& path, const std::string& row) const = 0;
  /// True if rows contain only numbers. The header then counts the rows, and the paths are in a second
  /// file.
  virtual bool is_bare() const { return false; }
};

}  // namespace infer::inline v0::tools
