#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "infer/core/result.h"

namespace infer::http {

/// Follows a file: reads it again whenever it is not the file that was read last, until that has succeeded.
/// Changes are told by device, inode, size and the time of the inode's change, which nobody can set. Follows
/// links. Not thread-safe.
class FileWatch {
 public:
  explicit FileWatch(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& file() const noexcept { return file_; }

  /// Calls `read` unless the file is the one that it has read. Returns an error of `read`, once for each file
  /// and reason: a file that stays bad is tried again at each call, but not reported again.
  Result<void> follow(const std::function<Result<void>()>& read);

 private:
  /// Nothing of no file.
  using Identity = std::optional<std::string>;
  struct Look {
    Identity identity;
    bool settled = true;  ///< The file is old enough that a later change cannot carry the same time.
  };
  Look look() const;

  std::filesystem::path file_;
  Identity read_;         ///< Of the file that was read.
  std::string reported_;  ///< Identity and reason of the last error; empty after a success.
};

}  // namespace infer::http
