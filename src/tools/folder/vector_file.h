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
/// Next to FILE lies FILE.state, JSON lines: what the vectors were made with, then for each row its path, the
/// stamp of the file that was embedded, and the row's length. With `.npy` the paths are also, as a JSON
/// string a line, in FILE.npy.paths. Whatever a kill cuts off, the rows that FILE.state lists are there. Not
/// thread-safe; a second process is refused by a lock on FILE.lock, which exists while FILE is written.
class VectorFile {
 public:
  /// Opens or makes `path` for vectors of `dim` numbers. `made_with` is a JSON object: whatever makes
  /// vectors others. Resuming drops a last row that was cut off. Errors: `kInvalidArgument` (extension; made
  /// with something else, which is named), `kFailedPrecondition` (exists, was edited, has no FILE.state,
  /// another process writes it, cannot be written).
  static Result<std::unique_ptr<VectorFile>> open(const std::filesystem::path& path, std::size_t dim,
                                                  const std::string& made_with, ExistingOutput existing);

  /// Writes a row and hands it to the kernel. Errors: `kFailedPrecondition` (disk full).
  Result<void> append(const std::string& path, const FileStamp& stamp, std::span<const float> vector);

  std::size_t rows() const noexcept { return rows_; }
  /// Of the rows that were there when resuming, the first of this file as it is now. Keeps about 100 bytes
  /// for each of them.
  std::optional<std::size_t> find(const std::string& path, const FileStamp& stamp) const;
  /// The path of a row that was there when resuming. Errors: `kFailedPrecondition` (cannot be read).
  Result<std::string> path_of(std::size_t row);
  /// Makes the file hold these of its rows in this order, of which each may come any number of times. Only
  /// where there were rows when resuming. A kill or an error leaves the rows as before or as wanted. Errors:
  /// `kFailedPrecondition` (disk full, cannot be read).
  Result<void> arrange(const std::vector<std::size_t>& order);

 private:
  /// Where a row is in FILE, and its line in FILE.state.
  struct Place {
    std::size_t key = 0;
    std::uintmax_t at = 0;
    std::uintmax_t bytes = 0;
    std::uintmax_t state_at = 0;
    std::uintmax_t state_bytes = 0;
  };

  /// What `arrange` has written, before it takes the place of what was there.
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
  std::uintmax_t end_ = 0;  // of the last row in FILE
  std::uintmax_t state_end_ = 0;
  std::uintmax_t paths_end_ = 0;
  bool resumed_ = false;
  std::vector<Place> places_;  // if resumed
  std::unordered_map<std::size_t, std::size_t> row_of_key_;
};

}  // namespace infer::inline v0::tools
