#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace infer::inline v0::tools {

/// What the file system says of a file without reading it, as make and rsync use it. The time of the last
/// change of the inode is not in it: permissions, owners and hard links change that time, and content that
/// stayed would be embedded again.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< st_mtim, since 1970.

  bool operator==(const FileStamp&) const = default;
};

/// Of the file that a path leads to; empty, with `errno`, where there is none.
inline std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(status.st_size),
                   status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace infer::inline v0::tools
