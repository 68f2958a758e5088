#pragma once

#include <filesystem>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Compiles TorchScript source, the methods of one module with `forward` among them, and saves it as an
/// archive. Errors: `kInvalidArgument` (the source does not compile), `kInternal` (the file cannot be
/// written).
Result<void> save_script(const std::string& source, const std::filesystem::path& file);

}  // namespace infer::inline v0
