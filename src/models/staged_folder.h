#pragma once

#include <filesystem>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// A folder that appears at once with all its files: it is filled in a hidden folder (.new-XXXXXX) beside its
/// place, and moved to its place at the end. Nobody sees an incomplete folder, even after an error.
class StagedFolder {
 public:
  /// Errors: `kFailedPrecondition` (`directory` exists already, or cannot be made).
  static Result<StagedFolder> create(const std::filesystem::path& directory);
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;
  /// Removes the folder unless it was committed.
  ~StagedFolder();

  /// Returns the folder to fill; its name is that of `directory`.
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Makes a subfolder. Errors: `kFailedPrecondition`.
  Result<std::filesystem::path> subfolder(const std::string& name) const;
  /// Moves the folder to its place. Errors: `kFailedPrecondition`.
  Result<void> commit();

 private:
  StagedFolder() = default;

  std::filesystem::path directory_;
  std::filesystem::path hidden_;  ///< Empty once there is nothing to remove.
  std::filesystem::path path_;
};

}  // namespace infer::inline v0
