#pragma once

/// Opt-in: the only public header that includes torch. For programs that use LibTorch themselves.

#include <ATen/core/Tensor.h>

#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The same memory as a LibTorch tensor, which keeps it alive; no copy. Write to it only with sole use of
/// `tensor`.
INFER_EXPORT at::Tensor to_torch(const Tensor& tensor);

/// The memory of a contiguous CPU tensor, shared; any other is copied. Errors: `kModelError` for a tensor
/// that is undefined, not dense, of more than 8 dimensions or of a dtype without a match.
INFER_EXPORT Result<Tensor> from_torch(const at::Tensor& tensor);

}  // namespace infer::inline v0
