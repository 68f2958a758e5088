#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Writes a module's archive as `DurableFile` does. LibTorch's own `save(file)` ends the process if the disk
/// is full, because the destructor of its writer throws. Errors: `kFailedPrecondition`.
Result<void> save_module(const torch::jit::Module& module, const std::filesystem::path& file);

}  // namespace infer::inline v0
