#pragma once

#include <filesystem>
#include <utility>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Holds a lock for this process until it goes out of scope or the process ends, even by a kill. Another
/// process that asks for the lock is refused. The locked file holds nothing and is removed with the lock: on
/// SMB a lock keeps everybody from reading and writing the file. On a file system without locks this holds
/// nothing.
class FileLock {
 public:
  /// Locks the file at `path`, and makes it first if need be. Errors: `kFailedPrecondition` (another process
  /// has it, it cannot be written).
  static Result<FileLock> acquire(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  ~FileLock();

 private:
  FileLock(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace infer::inline v0::tools
