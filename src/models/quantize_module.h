#pragma once

#include <filesystem>
#include <string>

#include "infer/core/result.h"
#include "infer/models/quantize.h"

namespace infer::inline v0 {

/// The part of `quantize_model` that needs LibTorch: file to file. Fills in the layers of `report`.
Result<void> quantize_module(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::string& precision, QuantizeReport& report);

}  // namespace infer::inline v0
