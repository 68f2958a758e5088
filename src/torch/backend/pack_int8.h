#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace infer::inline v0 {

/// Rewrites the int8 linear layers of a frozen module's graph for oneDNN, whose kernels use a CPU's VNNI
/// instructions, and gives each row of activations its own scale. Removes LibTorch's own copy of the weights.
/// Changes nothing if the module has no int8 layers or the CPU lacks the instructions.
void pack_int8(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace infer::inline v0
