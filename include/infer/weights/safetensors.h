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

/// The tensors of a checkpoint, by name.
using TensorMap = std::map<std::string, Tensor>;

/// Maps a safetensors file into memory and checks it before it returns any tensor.
///
/// The tensors share the mapping, which ends with the last of them; nothing is copied. Writes to the tensors
/// stay in this process. The data may be unaligned. Format: https://github.com/huggingface/safetensors.
/// Blocking.
///
/// Errors: `kNotFound`; `kInvalidArgument` (the message names the tensor and what is wrong); `kUnimplemented`
/// (a dtype without counterpart, such as F8_E4M3).
INFER_EXPORT Result<TensorMap> read_safetensors(const std::filesystem::path& file);

/// Reads a safetensors file from memory, which `owner` keeps valid as long as a tensor exists.
///
/// Errors: those of `read_safetensors`, `kNotFound` excepted.
INFER_EXPORT Result<TensorMap> parse_safetensors(std::span<std::byte> bytes, std::shared_ptr<void> owner);

}  // namespace infer::inline v0
