#pragma once

#include <filesystem>

#include "infer/core/result.h"
#include "infer/weights/safetensors.h"

namespace infer::inline v0 {

/// Reads the tensors of a safetensors file, or of a folder: model.safetensors, else the shards that
/// model.safetensors.index.json lists, else all safetensors files. Names of old checkpoints (LayerNorm.gamma
/// and .beta) become current names (.weight and .bias).
///
/// Errors: `kNotFound` (no file, or a missing shard, which the message names), `kInvalidArgument` (a file is
/// invalid, or index and shards disagree), `kUnimplemented` (pickled weights, adapters).
Result<TensorMap> read_checkpoint_tensors(const std::filesystem::path& source);

}  // namespace infer::inline v0
