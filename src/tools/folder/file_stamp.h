#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace infer::inline v0::tools {

/// Identifies the version of a file without reading it, as make and rsync do. Does not include the inode's
/// change time, because permissions, owners and hard links change that time although the content stays.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< st_mtim, since 1970.

  bool operator==(const FileStamp&) const = default;
};

/// Returns the stamp of the file to which a path leads, or nothing with `errno` set.
inline std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(status.st_size),
                   status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace infer::inline v0::tools
