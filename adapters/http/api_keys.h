#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "file_watch.h"
#include "infer/core/result.h"

namespace infer::http {

/// Keys from a file, one a line; empty lines and lines that start with # are none. Thread-safe.
class ApiKeys {
 public:
  explicit ApiKeys(std::filesystem::path file) : watch_(std::move(file)) {}

  /// Reads the file unless it is the one that was read last. Where that fails the keys stay as they are, and
  /// the next call tries again. Errors, each once: `kInvalidArgument` (cannot be read, holds no key, a key
  /// shorter than 16 characters).
  Result<void> load_if_changed() {
    return watch_.follow([this] { return load(); });
  }

  /// Whether `given` is one of the keys; takes as long for each that is not.
  bool accepts(std::string_view given) const;

 private:
  using Digest = std::string;
  Result<void> load();

  FileWatch watch_;
  mutable std::mutex mutex_;
  std::vector<Digest> digests_;
};

}  // namespace infer::http
