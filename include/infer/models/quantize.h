#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/tasks/task.h"

namespace infer::inline v0 {

/// How to lower the precision of a model, and how to check the outcome.
struct QuantizeOptions {
  std::string precision = "int8";  ///< "int8", "bf16", or "fp16", which is for GPUs.
  /// Photographs (a folder) or texts (a file, one per line) on which to compare answers; empty: generated
  /// samples.
  std::filesystem::path samples;
  /// Minimum cosine between the answers of both models, for every sample; a lower cosine is refused.
  double least_cosine = kLeastCosineOfPrecisions;
};

/// Which linear layers were quantised, and how close the answers stayed.
struct QuantizeReport {
  std::size_t quantized = 0;              ///< Layers whose weights have the new precision.
  std::vector<std::string> left_in_fp32;  ///< Layers that keep fp32 weights, each with the reason.
  std::size_t samples = 0;                ///< Samples that were compared.
  double mean_cosine = 1;                 ///< Mean cosine between the answers of both models.
  double least_cosine = 1;                ///< Lowest cosine between the answers of both models.
  std::size_t bytes_before = 0;           ///< Size of the old model file, in bytes.
  std::size_t bytes_after = 0;            ///< Size of the new model file, in bytes.
};

/// Writes a copy of a model in lower precision.
///
/// int8 has symmetric weights per output channel, and quantises activations at run time. bf16 and fp16 apply
/// to weights, inputs and outputs of linear layers. If `directory` is `source`, the model gets a new version
/// instead, such as 1-int8, which no server serves before it is promoted. The file is TorchScript that any
/// LibTorch with quantised operators loads. Blocking.
///
/// Errors: those of `load_model`; `kFailedPrecondition` (the folder exists or cannot be written, or a cosine
/// is below `least_cosine`; the call then leaves nothing behind); `kInvalidArgument` (precision, samples; a
/// model without linear layers or not in fp32); `kUnimplemented` (a build without LibTorch).
INFER_EXPORT Result<QuantizeReport> quantize_model(const std::filesystem::path& source,
                                                   const QuantizeOptions& options,
                                                   const std::filesystem::path& directory);

}  // namespace infer::inline v0
