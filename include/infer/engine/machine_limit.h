#pragma once

#include <span>
#include <string_view>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Counts the floating-point operations of one forward.
///
/// The count has two operations for each multiplication with its addition, in matrix products, convolutions
/// and attention; elementwise operations are small and left out. The result is 0 for a backend that does not
/// compute with LibTorch. `inputs` are those of `Backend::forward`. Runs the forward once on the calling
/// thread and blocks for it.
///
/// Errors: those of `Backend::forward`; `kUnimplemented` (a build without LibTorch).
INFER_EXPORT Result<double> count_operations(const Backend& backend, std::span<const Tensor> inputs);

/// Measures the operations per second that this machine reaches in one large matrix product.
///
/// The product is that of two 2048 x 2048 matrices in `precision` ("fp32", "bf16", or "int8" accumulated in
/// int32), computed by the calling thread and its intra-op threads. No forward of that precision can be
/// faster. Blocks for about `seconds` seconds.
///
/// Errors: `kInvalidArgument` (precision), `kUnimplemented` (a build without LibTorch, a CPU without the
/// instructions).
INFER_EXPORT Result<double> measure_peak(std::string_view precision, double seconds);

}  // namespace infer::inline v0
