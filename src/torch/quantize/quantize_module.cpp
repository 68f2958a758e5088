#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/quantize_per_channel.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/serialization/import.h>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../models/torch_making.h"
#include "../backend/error_text.h"
#include "../backend/quick_gelu.h"
#include "../backend/quiet_warnings.h"
#include "../models/module_file.h"

namespace infer::inline v0 {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

/// Layers with fewer weights stay in fp32: the cost of a call exceeds that of the product, and they are
/// small.
constexpr std::int64_t kLeastWeights = 1 << 14;

std::optional<at::Tensor> constant(const Value* value) {
  const auto ivalue = torch::jit::toIValue(value);
  if (!ivalue || !ivalue->isTensor()) return std::nullopt;
  return ivalue->toTensor();
}

c10::IValue call(const char* name, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(arguments);
  return arguments.at(0);
}

/// Quantises to symmetric int8 with a scale for each row, whose largest magnitude becomes 127.
at::Tensor quantized_rows(const at::Tensor& weight) {
  const at::Tensor scales = weight.abs().amax(1).div(127).clamp_min(1e-12).to(at::kDouble);
  return at::quantize_per_channel(weight.contiguous(), scales, at::zeros({weight.size(0)}, at::kLong), 0,
                                  at::kQInt8);
}

class Quantizer {
 public:
  Quantizer(torch::jit::Module& module, std::string_view precision, QuantizeReport& report)
      : module_(module),
        is_half_(precision != "int8"),
        half_(precision == "fp16" ? at::kHalf : at::kBFloat16),
        report_(report) {}

  void run() {
    auto graph = module_.get_method("forward").graph();
    visit(graph->block(), *graph);
    torch::jit::EliminateDeadCode(graph->block());
  }

 private:
  void visit(Block* block, torch::jit::Graph& graph) {
    std::vector<Node*> patches;
    for (Node* node : block->nodes()) {
      if (cuts_patches(node)) patches.push_back(node);
    }
    for (Node* convolution : patches) cut_patches(convolution, graph);
    std::vector<Node*> layers;
    for (Node* node : block->nodes()) {
      for (Block* inner : node->blocks()) visit(inner, graph);
      if (node->kind() == at::aten::linear) layers.push_back(node);
      if (node->kind() == at::aten::conv2d || node->kind() == at::aten::_convolution)
        leave(node, "a convolution");
      if (node->kind() == at::aten::embedding) leave(node, "an embedding");
      if (node->kind() == at::aten::matmul && constant(node->input(1)))
        leave(node, "a product with weights, but not a linear layer", 1);
    }
    for (Node* layer : layers) replace(layer, graph);
  }

  /// Returns true if a convolution's windows neither overlap nor leave gaps, as in a vision transformer.
  static bool cuts_patches(const Node* node) {
    if (node->kind() != at::aten::conv2d) return false;
    const auto weight = constant(node->input(1));
    if (!weight || weight->dim() != 4 || weight->numel() < kLeastWeights ||
        !torch::jit::toIValue(node->input(2)))
      return false;
    const auto is = [&](std::size_t input, const std::vector<std::int64_t>& expected) {
      const auto value = torch::jit::toIValue(node->input(input));
      return value && value->isIntList() && value->toIntVector() == expected;
    };
    const auto groups = torch::jit::toIValue(node->input(6));
    return is(3, {weight->size(2), weight->size(3)}) && is(4, {0, 0}) && is(5, {1, 1}) && groups &&
           groups->isInt() && groups->toInt() == 1;
  }

  /// Replaces a convolution of `cuts_patches` by an equal linear layer on each patch's pixels.
  static void cut_patches(Node* convolution, torch::jit::Graph& graph) {
    const torch::jit::WithInsertPoint here(convolution);
    const at::Tensor weight = *constant(convolution->input(1));
    const std::vector<std::int64_t> window{weight.size(2), weight.size(3)};
    Value* images = convolution->input(0);
    Value* pixels = graph.insert(
        c10::Symbol::fromQualString("aten::im2col"),
        {images, window, std::vector<std::int64_t>{1, 1}, std::vector<std::int64_t>{0, 0}, window});
    Value* rows = graph.insert(at::aten::transpose, {pixels, 1, 2});
    Value* tokens = graph.insert(at::aten::linear,
                                 {rows, weight.flatten(1), *torch::jit::toIValue(convolution->input(2))});
    const auto count = [&](std::int64_t dimension, std::int64_t of) {
      return graph.insert(at::aten::floordiv, {graph.insert(at::aten::size, {images, dimension}), of});
    };
    Node* shape = graph.insertNode(graph.createList(
        c10::IntType::get(), {graph.insert(at::aten::size, {images, 0}), graph.insertConstant(weight.size(0)),
                              count(2, window[0]), count(3, window[1])}));
    Value* result =
        graph.insert(at::aten::reshape, {graph.insert(at::aten::transpose, {tokens, 1, 2}), shape->output()});
    result->copyMetadata(convolution->output());
    convolution->output()->replaceAllUsesWith(result);
    convolution->destroy();
  }

  void leave(const Node* node, const std::string& why, std::size_t input = 0) {
    std::string line = node->kind().toUnqualString();
    std::string shape;
    for (std::size_t i = input; i < node->inputs().size() && shape.empty(); ++i) {
      if (const auto weight = constant(node->input(i)); weight && weight->dim() >= 2) {
        for (const std::int64_t dim : weight->sizes()) {
          shape += shape.empty() ? '[' : ',';
          shape += std::to_string(dim);
        }
        shape += ']';
      }
    }
    line += ' ';
    line += shape;
    line += ": ";
    line += why;
    report_.left_in_fp32.push_back(std::move(line));
  }

  /// Returns why a layer's weights cannot be quantised; empty if they can.
  static std::string obstacle(const Node* layer) {
    const auto weight = constant(layer->input(1));
    if (!weight || !torch::jit::toIValue(layer->input(2))) return "its weights are computed";
    if (weight->scalar_type() != at::kFloat || weight->dim() != 2)
      return "its weights are not an FP32 matrix";
    return weight->numel() < kLeastWeights ? "fewer than 16384 weights" : "";
  }

  void replace(Node* layer, torch::jit::Graph& graph) {
    if (std::string why = obstacle(layer); !why.empty()) return leave(layer, why);
    at::Tensor weight = *constant(layer->input(1));
    c10::IValue bias = *torch::jit::toIValue(layer->input(2));
    if (const auto scaled = scaled_inputs_.find(layer); scaled != scaled_inputs_.end())
      weight = weight.div(scaled->second);
    Value* result = layer->output();
    const auto gelu = find_quick_gelu(layer);
    const bool fold = gelu && obstacle(gelu->next).empty();
    if (fold) {
      weight = weight.mul(gelu->scale);
      if (bias.isTensor()) bias = bias.toTensor().mul(gelu->scale);
      scaled_inputs_[gelu->next] = gelu->scale;
      result = gelu->gate->output();
    }
    const torch::jit::WithInsertPoint here(layer);
    Value* output = is_half_ ? half_product(layer->input(0), weight, bias, graph)
                             : product(layer->input(0), weight, bias, graph);
    if (fold)
      output = graph.insert(c10::Symbol::fromQualString(is_half_ ? "aten::silu" : "aten::silu_"), {output});
    if (is_half_ && !fold) output = converted(output, at::kFloat, graph);
    output->copyMetadata(result);
    result->replaceAllUsesWith(output);
    if (fold) {
      for (Node* node : {gelu->gate, gelu->sigmoid, gelu->scaled}) node->destroy();
    }
    layer->destroy();
  }

  static Value* converted(Value* value, at::ScalarType type, torch::jit::Graph& graph) {
    return graph.insert(at::aten::to, {value, type});
  }

  /// Inserts a product in half precision. The result stays in half precision. After a folded activation the
  /// input is in half precision already, and the conversion does nothing.
  Value* half_product(Value* input, const at::Tensor& weight, const c10::IValue& bias,
                      torch::jit::Graph& graph) {
    ++report_.quantized;
    const c10::IValue half_bias = bias.isTensor() ? c10::IValue(bias.toTensor().to(half_)) : bias;
    return graph.insert(at::aten::linear, {converted(input, half_, graph), weight.to(half_), half_bias});
  }

  Value* product(Value* input, const at::Tensor& weight, const c10::IValue& bias, torch::jit::Graph& graph) {
    // LibTorch uses one scale for a whole batch. Rows of a layer norm have similar magnitudes; rows of other
    // operations, such as a GELU, can differ by a factor of a hundred, and small rows would use few of the
    // 256 steps. Dividing each row by its largest magnitude gives every row all steps, and makes answers
    // independent of the rest of the batch.
    const bool by_row = input->node()->kind() != at::aten::layer_norm;
    const c10::IValue packed =
        call("quantized::linear_prepack", {quantized_rows(weight), by_row ? c10::IValue() : bias});
    std::string name = "packed_";
    name += std::to_string(report_.quantized++);
    module_.register_attribute(name, packed.type(), packed);
    Value* attribute = graph.insertGetAttr(graph.inputs().at(0), name);
    Value* scale = nullptr;
    if (by_row) {
      // Two reductions, since LibTorch vectorises maximum and minimum but not a maximum of magnitudes.
      const std::vector<std::int64_t> row{-1};
      Value* most = graph.insert(at::aten::amax, {input, row, true});
      Value* least = graph.insert(at::aten::neg, {graph.insert(at::aten::amin, {input, row, true})});
      scale = graph.insert(at::aten::clamp_min, {graph.insert(at::aten::maximum, {most, least}), 1e-12});
      input = graph.insert(at::aten::div, {input, scale});
    }
    Node* dynamic = graph.insertNode(graph.create(c10::Symbol::fromQualString("quantized::linear_dynamic"),
                                                  {input, attribute, graph.insertConstant(false)}));
    if (!by_row) return dynamic->output();
    if (bias.isNone()) return graph.insert(at::aten::mul, {dynamic->output(), scale});
    return graph.insert(at::aten::addcmul, {graph.insertConstant(bias), dynamic->output(), scale});
  }

  torch::jit::Module& module_;
  const bool is_half_;
  const at::ScalarType half_;  ///< The type of weights and products.
  QuantizeReport& report_;
  std::unordered_map<Node*, double> scaled_inputs_;  // factors of the inputs of layers still to be replaced
};

}  // namespace

Result<void> libtorch::quantize(const std::filesystem::path& from, const std::filesystem::path& to,
                                const std::string& precision, QuantizeReport& report) {
  try {
    const c10::InferenceMode guard;
    const QuietWarnings quiet;
    torch::jit::Module module = torch::jit::load(from.string());
    module.eval();
    module = torch::jit::freeze(module);
    Quantizer(module, precision, report).run();
    if (report.quantized == 0)
      return fail(ErrorCode::kInvalidArgument, from.string() + ": has no linear layer to quantise");
    return save_module(module, to);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kModelError, from.string() + ": " + short_text(e));
  }
}

}  // namespace infer::inline v0
