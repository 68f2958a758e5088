#pragma once

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <optional>

namespace infer::inline v0 {

/// A QuickGELU between two linear layers, x * sigmoid(a * x). It equals silu(a * x) / a with silu(y) = y *
/// sigmoid(y), which is a single operation if the factors go into the weights before and after.
struct QuickGelu {
  torch::jit::Node* scaled;   // a * x
  torch::jit::Node* sigmoid;  // sigmoid(a * x)
  torch::jit::Node* gate;     // the product with x
  torch::jit::Node* next;     // the one linear layer that the result goes to
  double scale;               // a
};

/// Finds the QuickGELU after `linear`; empty unless only the QuickGELU uses the result, and only one linear
/// layer follows.
inline std::optional<QuickGelu> find_quick_gelu(const torch::jit::Node* linear) {
  using torch::jit::Node;
  const torch::jit::Value* product = linear->output();
  if (linear->kind() != at::aten::linear || product->uses().size() != 2) return std::nullopt;
  const auto only_user = [](const Node* node, c10::Symbol kind) -> Node* {
    const auto& uses = node->output()->uses();
    return uses.size() == 1 && uses[0].user->kind() == kind ? uses[0].user : nullptr;
  };
  for (const auto& use : product->uses()) {
    Node* scaled = use.user;
    if (scaled->kind() != at::aten::mul || use.offset != 0) continue;
    const auto scale = torch::jit::toIValue(scaled->input(1));
    Node* sigmoid = only_user(scaled, at::aten::sigmoid);
    if (!scale || !scale->isDouble() || !(scale->toDouble() > 0) || sigmoid == nullptr) continue;
    Node* gate = only_user(sigmoid, at::aten::mul);
    if (gate == nullptr || (gate->input(0) != product && gate->input(1) != product)) continue;
    Node* next = only_user(gate, at::aten::linear);
    if (next == nullptr || next->input(0) != gate->output() || next->owningBlock() != linear->owningBlock())
      continue;
    return QuickGelu{scaled, sigmoid, gate, next, scale->toDouble()};
  }
  return std::nullopt;
}

}  // namespace infer::inline v0
