#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace infer::cli {

/// The result of one check, with advice if something is wrong.
struct Check {
  enum class Level { kOk, kWarning, kFailure };
  Level level = Level::kOk;
  std::string name;
  std::string found;
  std::string advice;  ///< Empty if all is well.
};

/// Checks CPU, thread plan, control group, memory, LibTorch, allocator and process limits. Reads system
/// files below `root`.
std::vector<Check> check_machine(const std::filesystem::path& root = "/");

/// Checks a model's folder: manifest, file, and the contents of the module.
std::vector<Check> check_model(const std::filesystem::path& directory);

}  // namespace infer::cli
