#include "pack_weights.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/graph_rewrite_helper.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quick_gelu.h"

namespace infer::inline v0 {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

/// For fewer weights, the call costs more than the product, so packing does not help.
constexpr std::int64_t kLeastWeights = 1 << 14;

/// Number of rows for which oneDNN chooses the layout of a linear layer; every count that batching makes
/// gives the same layout.
constexpr std::int64_t kTypicalRows = 400;

/// The operation that a layer applies to its result; the names are oneDNN's.
struct Activation {
  std::vector<Node*> nodes;  // the nodes that it replaces, the last first
  const char* name = "none";
  std::string algorithm;
  double scale = 1;      // factor on the layer's result, which `next` divides by
  Node* next = nullptr;  // the linear layer that divides by `scale`
};

std::optional<at::Tensor> constant(const Value* value) {
  const auto ivalue = toIValue(value);
  if (!ivalue || !ivalue->isTensor()) return std::nullopt;
  return ivalue->toTensor();
}

/// oneDNN computes bf16 on any CPU with AVX-512, but slower than fp32 if the CPU lacks bf16 instructions.
bool has_fast_products(at::ScalarType type) {
#if defined(__x86_64__)
  return type == at::kFloat || (type == at::kBFloat16 && __builtin_cpu_supports("avx512bf16"));
#else
  return type == at::kFloat;
#endif
}

bool is_packable(const Node* node) {
  const bool linear = node->kind() == at::aten::linear;
  // Only convolutions of the model's input, such as a ViT's patches: oneDNN needs a batch dimension, and
  // other values may lack it.
  if (!linear && (node->kind() != at::aten::conv2d || node->input(0)->node()->kind() != at::prim::Param))
    return false;
  const auto weight = constant(node->input(1));
  if (!weight || weight->dim() != (linear ? 2 : 4) || !has_fast_products(weight->scalar_type()) ||
      !weight->device().is_cpu() || weight->layout() != at::kStrided || weight->numel() < kLeastWeights)
    return false;
  for (std::size_t i = 2; i < node->inputs().size(); ++i) {
    const auto argument = toIValue(node->input(i));
    if (!argument || argument->isString()) return false;  // computed, or padding "same"
  }
  return true;
}

std::optional<Activation> quick_gelu_after(const Node* linear) {
  auto found = find_quick_gelu(linear);
  if (!found || !is_packable(found->next)) return std::nullopt;
  return Activation{{found->gate, found->sigmoid, found->scaled}, "swish", "", found->scale, found->next};
}

Activation activation_after(const Node* layer) {
  if (auto quick_gelu = quick_gelu_after(layer)) return *std::move(quick_gelu);
  const auto& uses = layer->output()->uses();
  if (uses.size() != 1) return {};
  Node* node = uses[0].user;
  if (node->kind() == at::aten::relu) return {{node}, "relu", ""};
  if (node->kind() == at::aten::silu) return {{node}, "swish", ""};
  if (node->kind() == at::aten::gelu) {
    const auto approximate = toIValue(node->input(1));
    if (approximate && approximate->isString()) return {{node}, "gelu", approximate->toStringRef()};
  }
  return {};
}

/// Calls an operator by name, so that a signature that changed between versions of LibTorch causes an error
/// at load.
at::Tensor call(const char* name, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(arguments);
  return arguments.at(0).toTensor();
}

class Packer {
 public:
  explicit Packer(Graph& graph) : graph_(graph) {}

  void pack(Block* block) {
    std::vector<Node*> layers;
    for (Node* node : block->nodes()) {
      for (Block* inner : node->blocks()) pack(inner);
      if (is_packable(node)) layers.push_back(node);
    }
    for (Node* layer : layers) replace(layer);
  }

 private:
  void replace(Node* layer) {
    const torch::jit::WithInsertPoint here(layer);
    const Activation activation = activation_after(layer);
    at::Tensor weight = constant(layer->input(1))->contiguous();
    Value* bias = layer->input(2);
    if (const auto scaled = scaled_inputs_.find(layer); scaled != scaled_inputs_.end()) {
      weight = weight.div(scaled->second);
    }
    if (activation.scale != 1) {
      weight = weight.mul(activation.scale);
      if (const auto plain = constant(bias)) bias = graph_.insertConstant(plain->mul(activation.scale));
      scaled_inputs_[activation.next] = activation.scale;
    }
    Value* result = activation.nodes.empty() ? layer->output() : activation.nodes.front()->output();
    const bool linear = layer->kind() == at::aten::linear;
    std::vector<Value*> arguments{layer->input(0),
                                  packed(linear ? pack_linear(weight) : pack_conv2d(weight, layer)), bias};
    if (!linear) {
      for (const std::size_t i : {kPadding, kStride, kDilation, kGroups})
        arguments.push_back(layer->input(i));
    }
    arguments.push_back(graph_.insertConstant(activation.name));
    arguments.push_back(graph_.insertConstant(c10::List<std::optional<at::Scalar>>()));
    arguments.push_back(graph_.insertConstant(activation.algorithm));
    Node* fused = graph_.insertNode(graph_.create(
        c10::Symbol::fromQualString(linear ? "mkldnn::_linear_pointwise" : "mkldnn::_convolution_pointwise"),
        arguments));
    fused->output()->copyMetadata(result);
    Value* output = fused->output();
    if (!linear) {  // oneDNN's result is channels last, which a later view in the model may not support
      output = graph_.insert(at::aten::contiguous, {output});
    }
    result->replaceAllUsesWith(output);
    for (Node* node : activation.nodes) node->destroy();
    Node* plain = layer->input(1)->node();
    layer->destroy();
    if (!plain->hasUses()) plain->destroy();  // at once, so that there are never two copies of all weights
  }

  // Inputs of aten::conv2d.
  static constexpr std::size_t kStride = 3;
  static constexpr std::size_t kPadding = 4;
  static constexpr std::size_t kDilation = 5;
  static constexpr std::size_t kGroups = 6;

  static at::Tensor pack_linear(const at::Tensor& weight) {
    return call("mkldnn::_reorder_linear_weight", {weight, kTypicalRows});
  }

  static at::Tensor pack_conv2d(const at::Tensor& weight, const Node* layer) {
    std::vector<c10::IValue> arguments{weight};
    for (const std::size_t i : {kPadding, kStride, kDilation, kGroups})
      arguments.push_back(*toIValue(layer->input(i)));
    arguments.emplace_back();  // no fixed image size
    return call("mkldnn::_reorder_convolution_weight", std::move(arguments));
  }

  /// Inserts a packed tensor as a constant. It has no storage, so prim::Constant cannot hold it; LibTorch has
  /// this node for it.
  Value* packed(const at::Tensor& weight) {
    Node* node = graph_.insertNode(graph_.create(at::prim::ConstantMKLDNNTensor));
    node->t_(at::attr::value, weight);
    return node->output();
  }

  Graph& graph_;
  std::unordered_map<Node*, double> scaled_inputs_;  // factors of the inputs of layers still to be packed
};

}  // namespace

void pack_weights(std::shared_ptr<Graph>& graph) {
  if (!at::hasMKLDNN()) return;
  torch::jit::graph_rewrite_helper::replaceConvolutionWithAtenConv(
      graph);  // traced models have aten::_convolution
  Packer(*graph).pack(graph->block());
  torch::jit::EliminateDeadCode(graph->block());
}

}  // namespace infer::inline v0
