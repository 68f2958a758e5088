#include "infer/engine/manifest.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "read_file.h"
#include "valid_name.h"
#include "version_order.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// Returns the version folders, the latest last. Hidden folders are not versions: they are being written, or
/// belong to tools.
Result<std::vector<std::string>> all_versions(const fs::path& directory) {
  std::vector<std::string> versions;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!valid_name(name) || name.starts_with('.') || name == "tuned") continue;
    std::error_code unfollowed;
    const fs::file_status status = fs::status(entry->path(), unfollowed);
    if (status.type() == fs::file_type::directory) {
      versions.push_back(name);
    } else if (!fs::status_known(status) || status.type() == fs::file_type::not_found) {
      // A broken link may be the latest version, so serving an older version instead would be wrong.
      return fail(ErrorCode::kFailedPrecondition,
                  unreadable(entry->path(), unfollowed ? unfollowed.value() : ENOENT).message);
    }
  }
  // The last entry of an incomplete list need not be the latest version.
  if (error && error != std::errc::no_such_file_or_directory)
    return Unexpected(unreadable(directory, error.value()));
  if (versions.empty()) return fail(ErrorCode::kNotFound, directory.string() + ": has no version folder");
  std::sort(versions.begin(), versions.end(), version_before);
  return versions;
}

}  // namespace

Result<Manifest> read_manifest(const fs::path& directory, const std::string& version) {
  const fs::path name = directory.has_filename() ? directory.filename() : directory.parent_path().filename();
  if (!valid_name(name.string())) {
    return fail(ErrorCode::kInvalidArgument,
                "model name '" + name.string() + "' does not match [A-Za-z0-9._-]{1,64}");
  }
  const fs::path own = directory / version / "infer.json";
  std::error_code error;
  // A manifest that exists but cannot be read is an error: the folder's manifest may say something else.
  const bool has_own = fs::symlink_status(own, error).type() != fs::file_type::not_found;
  const fs::path path = has_own ? own : directory / "infer.json";
  auto content = read_file(path);
  if (!content && fs::symlink_status(path, error).type() == fs::file_type::not_found)
    return fail(ErrorCode::kNotFound, path.string() + ": no such manifest");
  if (!content) return Unexpected(content.error());
  auto manifest = parse_manifest(*content);
  if (!manifest)
    return fail(manifest.error().code, path.parent_path().string() + "/" + manifest.error().message);
  manifest->name = name.string();
  return manifest;
}

Result<std::string> choose_version(const fs::path& directory) {
  std::error_code error;
  const fs::file_status promoted = fs::symlink_status(directory / "PROMOTED", error);
  if (promoted.type() != fs::file_type::not_found) {
    // If PROMOTED is wrong in any way, no other version is served instead.
    std::ifstream file(directory / "PROMOTED");
    std::string version;
    if (!file) return fail(ErrorCode::kFailedPrecondition, unreadable(directory / "PROMOTED", errno).message);
    if (!std::getline(file, version) && version.empty())
      return fail(ErrorCode::kFailedPrecondition, (directory / "PROMOTED").string() + ": cannot be read");
    version.resize(version.find_last_not_of(" \t\r") + 1);
    if (!valid_name(version))
      return fail(ErrorCode::kInvalidArgument, "PROMOTED: '" + version + "' is not a version name");
    if (!is_folder(directory / version)) {
      return fail(ErrorCode::kNotFound, "PROMOTED names version " + version + ", which does not exist");
    }
    return version;
  }
  auto versions = all_versions(directory);
  if (!versions) return Unexpected(versions.error());
  return versions->back();
}

Result<std::vector<std::string>> served_versions(const fs::path& directory) {
  auto manifest = read_manifest(directory);
  if (!manifest) return Unexpected(manifest.error());
  std::vector<std::string> served;
  if (manifest->version_policy == "specific") {
    served = manifest->versions;
    for (const std::string& version : served) {
      if (!valid_name(version) || !is_folder(directory / version))
        return fail(ErrorCode::kNotFound, directory.string() + ": versions: " + version + " does not exist");
    }
  } else if (manifest->version_policy != "promoted") {
    auto all = all_versions(directory);
    if (!all) return Unexpected(all.error());
    if (manifest->version_policy == "all") {
      served = *std::move(all);
    } else {
      served = {all->back()};
    }
  }
  if (manifest->version_policy == "latest") return served;
  // The promoted version comes first, else the latest.
  auto first = choose_version(directory);
  if (!first) return Unexpected(first.error());
  if (served.empty()) return std::vector<std::string>{*first};
  const auto found = std::find(served.begin(), served.end(), *first);
  std::rotate(served.begin(), found == served.end() ? served.end() - 1 : found, served.end());
  return served;
}

}  // namespace infer::inline v0
