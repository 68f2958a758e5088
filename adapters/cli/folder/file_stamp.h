#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace infer::cli {

/// What the file system says of a file without reading it: other content has another stamp. The time of the
/// last change of the inode is in it because a program can set the time of the last write back.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< st_mtim, since 1970.
  std::int64_t changed_ns = 0;   ///< st_ctim, since 1970.

  bool operator==(const FileStamp&) const = default;
};

/// Of the file that a path leads to; empty, with `errno`, where there is none.
inline std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  return FileStamp{static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
                   nanoseconds(status.st_ctim)};
}

}  // namespace infer::cli
