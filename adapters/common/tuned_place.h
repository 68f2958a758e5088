#pragma once

#include <filesystem>

namespace infer::adapter {

/// Returns the file of settings that were tuned for this machine, MODEL/tuned/CPU-CORES.json. Empty if
/// there is none.
std::filesystem::path find_tuned(const std::filesystem::path& model);

/// Returns where to write tuned settings: beside the model, or in the user's cache if the model's folder is
/// read-only.
std::filesystem::path tuned_place(const std::filesystem::path& model);

}  // namespace infer::adapter
