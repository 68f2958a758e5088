#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::cli {

/// The part of the files that this process takes: those whose path hashes to `index` of `count`.
struct Shard {
  std::size_t index = 0;
  std::size_t count = 1;

  /// "2/5" is the second of five parts. Errors: `kInvalidArgument`.
  static Result<Shard> parse(const std::string& text);
  /// Depends on nothing but the path, so that adding files moves no other file to another part.
  bool takes(const std::string& path) const noexcept;
};

/// Walks files and folders in a fixed order: arguments as given, the names of a folder sorted, a folder's
/// files before its folders. In folders a file counts that begins as an image does, whatever its name, and
/// one with the extension of an image, so that what it holds instead is said; a file named as an argument
/// always counts. Keeps the names of the folders on the way down, never all files. Symbolic links to folders
/// are not followed.
class ImageFiles {
 public:
  using OnError = std::function<void(const std::string& path, const std::string& message)>;

  ImageFiles(std::vector<std::string> paths, bool recursive, Shard shard, OnError on_error);

  /// The next file; empty at the end.
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

}  // namespace infer::cli
