#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../../models/torch_making.h"
#include "../backend/error_text.h"
#include "module_builder.h"
#include "module_file.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using torch::jit::Module;

/// Pre-norm attention and MLP with QuickGELU, as in CLIP; q, k and v come from one product.
constexpr const char* kBlockSource = R"(
def forward(self, x: Tensor) -> Tensor:
    batch = x.size(0)
    tokens = x.size(1)
    y = torch.layer_norm(x, [$WIDTH], self.ln_1.weight, self.ln_1.bias, $EPSILON)
    qkv = torch.linear(y, self.attn.in_proj_weight, self.attn.in_proj_bias)
    qkv = qkv.view([batch, tokens, 3, $HEADS, $HEAD_SIZE]).permute([2, 0, 3, 1, 4])
    a = torch.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
    a = a.transpose(1, 2).reshape([batch, tokens, $WIDTH])
    x = x + torch.linear(a, self.attn.out_proj.weight, self.attn.out_proj.bias)
    y = torch.layer_norm(x, [$WIDTH], self.ln_2.weight, self.ln_2.bias, $EPSILON)
    h = torch.linear(y, self.mlp.c_fc.weight, self.mlp.c_fc.bias)
    h = $ACTIVATION
    return x + torch.linear(h, self.mlp.c_proj.weight, self.mlp.c_proj.bias)
)";

constexpr const char* kTowerSource = R"(
def forward(self, pixel_values: Tensor) -> Tensor:
    x = torch.conv2d(pixel_values, self.conv1.weight, None, [$PATCH, $PATCH])
    x = x.flatten(2).transpose(1, 2)
    head = self.class_embedding.expand([x.size(0), 1, $WIDTH])
    x = torch.cat([head, x], 1) + self.positional_embedding
    x = torch.layer_norm(x, [$WIDTH], self.ln_pre.weight, self.ln_pre.bias, $EPSILON)
$BLOCKS
    x = torch.layer_norm(x[:, 0], [$WIDTH], self.ln_post.weight, self.ln_post.bias, $EPSILON)
    return torch.matmul(x, self.proj)
)";

/// How to initialise a weight that comes from no checkpoint.
struct Init {
  enum class Kind { kNormal, kOnes, kZeros };
  Kind kind = Kind::kZeros;
  double deviation = 0;

  static Init normal(double deviation) { return {Kind::kNormal, deviation}; }
  static Init ones() { return {Kind::kOnes}; }
  static Init zeros() { return {Kind::kZeros}; }
};

/// Returns the weight with a name of OpenAI's checkpoints.
using WeightSource =
    std::function<at::Tensor(const std::string& name, at::IntArrayRef shape, const Init& init)>;

/// Makes the modules of one tower and fills them. The standard deviations are those of CLIP's
/// initialize_parameters.
class Builder {
 public:
  Builder(const ClipVitConfig& config, WeightSource weights)
      : config_(config),
        weights_(std::move(weights)),
        values_{{"$WIDTH", std::to_string(config.width)},
                {"$HEADS", std::to_string(config.heads)},
                {"$HEAD_SIZE", std::to_string(config.width / config.heads)},
                {"$PATCH", std::to_string(config.patch_size)},
                {"$ACTIVATION",
                 config.activation == "quick_gelu" ? "h * torch.sigmoid(1.702 * h)" : "torch.gelu(h)"}} {
    std::ostringstream epsilon;
    epsilon << std::scientific << config.epsilon;
    values_["$EPSILON"] = epsilon.str();
  }

  Module build() {
    const double scale = std::pow(config_.width, -0.5);
    const std::int64_t grid = config_.image_size / config_.patch_size;
    Module tower = modules_.make("ClipVit");
    Module conv = modules_.make("Conv");
    const double conv_scale = std::pow(3 * config_.patch_size * config_.patch_size, -0.5);
    weight(conv, "conv1.", "weight", {config_.width, 3, config_.patch_size, config_.patch_size},
           Init::normal(conv_scale));
    tower.register_module("conv1", conv);
    weight(tower, "", "class_embedding", {config_.width}, Init::normal(scale));
    weight(tower, "", "positional_embedding", {grid * grid + 1, config_.width}, Init::normal(scale));
    weight(tower, "", "proj", {config_.width, config_.embedding_size}, Init::normal(scale));
    tower.register_module("ln_pre", norm("ln_pre."));
    tower.register_module("ln_post", norm("ln_post."));
    Module blocks = modules_.make("Blocks");
    std::string calls;
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::string name = std::to_string(layer);
      blocks.register_module(name, block("transformer.resblocks." + name + "."));
      calls += "    x = getattr(self.transformer.resblocks, \"" + name + "\").forward(x)\n";
    }
    Module transformer = modules_.make("Transformer");
    transformer.register_module("resblocks", blocks);
    tower.register_module("transformer", transformer);
    tower.define(fill_in(fill_in(kTowerSource, {{"$BLOCKS\n", calls}}), values_));
    tower.eval();
    return tower;
  }

 private:
  void weight(Module& owner, const std::string& prefix, const std::string& name, at::IntArrayRef shape,
              const Init& init) {
    owner.register_parameter(name, weights_(prefix + name, shape, init), false);
  }

  Module linear(const std::string& prefix, std::int64_t inputs, std::int64_t outputs, double deviation) {
    Module out = modules_.make("Linear");
    weight(out, prefix, "weight", {outputs, inputs}, Init::normal(deviation));
    weight(out, prefix, "bias", {outputs}, Init::zeros());
    return out;
  }

  Module norm(const std::string& prefix) {
    Module out = modules_.make("LayerNorm");
    weight(out, prefix, "weight", {config_.width}, Init::ones());
    weight(out, prefix, "bias", {config_.width}, Init::zeros());
    return out;
  }

  Module block(const std::string& prefix) {
    const double width = static_cast<double>(config_.width);
    const double attention = std::pow(width, -0.5);
    const double projection = attention * std::pow(2.0 * static_cast<double>(config_.layers), -0.5);
    Module out = modules_.make("Block");
    Module attn = modules_.make("Attention");
    weight(attn, prefix + "attn.", "in_proj_weight", {3 * config_.width, config_.width},
           Init::normal(attention));
    weight(attn, prefix + "attn.", "in_proj_bias", {3 * config_.width}, Init::zeros());
    attn.register_module("out_proj",
                         linear(prefix + "attn.out_proj.", config_.width, config_.width, projection));
    Module mlp = modules_.make("Mlp");
    mlp.register_module(
        "c_fc", linear(prefix + "mlp.c_fc.", config_.width, config_.mlp_width, std::pow(2.0 * width, -0.5)));
    mlp.register_module("c_proj",
                        linear(prefix + "mlp.c_proj.", config_.mlp_width, config_.width, projection));
    out.register_module("ln_1", norm(prefix + "ln_1."));
    out.register_module("attn", attn);
    out.register_module("ln_2", norm(prefix + "ln_2."));
    out.register_module("mlp", mlp);
    out.define(fill_in(kBlockSource, values_));
    return out;
  }

  const ClipVitConfig config_;
  const WeightSource weights_;
  std::map<std::string, std::string> values_;
  ModuleBuilder modules_;
};

WeightSource random_weights(std::uint64_t seed) {
  return [generator = at::make_generator<at::CPUGeneratorImpl>(seed)](
             const std::string&, at::IntArrayRef shape, const Init& init) mutable {
    if (init.kind == Init::Kind::kNormal) return at::randn(shape, generator).mul_(init.deviation);
    return init.kind == Init::Kind::kOnes ? at::ones(shape) : at::zeros(shape);
  };
}

/// Finds weights by OpenAI's names in a checkpoint with Hugging Face's names.
class HuggingFaceWeights {
 public:
  explicit HuggingFaceWeights(Checkpoint& checkpoint) : checkpoint_(checkpoint) {
    // The other tower, and a buffer of the numbers 0, 1, 2...
    for (const char* other : {"text_model.", "text_projection.", "logit_scale"}) checkpoint.ignore(other);
    checkpoint.ignore("vision_model.embeddings.position_ids");
  }

  at::Tensor operator()(const std::string& name, at::IntArrayRef shape, const Init&) {
    if (name == "proj") return take("visual_projection.weight", {shape[1], shape[0]}).t().contiguous();
    for (const auto& [ours, theirs] : kNames) {
      if (name == ours) return take(theirs, shape);
    }
    // transformer.resblocks.N.REST
    const std::size_t number = std::string("transformer.resblocks.").size();
    const std::size_t dot = name.find('.', number);
    const std::string layer = "vision_model.encoder.layers." + name.substr(number, dot - number) + ".";
    const std::string rest = name.substr(dot + 1);
    const std::size_t last = rest.rfind('.') == std::string::npos ? 0 : rest.rfind('.');
    if (rest == "attn.in_proj_weight" || rest == "attn.in_proj_bias") {
      const std::string kind = rest == "attn.in_proj_weight" ? ".weight" : ".bias";
      std::vector<std::int64_t> third(shape.begin(), shape.end());
      third[0] /= 3;
      std::vector<at::Tensor> parts;
      for (const char* part : {"q_proj", "k_proj", "v_proj"})
        parts.push_back(take(layer + "self_attn." + part + kind, third));
      return at::cat(parts);
    }
    return take(layer + kLayerNames.at(rest.substr(0, last)) + rest.substr(last), shape);
  }

 private:
  at::Tensor take(const std::string& name, at::IntArrayRef shape) {
    const Tensor* tensor =
        checkpoint_.take(name, Shape(std::span<const std::int64_t>(shape.data(), shape.size())));
    return tensor == nullptr ? at::zeros(shape) : to_float(*tensor);
  }

  inline static const std::map<std::string, std::string> kNames{
      {"conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
      {"class_embedding", "vision_model.embeddings.class_embedding"},
      {"positional_embedding", "vision_model.embeddings.position_embedding.weight"},
      {"ln_pre.weight", "vision_model.pre_layrnorm.weight"},
      {"ln_pre.bias", "vision_model.pre_layrnorm.bias"},
      {"ln_post.weight", "vision_model.post_layernorm.weight"},
      {"ln_post.bias", "vision_model.post_layernorm.bias"}};
  inline static const std::map<std::string, std::string> kLayerNames{{"ln_1", "layer_norm1"},
                                                                     {"ln_2", "layer_norm2"},
                                                                     {"attn.out_proj", "self_attn.out_proj"},
                                                                     {"mlp.c_fc", "mlp.fc1"},
                                                                     {"mlp.c_proj", "mlp.fc2"}};
  Checkpoint& checkpoint_;
};

}  // namespace

Result<void> libtorch::build_random_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                                             const fs::path& file) {
  try {
    const c10::InferenceMode guard;
    return save_module(Builder(config, random_weights(seed)).build(), file);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, short_text(e));
  }
}

Result<void> libtorch::build_clip_vit(const ClipVitConfig& config, Checkpoint& checkpoint,
                                      const fs::path& file) {
  try {
    const c10::InferenceMode guard;
    const Module tower = Builder(config, HuggingFaceWeights(checkpoint)).build();
    if (auto complete = checkpoint.check(); !complete) return complete;
    return save_module(tower, file);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, short_text(e));
  }
}

}  // namespace infer::inline v0
