#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>

#include "infer/core/result.h"

namespace infer::cli {

/// A growing file of (path, vector) rows that is complete after every `append` and can be continued later.
///
/// By extension: `.jsonl`, a line {"path","embedding"} each; `.csv`, a header, then path and numbers (RFC
/// 4180);
/// `.npy`, a float32 array of shape (rows, dim) (NumPy format 1.0), with the paths as a JSON string a line,
/// in the same order, in FILE.npy.paths. Not thread-safe.
class VectorFile {
 public:
  enum class Existing { kRefuse, kResume, kReplace };

  /// Opens or makes `path` for vectors of `dim` numbers. Resuming drops a last row that was cut off and
  /// counts the others as done. Errors: `kInvalidArgument` (extension, another dim), `kFailedPrecondition`
  /// (exists, cannot be written).
  static Result<std::unique_ptr<VectorFile>> open(const std::filesystem::path& path, std::size_t dim,
                                                  Existing existing);

  virtual ~VectorFile() = default;
  /// Writes a row and hands it to the kernel. Errors: `kFailedPrecondition` (disk full).
  virtual Result<void> append(const std::string& path, std::span<const float> vector) = 0;

  /// True for a path that is a row already when resuming. Keeps 8 bytes for each such row.
  bool contains(const std::string& path) const { return done_.contains(std::hash<std::string>()(path)); }
  std::size_t rows() const noexcept { return rows_; }

 protected:
  void remember(const std::string& path) { done_.insert(std::hash<std::string>()(path)); }
  std::size_t rows_ = 0;

 private:
  std::unordered_set<std::size_t> done_;
};

}  // namespace infer::cli
