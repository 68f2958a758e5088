#include "pack_int8.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "../../int8/rows.h"

namespace infer::inline v0 {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

/// Number of rows for which the layout of weights is chosen, as in pack_weights.
constexpr std::int64_t kTypicalRows = 400;
constexpr std::int64_t kZeroPoint = 128;
/// Minimum number of rows for each thread.
constexpr std::int64_t kGrain = 32;

struct Rows {
  std::int64_t count;
  std::int64_t columns;
  static Rows of(const at::Tensor& x) {
    return {x.numel() / std::max<std::int64_t>(1, x.size(-1)), x.size(-1)};
  }
};

/// Calls `body(first, count)` for parts of the rows, in parallel on LibTorch's intra-op threads.
template <class Body>
void for_rows(const Rows& rows, const Body& body) {
  at::parallel_for(0, rows.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    body(begin, static_cast<std::size_t>(end - begin));
  });
}

using Quantized = std::tuple<at::Tensor, at::Tensor>;  // steps, and the size of a step in each row

Quantized empty_like(const at::Tensor& x, const Rows& rows) {
  return {at::empty(x.sizes(), at::kByte), at::empty({rows.count}, at::kFloat)};
}

Quantized quantize(const at::Tensor& input) {
  const at::Tensor x = input.to(at::kFloat).contiguous();
  const Rows rows = Rows::of(x);
  Quantized out = empty_like(x, rows);
  const auto columns = static_cast<std::size_t>(rows.columns);
  const float* from = x.const_data_ptr<float>();
  auto* steps = std::get<0>(out).mutable_data_ptr<std::uint8_t>();
  auto* scales = std::get<1>(out).mutable_data_ptr<float>();
  for_rows(rows, [&](std::int64_t first, std::size_t count) {
    const std::int64_t at = first * rows.columns;
    quantize_rows(from + at, count, columns, steps + at, scales + first);
  });
  return out;
}

Quantized norm_quantize(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                        double epsilon) {
  const at::Tensor x = input.to(at::kFloat).contiguous();
  const Rows rows = Rows::of(x);
  Quantized out = empty_like(x, rows);
  const auto columns = static_cast<std::size_t>(rows.columns);
  const float* from = x.const_data_ptr<float>();
  const auto* times = weight.const_data_ptr<float>();
  const auto* plus = bias.const_data_ptr<float>();
  auto* steps = std::get<0>(out).mutable_data_ptr<std::uint8_t>();
  auto* scales = std::get<1>(out).mutable_data_ptr<float>();
  for_rows(rows, [&](std::int64_t first, std::size_t count) {
    const std::int64_t at = first * rows.columns;
    thread_local std::vector<float> scratch;
    if (scratch.size() < columns) scratch.resize(columns);
    norm_quantize_rows(from + at, count, columns, times, plus, static_cast<float>(epsilon), scratch.data(),
                       steps + at, scales + first);
  });
  return out;
}

/// Scales the rows of the product `x` and adds bias and `other`; `x` is overwritten and becomes the result.
at::Tensor scale(const at::Tensor& x, const at::Tensor& scales, const std::optional<at::Tensor>& bias,
                 const std::optional<at::Tensor>& other) {
  const Rows rows = Rows::of(x);
  const bool fits = other && other->scalar_type() == at::kFloat && other->sizes() == x.sizes();
  const at::Tensor residual = fits ? other->contiguous() : at::Tensor();
  auto* data = x.mutable_data_ptr<float>();
  const auto* by = scales.const_data_ptr<float>();
  const float* plus = bias ? bias->const_data_ptr<float>() : nullptr;
  const float* added = fits ? residual.const_data_ptr<float>() : nullptr;
  for_rows(rows, [&](std::int64_t first, std::size_t count) {
    const std::int64_t at = first * rows.columns;
    scale_rows(data + at, count, static_cast<std::size_t>(rows.columns), by + first, plus,
               fits ? added + at : nullptr);
  });
  return other && !fits ? at::add(x, *other) : x;  // adding `other` may broadcast
}

Quantized silu_quantize(const at::Tensor& x, const at::Tensor& scales,
                        const std::optional<at::Tensor>& bias) {
  const Rows rows = Rows::of(x);
  Quantized out = empty_like(x, rows);
  auto* data = x.mutable_data_ptr<float>();
  const auto* by = scales.const_data_ptr<float>();
  const float* plus = bias ? bias->const_data_ptr<float>() : nullptr;
  auto* steps = std::get<0>(out).mutable_data_ptr<std::uint8_t>();
  auto* sizes = std::get<1>(out).mutable_data_ptr<float>();
  for_rows(rows, [&](std::int64_t first, std::size_t count) {
    const std::int64_t at = first * rows.columns;
    silu_quantize_rows(data + at, count, static_cast<std::size_t>(rows.columns), by + first, plus, steps + at,
                       sizes + first);
  });
  return out;
}

void register_operators() {
  static const torch::Library kLibrary = [] {
    torch::Library library(torch::Library::FRAGMENT, "infer", std::nullopt, __FILE__, __LINE__);
    library.def("quantize_rows(Tensor x) -> (Tensor, Tensor)", TORCH_FN(quantize));
    library.def("norm_quantize_rows(Tensor x, Tensor weight, Tensor bias, float eps) -> (Tensor, Tensor)",
                TORCH_FN(norm_quantize));
    library.def("scale_rows(Tensor(a!) x, Tensor scales, Tensor? bias, Tensor? other) -> Tensor(a!)",
                TORCH_FN(scale));
    library.def("silu_quantize_rows(Tensor(a!) x, Tensor scales, Tensor? bias) -> (Tensor, Tensor)",
                TORCH_FN(silu_quantize));
    return library;
  }();
}

std::vector<c10::IValue> call(const char* name, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(arguments);
  return arguments;
}

c10::Symbol symbol(const char* name) { return c10::Symbol::fromQualString(name); }

/// The weights of an int8 layer, and its bias or None.
struct Weights {
  at::Tensor packed;
  at::Tensor scales;
  c10::IValue bias;
};

class Packer {
 public:
  explicit Packer(Graph& graph) : graph_(graph) {}

  void run() {
    pack(graph_.block());
    torch::jit::EliminateDeadCode(graph_.block());
  }

 private:
  /// A product whose rows still have to be scaled.
  struct Product {
    Value* steps;
    Value* scales;
    c10::IValue bias;
  };

  void pack(Block* block) {
    std::vector<Node*> layers;
    for (Node* node : block->nodes()) {
      for (Block* inner : node->blocks()) pack(inner);
      if (node->kind() == symbol("quantized::linear_dynamic")) layers.push_back(node);
    }
    for (Node* layer : layers) replace(layer);
  }

  void replace(Node* layer) {
    Value* input = layer->input(0);
    Node* last = layer;
    c10::IValue scaled_bias;
    if (const Node* div = input->node();
        div->kind() == at::aten::div && div->input(1)->node()->kind() == at::aten::clamp_min) {
      // quantize_module divides each row by its largest magnitude before the layer and multiplies after it.
      const auto& uses = layer->output()->uses();
      if (uses.size() != 1) return;
      last = uses[0].user;
      if (last->kind() == at::aten::addcmul && toIValue(last->input(0))) {
        scaled_bias = *toIValue(last->input(0));
      } else if (last->kind() != at::aten::mul) {
        return;
      }
      input = div->input(0);
    }
    auto weights = take(layer);
    if (!weights) return;
    if (!scaled_bias.isNone()) weights->bias = scaled_bias;
    const torch::jit::WithInsertPoint here(layer);
    const Product product = multiply(input, *weights);
    if (Node* silu = silu_to_layer_alone(last)) {
      // Out of place, so that dead-code elimination removes it once the next layer is replaced.
      Node* pure = silu->replaceWithNewSymbol(at::aten::silu);
      silu->destroy();
      products_.emplace(pure->output(), product);
      return;
    }
    finish(product, last);
  }

  /// Scales the rows of a product; includes an addition that follows.
  void finish(const Product& product, Node* last) {
    Value* bias = graph_.insertConstant(product.bias);
    Value* other = nullptr;
    Node* end = last;
    if (const auto& uses = last->output()->uses(); uses.size() == 1 && is_plain_sum(uses[0].user, last)) {
      end = uses[0].user;
      other = end->input(1 - uses[0].offset);
    }
    const torch::jit::WithInsertPoint here(end);
    if (other == nullptr) other = graph_.insertConstant(c10::IValue());
    Value* result = graph_.insert(symbol("infer::scale_rows"), {product.steps, product.scales, bias, other});
    result->copyMetadata(end->output());
    end->output()->replaceAllUsesWith(result);
  }

  /// Returns true if `node` adds another tensor to the result of `last`.
  static bool is_plain_sum(const Node* node, const Node* last) {
    if (node->kind() != at::aten::add || node->inputs().size() != 3 ||
        node->owningBlock() != last->owningBlock() || node->input(0) == node->input(1))
      return false;
    const auto alpha = toIValue(node->input(2));
    const auto is_tensor = [&](std::size_t i) {
      return node->input(i)->type()->kind() == c10::TypeKind::TensorType;
    };
    return alpha && alpha->isInt() && alpha->toInt() == 1 && is_tensor(0) && is_tensor(1);
  }

  /// Inserts the node that gives the steps of a value, and their sizes.
  Node* quantized(Value* input) {
    if (const auto before = products_.find(input); before != products_.end()) {
      const auto& [steps, scales, bias] = before->second;
      return graph_.insertNode(graph_.create(symbol("infer::silu_quantize_rows"),
                                             {steps, scales, graph_.insertConstant(bias)}, 2));
    }
    if (const Node* norm = input->node(); is_plain_norm(norm)) {
      return graph_.insertNode(graph_.create(symbol("infer::norm_quantize_rows"),
                                             {norm->input(0), norm->input(2), norm->input(3), norm->input(4)},
                                             2));
    }
    return graph_.insertNode(graph_.create(symbol("infer::quantize_rows"), {input}, 2));
  }

  /// Returns true for a layer norm of the last dimension, with weight and bias, whose result only one node
  /// uses.
  static bool is_plain_norm(const Node* node) {
    if (node->kind() != at::aten::layer_norm || node->output()->uses().size() != 1) return false;
    const auto shape = toIValue(node->input(1));
    const auto is_plain = [&](std::size_t i) {
      const auto value = toIValue(node->input(i));
      return value && value->isTensor() && value->toTensor().scalar_type() == at::kFloat &&
             value->toTensor().is_contiguous();
    };
    return shape && shape->isIntList() && shape->toIntVector().size() == 1 && is_plain(2) && is_plain(3);
  }

  /// Inserts the product of the steps of `input` with the weights.
  Product multiply(Value* input, const Weights& weights) {
    Node* steps_of = quantized(input);
    Node* packed = graph_.insertNode(graph_.create(at::prim::ConstantMKLDNNTensor));
    packed->t_(at::attr::value, weights.packed);
    const std::int64_t outputs = weights.scales.size(0);
    Value* steps = graph_.insert(symbol("onednn::qlinear_pointwise"),
                                 {steps_of->output(0), 1.0, kZeroPoint, packed->output(), weights.scales,
                                  at::zeros({outputs}, at::kInt), c10::IValue(), 1.0, 0, at::kFloat, "none",
                                  c10::List<std::optional<at::Scalar>>(), ""});
    return {steps, steps_of->output(1), weights.bias};
  }

  /// Returns the silu of `layer`'s result if only another int8 layer uses the silu's result, else null.
  static Node* silu_to_layer_alone(const Node* layer) {
    const auto& uses = layer->output()->uses();
    if (uses.size() != 1) return nullptr;
    Node* silu = uses[0].user;
    if (silu->kind() != at::aten::silu && silu->kind() != symbol("aten::silu_")) return nullptr;
    const Node* next = nullptr;
    for (const auto& use : silu->output()->uses()) {
      if (use.user->kind() == at::aten::amax || use.user->kind() == at::aten::amin) continue;
      if (use.user->kind() != at::aten::div || next != nullptr || use.user->output()->uses().size() != 1)
        return nullptr;
      next = use.user->output()->uses()[0].user;
    }
    const bool known = next != nullptr && next->kind() == symbol("quantized::linear_dynamic") &&
                       next->owningBlock() == layer->owningBlock() && next->output()->uses().size() == 1;
    if (!known) return nullptr;
    const Node* last = next->output()->uses()[0].user;
    const bool scaled =
        last->kind() == at::aten::mul || (last->kind() == at::aten::addcmul && toIValue(last->input(0)));
    return scaled ? silu : nullptr;
  }

  /// Returns the weights of a layer; empty if quantize_module did not make them.
  std::optional<Weights> take(const Node* layer) {
    const auto taken = toIValue(layer->input(1));
    if (!taken) return std::nullopt;
    const auto unpacked = call("quantized::linear_unpack", {*taken});
    const at::Tensor weight = unpacked.at(0).toTensor();
    if (weight.qscheme() != at::kPerChannelAffine) return std::nullopt;
    const std::vector<std::int64_t> shape{kTypicalRows, weight.size(1)};
    const auto packed = call("onednn::qlinear_prepack", {weight.int_repr(), shape});
    return Weights{packed.at(0).toTensor(), weight.q_per_channel_scales().to(at::kFloat), unpacked.at(1)};
  }

  Graph& graph_;
  std::unordered_map<const Value*, Product> products_;  // by the silu that uses the product
};

/// Returns true if CPU and LibTorch support the rewritten layers.
bool has_fast_products() {
#if defined(__x86_64__)
  const auto product = c10::Dispatcher::singleton().findSchema({"onednn::qlinear_pointwise", ""});
  return at::hasMKLDNN() && __builtin_cpu_supports("avx512vnni") && product &&
         product->schema().arguments().size() == 13;
#else
  return false;
#endif
}

}  // namespace

void pack_int8(std::shared_ptr<Graph>& graph) {
  if (!has_fast_products()) return;
  register_operators();
  Packer(*graph).run();
}

}  // namespace infer::inline v0
