#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace infer::cli {

/// One thing looked at, and what to do where it is not well.
struct Check {
  enum class Level { kOk, kWarning, kFailure };
  Level level = Level::kOk;
  std::string name;
  std::string found;
  std::string advice;  ///< Empty where all is well.
};

/// CPU, thread plan, control group, memory, LibTorch, allocator, limits of the process. Files are read below
/// `root`.
std::vector<Check> check_machine(const std::filesystem::path& root = "/");

/// The folder of a model: manifest, file, and what the module holds.
std::vector<Check> check_model(const std::filesystem::path& directory);

}  // namespace infer::cli
