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

/// What becomes of an output that exists.
enum class ExistingOutput : std::uint8_t {
  kRefuse,  ///< An output that exists is an error.
  kResume,  ///< Its rows stay, except those of files that changed or vanished.
  kReplace  ///< Its rows go.
};

/// Which photographs are embedded, and into which file.
struct EmbedFolderOptions {
  std::vector<std::string> paths = {};  ///< Image files, and folders of them.
  bool recursive = false;               ///< Whether folders below folders count, too.
  Shard shard = {};                     ///< The part of the files to take.
  /// The output: `.jsonl`, a line {"path","embedding"} each; `.csv`, a header, then path and numbers (RFC
  /// 4180); or `.npy`, a float32 array of shape (rows, dim), with the paths in FILE.npy.paths.
  std::filesystem::path out = {};
  ExistingOutput existing = ExistingOutput::kRefuse;  ///< What becomes of an output that exists.
  bool count_first = false;  ///< Whether to count the files before the first is read.
};

/// What `embed_folder` tells while it runs; each function may be empty. One is called at a time.
struct EmbedFolderEvents {
  /// Embedding begins: the number of files to embed, if they were counted.
  std::function<void(std::optional<std::size_t> total)> begins = {};
  /// A file was left out.
  std::function<void(const std::string& path, const std::string& why)> skipped = {};
  /// A file is done: how many were written and left out so far.
  std::function<void(std::size_t written, std::size_t skipped)> progress = {};
};

/// What a run did.
struct EmbedFolderReport {
  std::size_t written = 0;   ///< Rows that were added.
  std::size_t skipped = 0;   ///< Files that were left out.
  std::size_t dropped = 0;   ///< Rows of before, of files that changed or vanished.
  std::size_t rows = 0;      ///< Rows of the output now.
  bool interrupted = false;  ///< Whether `stop` was requested.
  /// Whether the output keeps rows of files that could not be found; new rows are at its end then.
  bool keeps_missing = false;
};

/// Returns how many photographs of a folder may be under way at a time: two batches for each worker, so that
/// no worker waits for a decoder.
std::size_t folder_window(const Engine& engine);

/// Embeds the photographs of files and folders, and writes a row for each to a file.
///
/// Rows are in the order of the names. Beside FILE lies FILE.state, which says what made the rows and of
/// which files they are. The output is complete after each row: whatever ends the run,
/// `ExistingOutput::kResume` continues it, and leaves FILE as one run from the beginning would. Rows of files
/// that may be missing only for now are never dropped. A lock on FILE.lock refuses a second process.
///
/// Memory does not grow with the number of files. The embedder's engine must admit `folder_window` requests
/// and as many more as it has usable cores. Blocks until all is done; when `stop` is requested, files under
/// way are finished.
///
/// Errors: `kInvalidArgument` (the extension; an output that another model made; rows of files that this run
/// was not asked for), `kFailedPrecondition` (the output exists, cannot be read or written, or belongs to a
/// running process; files of it are missing).
Result<EmbedFolderReport> embed_folder(const ImageEmbedder& embedder, const EmbedFolderOptions& options,
                                       const EmbedFolderEvents& events, const std::stop_token& stop);

}  // namespace infer::inline v0::tools
