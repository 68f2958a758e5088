#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Follows a file: reads the file again whenever it has changed, until reading succeeds.
///
/// A change shows in device, inode, size or the inode's time of change, which programs cannot set. Follows
/// links. Not thread-safe.
class INFER_EXPORT FileWatch {
 public:
  /// Follows `file`, which need not exist yet.
  explicit FileWatch(std::filesystem::path file) : file_(std::move(file)) {}

  /// Returns the file's path.
  const std::filesystem::path& file() const noexcept { return file_; }

  /// Calls `read` unless `read` has already succeeded for this state of the file; blocking. Also calls it for
  /// a missing file, and again for a file that had just changed.
  ///
  /// Returns an error of `read` once for each file and reason: a file that stays bad is tried again at each
  /// call, but not reported again.
  ///
  /// Errors: those of `read`.
  Result<void> follow(const std::function<Result<void>()>& read);

 private:
  /// Empty if the file does not exist.
  using Identity = std::optional<std::string>;
  struct Look {
    Identity identity;
    bool settled = true;  ///< The file is old enough that a later change cannot carry the same time.
  };
  Look look() const;

  std::filesystem::path file_;
  Identity read_;         ///< Identity of the file that was read.
  std::string reported_;  ///< Identity and reason of the last error; empty after a success.
};

}  // namespace infer::inline v0
