#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Tensors of a checkpoint by name.
using TensorMap = std::map<std::string, Tensor>;

/// Maps a safetensors file into memory and checks it whole before anything is read from it.
///
/// The tensors share the mapping, which ends with the last of them; nothing is copied, and what is written to
/// them stays in this process. Their data may lie unaligned. Format:
/// https://github.com/huggingface/safetensors. Errors: `kNotFound`, `kInvalidArgument` (what is wrong, with
/// the tensor's name), `kUnimplemented` (a dtype that has no counterpart here, such as F8_E4M3).
INFER_EXPORT Result<TensorMap> read_safetensors(const std::filesystem::path& file);

/// The same for bytes in memory, which `owner` keeps alive.
INFER_EXPORT Result<TensorMap> parse_safetensors(std::span<std::byte> bytes, std::shared_ptr<void> owner);

}  // namespace infer::inline v0
