#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tools/image_files.h"

namespace infer::inline v0::tools {

/// What to do if the output exists.
enum class ExistingOutput : std::uint8_t {
  kRefuse,  ///< Fail.
  kResume,  ///< Continue: keep the rows, except those of changed or deleted files.
  kReplace  ///< Replace the output.
};

/// The photographs to embed, and the output file.
struct EmbedFolderOptions {
  std::vector<std::string> paths = {};  ///< Image files, and folders of them.
  bool recursive = false;               ///< Whether to search the folders inside folders.
  Shard shard = {};                     ///< The part of the files to embed.
  /// The output: `.jsonl` with lines of {"path","embedding"}; `.csv` with a header, then paths and numbers
  /// (RFC 4180); or `.npy`, a float32 array of shape (rows, dim), with the paths in FILE.npy.paths.
  std::filesystem::path out = {};
  ExistingOutput existing = ExistingOutput::kRefuse;  ///< What to do if the output exists.
  bool count_first = false;                           ///< Whether to count all files before embedding.
};

/// Callbacks of `embed_folder`. Each may be empty. Calls do not overlap.
struct EmbedFolderEvents {
  /// Embedding begins. `total` is the number of files, if they were counted.
  std::function<void(std::optional<std::size_t> total)> begins = {};
  /// A file was skipped.
  std::function<void(const std::string& path, const std::string& why)> skipped = {};
  /// A file is done. The numbers are totals so far.
  std::function<void(std::size_t written, std::size_t skipped)> progress = {};
};

/// The result of a run.
struct EmbedFolderReport {
  std::size_t written = 0;   ///< Rows that were added.
  std::size_t skipped = 0;   ///< Files that were skipped.
  std::size_t dropped = 0;   ///< Removed rows of changed or deleted files.
  std::size_t rows = 0;      ///< Rows of the output now.
  bool interrupted = false;  ///< Whether `stop` was requested.
  /// Whether the output keeps rows of missing files. New rows are then at its end.
  bool keeps_missing = false;
};

/// Returns how many photographs of a folder to process at a time: two batches for each worker, so that no
/// worker waits for a decoder.
std::size_t folder_window(const Engine& engine);

/// Embeds the photographs of files and folders, and writes a row for each to a file.
///
/// Rows are ordered by name. FILE.state, beside FILE, records what made the rows and the files they belong
/// to. The output is complete after each row: after any interruption, `ExistingOutput::kResume` continues
/// the run and gives the same FILE as an uninterrupted run. Rows of files that may be missing only
/// temporarily are never dropped. A lock on FILE.lock refuses a second process.
///
/// Memory does not grow with the number of files. The embedder's engine must admit `folder_window` requests
/// plus one for each usable core. Blocks until all files are done. When `stop` is requested, the files in
/// progress are finished.
///
/// Errors: `kInvalidArgument` (the extension; an output that another model made; rows of files that are not
/// part of this run), `kFailedPrecondition` (the output exists, cannot be read or written, or belongs to a
/// running process; files of it are missing).
Result<EmbedFolderReport> embed_folder(const ImageEmbedder& embedder, const EmbedFolderOptions& options,
                                       const EmbedFolderEvents& events, const std::stop_token& stop);

}  // namespace infer::inline v0::tools
