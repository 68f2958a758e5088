#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

struct QuantizeOptions {
  std::string precision = "int8";  ///< Or "bf16", or "fp16", which is for GPUs.
  /// Photographs (a folder) or texts (a file, one a line) to compare answers on; empty: some that are made
  /// up.
  std::filesystem::path samples;
  double least_cosine = 0.97;  ///< Between the answers of both models, for every sample; less is refused.
};

/// What became of a model's linear layers, and how near its answers stayed.
struct QuantizeReport {
  std::size_t quantized = 0;              ///< Layers with weights of that precision now.
  std::vector<std::string> left_in_fp32;  ///< Other layers with weights, and why.
  std::size_t samples = 0;
  double mean_cosine = 1;
  double least_cosine = 1;
  std::size_t bytes_before = 0;  ///< Of the model file.
  std::size_t bytes_after = 0;
};

/// Writes DIRECTORY with the model of `source` in int8 (weights per output channel, symmetric; activations as
/// they come, at run time) or in bf16 or fp16 (weights, and what goes into and comes out of linear layers).
/// Where DIRECTORY is `source` itself, the model gets a version more instead, such as 1-int8, which is not
/// served before it is promoted. The file is TorchScript that any LibTorch with quantised operators loads.
///
/// Blocking. Errors: those of `load_model`; `kFailedPrecondition` (the folder exists or cannot be written, or
/// a sample's cosine is below `least_cosine`; nothing is left behind then), `kInvalidArgument` (precision,
/// samples; a model without linear layers or not of fp32), `kUnimplemented` (a build without LibTorch).
INFER_EXPORT Result<QuantizeReport> quantize_model(const std::filesystem::path& source,
                                                   const QuantizeOptions& options,
                                                   const std::filesystem::path& directory);

}  // namespace infer::inline v0
