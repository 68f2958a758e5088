#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "infer/core/result.h"
#include "infer/tools/embed_folder.h"
#include "tools/folder/file_lock.h"
#include "tools/folder/file_stamp.h"
#include "tools/folder/row_format.h"

namespace infer::inline v0::tools {

/// A growing file of (path, vector) rows that is complete after every `append` and can be continued later.
///
/// FILE.state, next to FILE, has JSON lines: what made the vectors, then for each row its path, the stamp
/// of the embedded file, and the row's length. For `.npy`, FILE.npy.paths also lists the paths, one JSON
/// string on each line. After a kill at any time, the rows that FILE.state lists are complete. Not
/// thread-safe. A lock on FILE.lock, which exists while FILE is written, refuses a second process.
class VectorFile {
 public:
  /// Opens or creates `path` for vectors of `dim` numbers. `made_with` is a JSON object of everything that
  /// determines the vectors. Resuming drops an incomplete last row. Errors: `kInvalidArgument` (the
  /// extension; made differently, with the differences), `kFailedPrecondition` (the file exists, was
  /// edited, has no FILE.state, belongs to another process, or cannot be written).
  static Result<std::unique_ptr<VectorFile>> open(const std::filesystem::path& path, std::size_t dim,
                                                  const std::string& made_with, ExistingOutput existing);

  /// Writes a row and flushes it to the kernel. Errors: `kFailedPrecondition` (disk full).
  Result<void> append(const std::string& path, const FileStamp& stamp, std::span<const float> vector);

  std::size_t rows() const noexcept { return rows_; }
  /// Returns the first row of this file version among the rows that existed when resuming. Uses about 100
  /// bytes of memory for each such row.
  std::optional<std::size_t> find(const std::string& path, const FileStamp& stamp) const;
  /// Returns the path of a row that existed when resuming. Errors: `kFailedPrecondition` (cannot be read).
  Result<std::string> path_of(std::size_t row);
  /// Makes the file contain the given rows in this order; a row may be repeated. Only after resuming a file
  /// with rows. After a kill or an error, the rows are as before or as requested. Errors:
  /// `kFailedPrecondition` (disk full, cannot be read).
  Result<void> arrange(const std::vector<std::size_t>& order);

 private:
  /// Positions of a row in FILE and of its line in FILE.state.
  struct Place {
    std::size_t key = 0;
    std::uintmax_t at = 0;
    std::uintmax_t bytes = 0;
    std::uintmax_t state_at = 0;
    std::uintmax_t state_bytes = 0;
  };

  /// The files that `arrange` has written and not yet moved into place.
  struct Arranged {
    std::vector<Place> places;
    std::uintmax_t end = 0;
    std::uintmax_t state_end = 0;
    std::uintmax_t paths_end = 0;
  };

  VectorFile(std::filesystem::path path, std::unique_ptr<RowFormat> format, std::string made_with,
             FileLock lock);

  Result<void> start();
  Result<void> resume();
  Result<void> check_state_header(const std::string& line) const;
  Result<void> read_rows(std::ifstream& state);
  Result<void> open_files();
  Result<Arranged> write_arranged(const std::vector<std::size_t>& order);
  Result<void> finish_arranging() const;
  void forget_arranging() const;
  std::vector<std::filesystem::path> files() const;
  Result<std::string> state_line(std::size_t row);

  std::filesystem::path path_;
  std::filesystem::path state_path_;
  std::filesystem::path paths_path_;
  std::unique_ptr<RowFormat> format_;
  std::string made_with_;
  FileLock lock_;
  std::size_t rows_ = 0;
  std::fstream file_;
  std::fstream state_;
  std::fstream paths_;
  std::uintmax_t end_ = 0;  // end of the last row in FILE
  std::uintmax_t state_end_ = 0;
  std::uintmax_t paths_end_ = 0;
  bool resumed_ = false;
  std::vector<Place> places_;  // only if resumed
  std::unordered_map<std::size_t, std::size_t> row_of_key_;
};

}  // namespace infer::inline v0::tools
