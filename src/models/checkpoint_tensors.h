#pragma once

#include <filesystem>

#include "infer/core/result.h"
#include "infer/weights/safetensors.h"

namespace infer::inline v0 {

/// The tensors of a safetensors file, or of a folder: model.safetensors, or the shards that
/// model.safetensors.index.json lists, or whatever safetensors files there are. Names of old checkpoints
/// (LayerNorm.gamma and .beta) become today's (.weight and .bias).
///
/// Errors: `kNotFound` (nothing to read; a shard, by its name), `kInvalidArgument` (a file, an index that the
/// shards do not agree with), `kUnimplemented` (pickled weights, adapters).
Result<TensorMap> read_checkpoint_tensors(const std::filesystem::path& source);

}  // namespace infer::inline v0
