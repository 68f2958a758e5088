#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Writes a file under a temporary name and renames it once all of it is on the disk, so that after a crash
/// or on a full disk either the whole old file or the whole new file exists. Not thread-safe.
class DurableFile {
 public:
  explicit DurableFile(std::filesystem::path file);
  /// Removes what was written, unless it was committed.
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  /// Adds `content`. After an error, which `commit` reports, later writes do nothing.
  void write(std::string_view content) noexcept;
  /// Flushes to the disk and renames. Errors: `kFailedPrecondition`, with the reason of the first failure.
  Result<void> commit();

 private:
  void note_failure() noexcept;

  std::filesystem::path file_;
  std::filesystem::path next_;
  int fd_ = -1;
  int error_ = 0;
};

/// Writes a small file whole. Errors: `kFailedPrecondition`.
Result<void> write_durably(const std::filesystem::path& file, std::string_view content);

/// Copies the content of a file. Errors: `kNotFound` (`from` cannot be read), `kFailedPrecondition`.
Result<void> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Flushes the names in a folder to the disk if the file system supports that.
void sync_folder(const std::filesystem::path& folder) noexcept;

}  // namespace infer::inline v0
