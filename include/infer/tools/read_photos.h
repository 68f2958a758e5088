#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "infer/image/decode.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tools/duplicates.h"

namespace infer::inline v0::tools {

/// The photographs to read, and how to read them.
struct ReadPhotosOptions {
  std::string folder = {};                  ///< The folder of the photographs.
  bool recursive = true;                    ///< Whether to search the folders inside the folder.
  const ImageEmbedder* embedder = nullptr;  ///< Makes the vectors; null: no vectors. Not owned.
  DecodeLimits limits = {};                 ///< Limits for decoding.
};

/// Callbacks of `read_photos`. Each may be empty. Calls do not overlap.
struct ReadPhotosEvents {
  /// A file was skipped.
  std::function<void(const std::string& path, const std::string& why)> skipped = {};
  /// A file is done. The numbers are totals so far.
  std::function<void(std::size_t read, std::size_t skipped)> progress = {};
};

/// The photographs of a folder.
struct PhotoFolder {
  std::vector<Photo> photos = {};  ///< Sorted by preference, as `find_groups` requires.
  std::size_t skipped = 0;         ///< Files that could not be read.
  std::size_t symbolic_links = 0;  ///< Skipped symbolic links.
};

/// Reads the photographs of a folder: their hashes, their sizes and, with an embedder, their vectors.
///
/// Several paths of one file (hard links) count as one photograph, because removing one as a duplicate
/// could remove the only copy. Blocks until all files are done. When `stop` is requested, the files in
/// progress are finished and the rest is skipped.
PhotoFolder read_photos(const ReadPhotosOptions& options, const ReadPhotosEvents& events,
                        const std::stop_token& stop);

}  // namespace infer::inline v0::tools
