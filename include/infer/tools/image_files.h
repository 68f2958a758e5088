#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// The part of the files that one process takes: those whose path hashes to `index` of `count`.
struct Shard {
  std::size_t index = 0;  ///< Which part, from 0.
  std::size_t count = 1;  ///< Number of parts.

  /// Reads "2/5", the second of five parts.
  ///
  /// Errors: `kInvalidArgument`.
  static Result<Shard> parse(const std::string& text);
  /// Returns whether a file belongs to this part. Depends only on the path, so that a new file moves no
  /// other file to another part.
  bool takes(const std::string& path) const noexcept;
};

/// Walks files and folders in a fixed order.
///
/// Paths come in the given order, the names in a folder sorted, and a folder's files before its folders. A
/// folder's file is included if it begins like an image, whatever its name, or has an image's extension, so
/// that its reader can report what it contains instead. A file that was named explicitly is always
/// included. The walk keeps only the names of the current folders in memory, never all files. It does not
/// follow symbolic links to folders. Not thread-safe.
class ImageFiles {
 public:
  /// Called for each path that cannot be examined.
  using OnError = std::function<void(const std::string& path, const std::string& message)>;

  /// Walks `paths`, and with `recursive` also the folders inside them.
  ImageFiles(std::vector<std::string> paths, bool recursive, Shard shard, OnError on_error);

  /// Returns the next file, or nothing at the end. Blocking.
  std::optional<std::string> next();

 private:
  struct Folder {
    std::vector<std::string> files;
    std::vector<std::string> folders;
    std::string path;
    std::size_t next_file = 0;
    std::size_t next_folder = 0;
  };
  void enter(const std::string& path);

  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  bool recursive_;
  Shard shard_;
  OnError on_error_;
  std::vector<Folder> stack_;
};

}  // namespace infer::inline v0::tools
