#pragma once

#include <filesystem>

#include "infer/core/result.h"

namespace infer::cli {

/// Keeps a file for this process until it goes out of scope, a kill included. Another that locks it is
/// refused; one that does not ask is not. On a file system without locks it holds nothing.
class FileLock {
 public:
  /// Locks the file at `path`, and makes it first if need be. Errors: `kFailedPrecondition` (another process
  /// has it, it cannot be written).
  static Result<FileLock> acquire(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace infer::cli
