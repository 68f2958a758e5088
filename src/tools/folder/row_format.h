#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// A string as JSON.
std::string json_text(const std::string& text);

/// How rows of (path, vector) look in a file, by its extension:
///
/// `.jsonl`, a line {"path","embedding"} each; `.csv`, a header, then path and numbers (RFC 4180); `.npy`, a
/// float32 array of shape (rows, dim) (NumPy format 1.0).
class RowFormat {
 public:
  /// Errors: `kInvalidArgument` (extension).
  static Result<std::unique_ptr<RowFormat>> of(const std::filesystem::path& path, std::size_t dim);

  virtual ~RowFormat() = default;
  /// What the file begins with when it has so many rows; its length does not depend on them.
  virtual std::string header(std::size_t rows) const = 0;
  virtual std::string row(const std::string& path, std::span<const float> vector) const = 0;
  /// Whether `row` is one of `path`, as far as can be seen.
  virtual bool is_row_of(const std::string& path, const std::string& row) const = 0;
  /// True where rows hold numbers alone: the header counts them, and the paths need a file of their own.
  virtual bool is_bare() const { return false; }
};

}  // namespace infer::inline v0::tools
