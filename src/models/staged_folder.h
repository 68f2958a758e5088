#pragma once

#include <filesystem>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// A folder that is filled out of sight and appears whole: it is made in a hidden folder (.new-XXXXXX) beside
/// the place it is for, and moved there at the end. Nobody sees a half of it, whatever goes wrong.
class StagedFolder {
 public:
  /// Errors: `kFailedPrecondition` (`directory` exists already, or cannot be made).
  static Result<StagedFolder> create(const std::filesystem::path& directory);
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;
  /// Removes all of it, unless it was committed.
  ~StagedFolder();

  /// The folder to fill; it has the name that `directory` has.
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Makes a folder in it. Errors: `kFailedPrecondition`.
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
