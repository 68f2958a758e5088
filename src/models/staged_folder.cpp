#include "staged_folder.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include "../engine/durable_file.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

Unexpected cannot(const fs::path& path, const std::error_code& error) {
  return fail(ErrorCode::kFailedPrecondition, path.string() + ": cannot be made: " + error.message());
}

/// Errors: `kFailedPrecondition` if the folder exists.
Result<void> check_absent(const fs::path& directory) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(directory, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (status.type() == fs::file_type::none) return cannot(directory, error);
  return fail(ErrorCode::kFailedPrecondition,
              directory.string() + ": exists already; choose another folder or remove it");
}

}  // namespace

Result<StagedFolder> StagedFolder::create(const fs::path& directory) {
  StagedFolder staged;
  staged.directory_ = directory.has_filename() ? directory : directory.parent_path();  // "models/clip/"
  if (auto absent = check_absent(staged.directory_); !absent) return Unexpected(absent.error());
  const fs::path parent = staged.directory_.parent_path();
  std::error_code error;
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) return cannot(parent, error);
  std::string pattern = (parent / ".new-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return cannot(staged.directory_, std::error_code(errno, std::generic_category()));
  staged.hidden_ = pattern;
  staged.path_ = staged.hidden_ / staged.directory_.filename();
  if (!fs::create_directory(staged.path_, error)) return cannot(staged.directory_, error);
  return staged;
}

StagedFolder::StagedFolder(StagedFolder&& other) noexcept
    : directory_(std::move(other.directory_)),
      hidden_(std::exchange(other.hidden_, {})),
      path_(std::move(other.path_)) {}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!hidden_.empty()) fs::remove_all(hidden_, ignored);
}

Result<fs::path> StagedFolder::subfolder(const std::string& name) const {
  fs::path folder = path_ / name;
  std::error_code error;
  if (!fs::create_directory(folder, error) && error) return cannot(directory_ / name, error);
  return folder;
}

Result<void> StagedFolder::commit() {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) sync_folder(entry->path());
  }
  sync_folder(path_);
  if (auto absent = check_absent(directory_); !absent) return absent;
  fs::rename(path_, directory_, error);
  if (error) return cannot(directory_, error);
  sync_folder(directory_.parent_path());
  return {};
}

}  // namespace infer::inline v0
