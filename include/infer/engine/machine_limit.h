#pragma once

#include <span>
#include <string_view>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Operations of one forward: two for each multiplication with its addition, in matrix products, convolutions
/// and attention. What goes element by element is left out, being little. 0 for a backend that does not
/// compute with LibTorch. Runs the forward once on the calling thread. Errors: those of `forward`;
/// `kUnimplemented` (a build without LibTorch).
INFER_EXPORT Result<double> count_operations(const Backend& backend, std::span<const Tensor> inputs);

/// Operations per second that the calling thread, with its intra-op threads, reaches in one product of two
/// matrices of 2048 x 2048: the most that a forward of that precision ("fp32", "bf16" or "int8", accumulated
/// in int32) can come to. Blocks for about `seconds`. Errors: `kInvalidArgument` (precision),
/// `kUnimplemented` (a build without LibTorch, a CPU without the instructions).
INFER_EXPORT Result<double> measure_peak(std::string_view precision, double seconds);

}  // namespace infer::inline v0
