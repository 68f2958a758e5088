#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// The part of the files that this process takes: those whose path hashes to `index` of `count`.
struct Shard {
  std::size_t index = 0;  ///< Which part, from 0.
  std::size_t count = 1;  ///< Number of parts.

  /// Reads "2/5", the second of five parts.
  ///
  /// Errors: `kInvalidArgument`.
  static Result<Shard> parse(const std::string& text);
  /// Returns whether a file belongs to this part. The result depends on the path alone, so that a new file
  /// moves no other file to another part.
  bool takes(const std::string& path) const noexcept;
};

/// Walks files and folders in a fixed order.
///
/// Paths come in the given order; the names in a folder are sorted, files before subfolders. A file in a
/// folder counts if its first bytes are those of an image, whatever its name, or if its name has the
/// extension of an image; the reader then reports what the file holds instead. A file given as a path always
/// counts. The walk keeps the names of the folders on the way down, never all files, and does not follow
/// symbolic links to folders. Not thread-safe.
class ImageFiles {
 public:
  /// Receives each path that cannot be read, and the reason.
  using OnError = std::function<void(const std::string& path, const std::string& message)>;

  /// Walks `paths`, and with `recursive` the folders below them, too.
  ImageFiles(std::vector<std::string> paths, bool recursive, Shard shard, OnError on_error);

  /// Returns the next file; empty at the end. Blocking.
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
