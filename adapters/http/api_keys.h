#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::http {

/// Keys from a file, one a line; empty lines and lines that start with # are none. Thread-safe.
class ApiKeys {
 public:
  /// Errors: `kInvalidArgument` (cannot be read, holds no key, a key shorter than 16 characters).
  Result<void> load(const std::filesystem::path& file);
  /// Reads the file again if it has changed. Where that fails the keys stay as they are.
  Result<void> reload_if_changed();

  /// Whether `given` is one of the keys; takes as long for each that is not.
  bool accepts(std::string_view given) const;

 private:
  using Digest = std::string;

  std::filesystem::path file_;
  std::filesystem::file_time_type changed_;
  mutable std::mutex mutex_;
  std::vector<Digest> digests_;
};

}  // namespace infer::http
