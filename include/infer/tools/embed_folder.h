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

/// What to do with an output that exists.
enum class ExistingOutput : std::uint8_t {
  kRefuse,  ///< An output that exists is an error.
  kResume,  ///< Its rows stay, except those of files that changed or vanished.
  kReplace  ///< Its rows are deleted.
};

/// Which photographs are embedded, and into which file.
struct EmbedFolderOptions {
  std::vector<std::string> paths = {};  ///< Image files, and folders of them.
  bool recursive = false;               ///< Whether to read subfolders, too.
  Shard shard = {};                     ///< The part of the files to take.
  /// The output: `.jsonl`, a line {"path","embedding"} for each photograph; `.csv`, a header, then path and
  /// numbers (RFC 4180); or `.npy`, a float32 array of shape (rows, dim), with the paths in FILE.npy.paths.
  std::filesystem::path out = {};
  ExistingOutput existing = ExistingOutput::kRefuse;  ///< What to do with an output that exists.
  bool count_first = false;  ///< Whether to count the files before the first is read.
};

/// What `embed_folder` reports while it runs. Each function may be empty; calls do not overlap.
struct EmbedFolderEvents {
  /// Embedding begins: the number of files to embed, if they were counted.
  std::function<void(std::optional<std::size_t> total)> begins = {};
  /// A file was left out.
  std::function<void(const std::string& path, const std::string& why)> skipped = {};
  /// A file is done: how many were written and left out so far.
  std::function<void(std::size_t written, std::size_t skipped)> progress = {};
};

/// The outcome of a run.
struct EmbedFolderReport {
  std::size_t written = 0;   ///< Rows that were added.
  std::size_t skipped = 0;   ///< Files that were left out.
  std::size_t dropped = 0;   ///< Earlier rows that were removed: their files changed or vanished.
  std::size_t rows = 0;      ///< Rows of the output now.
  bool interrupted = false;  ///< Whether `stop` was requested.
  /// Whether the output keeps rows of files that could not be found; new rows are at its end then.
  bool keeps_missing = false;
};

/// Returns how many photographs of a folder are processed at a time: two batches for each worker, so that no
/// worker waits for a decoder.
std::size_t folder_window(const Engine& engine);

/// Embeds the photographs of files and folders, and writes a row for each to a file.
///
/// Rows are in the order of the names. FILE.state, beside FILE, records the model and the files of the rows.
/// The output is complete after each row: however a run ends, `ExistingOutput::kResume` continues the run,
/// and FILE becomes what one uninterrupted run would have written. Rows of files that may be missing only for
/// now are never dropped. A lock on FILE.lock keeps out a second process.
///
/// Memory does not grow with the number of files. The embedder's engine must admit `folder_window` requests
/// plus one for each usable core. Blocks until all files are done; when `stop` is requested, the files that
/// were started are finished.
///
/// Errors: `kInvalidArgument` (the extension; an output that another model made; rows of files that this run
/// was not asked for), `kFailedPrecondition` (the output exists, cannot be read or written, or belongs to a
/// running process; files of it are missing).
Result<EmbedFolderReport> embed_folder(const ImageEmbedder& embedder, const EmbedFolderOptions& options,
                                       const EmbedFolderEvents& events, const std::stop_token& stop);

}  // namespace infer::inline v0::tools
