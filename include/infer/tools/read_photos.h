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

/// Which photographs are read, and how.
struct ReadPhotosOptions {
  std::string folder = {};                  ///< The folder of the photographs.
  bool recursive = true;                    ///< Whether to read subfolders, too.
  const ImageEmbedder* embedder = nullptr;  ///< Makes the vectors; null: none. Not owned.
  DecodeLimits limits = {};                 ///< Limits for decoding the images.
};

/// What `read_photos` reports while it runs. Each function may be empty; calls do not overlap.
struct ReadPhotosEvents {
  /// A file was left out.
  std::function<void(const std::string& path, const std::string& why)> skipped = {};
  /// A file is done: how many were read and left out so far.
  std::function<void(std::size_t read, std::size_t skipped)> progress = {};
};

/// The photographs of a folder.
struct PhotoFolder {
  std::vector<Photo> photos = {};  ///< By preference, as `find_groups` takes them.
  std::size_t skipped = 0;         ///< Files that could not be read.
  std::size_t symbolic_links = 0;  ///< Symbolic links, which were left out.
};

/// Reads the photographs of a folder: their hashes, their sizes and, with an embedder, their vectors.
///
/// Two paths of one file (hard links) are one photograph, not a photograph and its copy. Blocks until all
/// files are done; when `stop` is requested, the files that were started are finished and the rest is left
/// out.
PhotoFolder read_photos(const ReadPhotosOptions& options, const ReadPhotosEvents& events,
                        const std::stop_token& stop);

}  // namespace infer::inline v0::tools
