#pragma once

/// \file
/// Conversions for programs that use LibTorch themselves; the only public header that includes torch.

#include <ATen/core/Tensor.h>

#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Returns a LibTorch tensor of the same memory, which it keeps alive; copies nothing.
///
/// Write to it only if `tensor` is the only copy. May throw LibTorch's exceptions.
INFER_EXPORT at::Tensor to_torch(const Tensor& tensor);

/// Returns a tensor that shares the memory of a contiguous CPU tensor, or a copy of any other tensor.
///
/// Errors: `kModelError` for a tensor that is undefined, not dense, of more than 8 dimensions, or of a dtype
/// without counterpart.
INFER_EXPORT Result<Tensor> from_torch(const at::Tensor& tensor);

}  // namespace infer::inline v0
