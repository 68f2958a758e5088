#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace infer::inline v0 {

/// Stores the weights of a frozen graph's linear layers, and of a convolution of its input, once at load in
/// the layout of oneDNN's kernels, and lets each layer apply the activation that follows it. Only changes
/// fp32 weights on the CPU. The packed weights replace the plain ones, so memory does not grow. Results
/// change only by rounding.
///
/// Reason: LibTorch gives aten::linear to MKL, which repacks the weights at every call and takes no AVX-512
/// path on AMD's CPUs; there the packed product is more than twice as fast (docs/benchmarks.md). Convolutions
/// use oneDNN already, but reorder their weights at every call.
void pack_weights(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace infer::inline v0
