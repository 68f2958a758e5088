#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/serving/file_watch.h"

namespace infer::inline v0 {

/// The API keys of a file, one per line; empty lines and lines that begin with # are skipped.
///
/// The object keeps digests only. `accepts` is thread-safe, also beside `load_if_changed`.
class INFER_EXPORT ApiKeys {
 public:
  /// Takes keys from `file`; reads nothing yet.
  explicit ApiKeys(std::filesystem::path file) : watch_(std::move(file)) {}

  /// Reads the file if it has changed; blocking. If that fails, the keys stay as they are, and the next call
  /// tries again.
  ///
  /// Errors, each reported once: `kInvalidArgument` (the file cannot be read or holds no key, or a key has
  /// fewer than 16 characters).
  Result<void> load_if_changed() {
    return watch_.follow([this] { return load(); });
  }

  /// Returns true if `given` is one of the keys. Takes equally long for all wrong keys of the same length.
  bool accepts(std::string_view given) const;

 private:
  using Digest = std::string;
  Result<void> load();

  FileWatch watch_;
  mutable std::mutex mutex_;
  std::vector<Digest> digests_;
};

}  // namespace infer::inline v0
