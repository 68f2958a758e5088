#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>

#include <exception>
#include <map>
#include <new>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "../../models/torch_making.h"
#include "../backend/error_text.h"
#include "module_builder.h"
#include "module_file.h"

namespace infer::inline v0 {
namespace {

using torch::jit::Module;

/// Post-norm attention and MLP. Rows are the tokens of all texts without their padding; only attention
/// arranges them as texts.
constexpr const char* kLayerSource = R"(
def forward(self, x: Tensor, rows: Tensor, readable: Tensor, mask: Tensor) -> Tensor:
    batch = mask.size(0)
    length = mask.size(3)
    qkv = torch.linear(x, self.qkv_weight, self.qkv_bias)
    laid_out = torch.zeros([batch * length + 1, $THREE_WIDTHS], dtype=x.dtype, device=x.device)
    laid_out = torch.index_copy(laid_out, 0, rows, qkv)[:batch * length]
    qkv = laid_out.view([batch, length, 3, $HEADS, $HEAD_SIZE]).permute([2, 0, 3, 1, 4])
    a = torch.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], mask)
    a = torch.index_select(a.transpose(1, 2).reshape([batch * length, $WIDTH]), 0, readable)
    x = x + torch.linear(a, self.out_weight, self.out_bias)
    x = torch.layer_norm(x, [$WIDTH], self.norm_1_weight, self.norm_1_bias, $EPSILON)
    h = torch.linear(x, self.up_weight, self.up_bias)
    h = $ACTIVATION
    x = x + torch.linear(h, self.down_weight, self.down_bias)
    return torch.layer_norm(x, [$WIDTH], self.norm_2_weight, self.norm_2_bias, $EPSILON)
)";

/// The number of rows is rounded up, so that products have few different shapes; oneDNN keeps code and memory
/// for each shape. The added rows read token 0 of the first text and write to a slot behind the last text.
constexpr const char* kEncoderSource = R"(
def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    batch = input_ids.size(0)
    length = input_ids.size(1)
    slots = batch * length
    rows = torch.nonzero(attention_mask.reshape([-1])).reshape([-1])
    step = 16 * (1 + min(rows.size(0) // 128, 1))
    more = (step - rows.size(0) % step) % step
    rows = torch.constant_pad_nd(rows, [0, more], slots)
    readable = torch.remainder(rows, slots)
    ids = torch.index_select(input_ids.reshape([-1]), 0, readable)
    positions = torch.remainder(readable, length)
    x = torch.embedding(self.words, ids) + torch.embedding(self.positions, positions)
    x = torch.layer_norm(x, [$WIDTH], self.norm_weight, self.norm_bias, $EPSILON)
    mask = torch.ne(attention_mask, 0).view([batch, 1, 1, length])
$LAYERS
    laid_out = torch.zeros([slots + 1, $WIDTH], dtype=x.dtype, device=x.device)
    x = torch.index_copy(laid_out, 0, rows, x)[:slots].view([batch, length, $WIDTH])
$POOLING
)";

/// Code that all poolings share: the mask of tokens [batch, length, 1], outside of which x is 0, and their
/// count.
constexpr const char* kPoolingSource = R"(
    held = torch.ne(attention_mask, 0).to(x.dtype).unsqueeze(2)
    count = torch.clamp_min(held.sum([1]), 1e-9)
    numbers = torch.arange(1, length + 1, dtype=x.dtype, device=x.device).view([1, length, 1]) * held
    x = $POOLED
$STEPS
    return x
)";

/// The poolings of sentence-transformers' Pooling.
const std::map<Pooling, std::string> kPoolings{
    {Pooling::kCls, "x[:, 0]"},
    {Pooling::kMax, "torch.masked_fill(x, torch.eq(held, 0), float('-inf')).amax([1])"},
    {Pooling::kMean, "x.sum([1]) / count"},
    {Pooling::kMeanSqrtLength, "x.sum([1]) / torch.sqrt(count)"},
    {Pooling::kWeightedMean, "(x * numbers).sum([1]) / torch.clamp_min(numbers.sum([1]), 1e-9)"},
    {Pooling::kLastToken,
     "torch.gather(x, 1, torch.argmax(numbers, 1, True).expand([batch, 1, $WIDTH])).squeeze(1)"}};

/// Activations of a Dense module, by the name of PyTorch's class and with the defaults of that class.
const std::map<std::string, std::string> kDenseActivations{
    {"Identity", "x"},         {"Tanh", "torch.tanh(x)"}, {"Sigmoid", "torch.sigmoid(x)"},
    {"ReLU", "torch.relu(x)"}, {"GELU", "torch.gelu(x)"}, {"SiLU", "torch.silu(x)"}};

constexpr const char* kBertClassifier = R"(
    x = torch.tanh(torch.linear(x[:, 0], self.pooler_weight, self.pooler_bias))
    return torch.linear(x, self.classifier_weight, self.classifier_bias)
)";
constexpr const char* kDistilBertClassifier = R"(
    x = torch.relu(torch.linear(x[:, 0], self.pooler_weight, self.pooler_bias))
    return torch.linear(x, self.classifier_weight, self.classifier_bias)
)";

const std::map<std::string, std::string> kActivations{
    {"gelu", "torch.gelu(h)"},
    {"gelu_new", "torch.gelu(h, approximate=\"tanh\")"},
    {"gelu_pytorch_tanh", "torch.gelu(h, approximate=\"tanh\")"},
    {"silu", "torch.silu(h)"},
    {"relu", "torch.relu(h)"}};

/// Hugging Face's names of the parts of a layer.
struct LayerNames {
  const char *query, *key, *value, *out, *norm_1, *up, *down, *norm_2;
};
constexpr LayerNames kBertNames{
    "attention.self.query",       "attention.self.key", "attention.self.value", "attention.output.dense",
    "attention.output.LayerNorm", "intermediate.dense", "output.dense",         "output.LayerNorm"};
constexpr LayerNames kDistilBertNames{"attention.q_lin",   "attention.k_lin",  "attention.v_lin",
                                      "attention.out_lin", "sa_layer_norm",    "ffn.lin1",
                                      "ffn.lin2",          "output_layer_norm"};

class Builder {
 public:
  Builder(const BertConfig& config, Checkpoint& checkpoint)
      : config_(config),
        checkpoint_(checkpoint),
        distil_(config.family == BertConfig::Family::kDistilBert),
        names_(distil_ ? kDistilBertNames : kBertNames) {
    const std::string family = distil_ ? "distilbert." : "bert.";
    if (checkpoint.has(family + "embeddings.word_embeddings.weight")) prefix_ = family;
    std::ostringstream epsilon;
    epsilon << std::scientific << config.epsilon;
    values_ = {{"$WIDTH", std::to_string(config.width)},
               {"$THREE_WIDTHS", std::to_string(3 * config.width)},
               {"$HEADS", std::to_string(config.heads)},
               {"$HEAD_SIZE", std::to_string(config.width / config.heads)},
               {"$EPSILON", epsilon.str()},
               {"$ACTIVATION", kActivations.at(config.activation)}};
  }

  Module build() {
    const std::int64_t width = config_.width;
    Module encoder = modules_.make("Bert");
    const std::string embeddings = prefix_ + "embeddings.";
    checkpoint_.ignore(embeddings + "position_ids");
    encoder.register_parameter(
        "words", take(embeddings + "word_embeddings.weight", {config_.vocabulary, width}), false);
    at::Tensor positions = take(embeddings + "position_embeddings.weight", {config_.positions, width});
    // All tokens of a single text have type 0, so the embedding of type 0 is added to every position.
    if (!distil_)
      positions = at::add(
          positions,
          take(embeddings + "token_type_embeddings.weight", {config_.token_types, width}).select(0, 0));
    encoder.register_parameter("positions", positions, false);
    affine(encoder, "norm", embeddings + "LayerNorm", {width});
    std::string calls;
    for (std::int64_t i = 0; i < config_.layers; ++i) {
      const std::string name = "layer_" + std::to_string(i);
      encoder.register_module(name, layer(prefix_ + (distil_ ? "transformer.layer." : "encoder.layer.") +
                                          std::to_string(i) + "."));
      calls += "    x = self." + name + ".forward(x, rows, readable, mask)\n";
    }
    encoder.define(
        fill_in(fill_in(kEncoderSource, {{"$LAYERS\n", calls}, {"$POOLING\n", head(encoder)}}), values_));
    encoder.eval();
    return encoder;
  }

 private:
  at::Tensor take(const std::string& name, std::vector<std::int64_t> shape) {
    const Tensor* tensor = checkpoint_.take(name, Shape(std::span<const std::int64_t>(shape)));
    return tensor == nullptr ? at::zeros(shape) : to_float(*tensor);
  }

  /// Takes a weight of `shape` and its bias.
  void affine(Module& owner, const std::string& ours, const std::string& theirs,
              std::vector<std::int64_t> shape) {
    owner.register_parameter(ours + "_weight", take(theirs + ".weight", shape), false);
    owner.register_parameter(ours + "_bias", take(theirs + ".bias", {shape[0]}), false);
  }

  Module layer(const std::string& prefix) {
    const std::int64_t width = config_.width;
    Module out = modules_.make("Layer");
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const char* part : {names_.query, names_.key, names_.value}) {
      weights.push_back(take(prefix + part + ".weight", {width, width}));
      biases.push_back(take(prefix + part + ".bias", {width}));
    }
    out.register_parameter("qkv_weight", at::cat(weights), false);
    out.register_parameter("qkv_bias", at::cat(biases), false);
    affine(out, "out", prefix + names_.out, {width, width});
    affine(out, "norm_1", prefix + names_.norm_1, {width});
    affine(out, "up", prefix + names_.up, {config_.mlp_width, width});
    affine(out, "down", prefix + names_.down, {width, config_.mlp_width});
    affine(out, "norm_2", prefix + names_.norm_2, {width});
    out.define(fill_in(kLayerSource, values_));
    return out;
  }

  std::string head(Module& encoder) {
    const std::int64_t width = config_.width;
    const std::string pooler = distil_ ? "pre_classifier" : prefix_ + "pooler.dense";
    for (const std::string& unused : config_.unused) checkpoint_.ignore(unused);
    if (config_.labels > 0) {
      affine(encoder, "pooler", pooler, {width, width});
      affine(encoder, "classifier", "classifier", {config_.labels, width});
      return distil_ ? kDistilBertClassifier : kBertClassifier;
    }
    for (const char* unused : {"pooler.", "cls.", "vocab_", "pre_classifier."}) {
      checkpoint_.ignore(unused);
      checkpoint_.ignore(prefix_ + unused);
    }
    std::vector<std::string> parts;
    for (const Pooling pooling : config_.pooling) parts.push_back(kPoolings.at(pooling));
    std::string pooled = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) pooled += ", " + parts[i];
    if (parts.size() > 1) pooled = "torch.cat([" + pooled + "], 1)";
    return fill_in(kPoolingSource, {{"$POOLED", pooled}, {"$STEPS\n", steps(encoder)}});
  }

  std::string steps(Module& encoder) {
    std::string source;
    std::size_t number = 0;
    for (const SentenceStep& step : config_.steps) {
      const std::string name = "step_" + std::to_string(number++);
      const std::string weight = "self." + name + "_weight";
      const std::string bias = step.bias ? "self." + name + "_bias" : "None";
      if (step.kind == SentenceStep::Kind::kDense) {
        const std::vector<std::int64_t> shape{step.outputs, step.inputs};
        encoder.register_parameter(name + "_weight", take(step.tensors + "linear.weight", shape), false);
        if (step.bias)
          encoder.register_parameter(name + "_bias", take(step.tensors + "linear.bias", {step.outputs}),
                                     false);
        source += "    x = torch.linear(x, " + weight + ", " + bias + ")\n";
        source += "    x = " + kDenseActivations.at(step.activation) + "\n";
      } else if (step.kind == SentenceStep::Kind::kLayerNorm) {
        affine(encoder, name, step.tensors + "norm", {step.inputs});
        source += "    x = torch.layer_norm(x, [" + std::to_string(step.inputs) + "], " + weight + ", " +
                  bias + ", 1e-05)\n";
      } else {
        source += "    x = x / torch.clamp_min(torch.sqrt((x * x).sum([1], True)), 1e-12)\n";
      }
    }
    return source;
  }

  const BertConfig config_;
  Checkpoint& checkpoint_;
  const bool distil_;
  const LayerNames names_;
  std::string prefix_;
  std::map<std::string, std::string> values_;
  ModuleBuilder modules_;
};

}  // namespace

Result<void> libtorch::build_bert(const BertConfig& config, Checkpoint& checkpoint,
                                  const std::filesystem::path& file) {
  if (config.width % config.heads != 0) {
    return fail(ErrorCode::kInvalidArgument, "config.json: hidden_size: " + std::to_string(config.width) +
                                                 " is not a multiple of num_attention_heads " +
                                                 std::to_string(config.heads));
  }
  if (config.layers > 128)
    return fail(ErrorCode::kInvalidArgument,
                "config.json: " + std::to_string(config.layers) + " layers exceed the limit of 128");
  if (!kActivations.contains(config.activation)) {
    return fail(ErrorCode::kUnimplemented,
                "config.json: hidden_act '" + config.activation +
                    "' is not supported; known: gelu, gelu_new, gelu_pytorch_tanh, relu, silu");
  }
  for (const SentenceStep& step : config.steps) {
    if (step.kind == SentenceStep::Kind::kDense && !kDenseActivations.contains(step.activation))
      return fail(ErrorCode::kUnimplemented,
                  step.tensors + "config.json: activation_function '" + step.activation +
                      "' is not supported; known: Identity, Tanh, Sigmoid, ReLU, GELU, SiLU");
  }
  try {
    const c10::InferenceMode guard;
    const Module encoder = Builder(config, checkpoint).build();
    if (auto complete = checkpoint.check(); !complete) return complete;
    return save_module(encoder, file);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, short_text(e));
  }
}

}  // namespace infer::inline v0
