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
  /// Returns whether a file belongs to this part. Depends on the path alone, so that a new file moves no
  /// other file to another part.
  bool takes(const std::string& path) const noexcept;
};

/// Walks files and folders in a fixed order.
///
/// Paths come as given, the names of a folder sorted, and a folder's files before its folders. In a folder
/// each file counts that begins as an image does, whatever its name, and each file with the extension of an
/// image, so that its reader can say what it holds instead. A file that is named itself always counts. The
/// walk keeps the names of the folders on the way down, never all files. It does not follow symbolic links to
/// folders. Not thread-safe.
class ImageFiles {
 public:
  /// Is told each path that cannot be looked at, and why.
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
