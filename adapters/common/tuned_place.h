#pragma once

#include <filesystem>

namespace infer::adapter {

/// Where settings that were tuned for this machine lie: MODEL/tuned/CPU-CORES.json; empty if they were not.
std::filesystem::path find_tuned(const std::filesystem::path& model);

/// Where to write them: beside the model, or where that cannot be written in the user's cache.
std::filesystem::path tuned_place(const std::filesystem::path& model);

}  // namespace infer::adapter
