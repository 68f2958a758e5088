#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace infer::inline v0 {

/// Lays the weights of a frozen graph's linear layers, and of a convolution of its input, out as oneDNN's
/// kernels read them, once, at load, and lets each apply the activation that follows it. Only fp32 weights on
/// the CPU; other layers stay as they are. The packed weights replace the plain ones, so memory stays as it
/// was. Results change by rounding only.
///
/// Why: LibTorch gives aten::linear to MKL, which repacks the weights at every call and takes no AVX-512 path
/// on AMD's CPUs; there the packed product is more than twice as fast (docs/benchmarks.md). Convolutions use
/// oneDNN already, but reorder their weights at every call.
void pack_weights(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace infer::inline v0
