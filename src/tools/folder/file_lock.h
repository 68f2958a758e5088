#pragma once

#include <filesystem>
#include <utility>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Holds a lock for this process until the object is destroyed or the process ends, even by a kill. Other
/// processes that request the lock are refused. Locks an empty file of its own and removes it afterwards,
/// because on SMB a locked file cannot be read or written by others. Has no effect on a file system without
/// locks.
class FileLock {
 public:
  /// Locks the file at `path`, and creates it if necessary. Errors: `kFailedPrecondition` (another process
  /// holds the lock, or the file cannot be written).
  static Result<FileLock> acquire(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  ~FileLock();

 private:
  FileLock(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace infer::inline v0::tools
