#include "infer/models/clip_vit.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <string>

#include "../backend/error_text.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using torch::jit::Module;

std::string replace_all(std::string text, const std::string& name, const std::string& value) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

/// Pre-norm attention and MLP with QuickGELU, as in CLIP; q, k and v come from one product.
constexpr const char* kBlockSource = R"(
def forward(self, x: Tensor) -> Tensor:
    batch = x.size(0)
    tokens = x.size(1)
    y = torch.layer_norm(x, [$WIDTH], self.ln_1.weight, self.ln_1.bias, 1e-05)
    qkv = torch.linear(y, self.attn.in_proj_weight, self.attn.in_proj_bias)
    qkv = qkv.view([batch, tokens, 3, $HEADS, $HEAD_WIDTH]).permute([2, 0, 3, 1, 4])
    a = torch.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
    a = a.transpose(1, 2).reshape([batch, tokens, $WIDTH])
    x = x + torch.linear(a, self.attn.out_proj.weight, self.attn.out_proj.bias)
    y = torch.layer_norm(x, [$WIDTH], self.ln_2.weight, self.ln_2.bias, 1e-05)
    h = torch.linear(y, self.mlp.c_fc.weight, self.mlp.c_fc.bias)
    h = h * torch.sigmoid(1.702 * h)
    return x + torch.linear(h, self.mlp.c_proj.weight, self.mlp.c_proj.bias)
)";

constexpr const char* kTowerSource = R"(
def forward(self, pixel_values: Tensor) -> Tensor:
    x = torch.conv2d(pixel_values, self.conv1.weight, None, [$PATCH, $PATCH])
    x = x.flatten(2).transpose(1, 2)
    head = self.class_embedding.expand([x.size(0), 1, $WIDTH])
    x = torch.cat([head, x], 1) + self.positional_embedding
    x = torch.layer_norm(x, [$WIDTH], self.ln_pre.weight, self.ln_pre.bias, 1e-05)
$BLOCKS
    x = torch.layer_norm(x[:, 0], [$WIDTH], self.ln_post.weight, self.ln_post.bias, 1e-05)
    return torch.matmul(x, self.proj)
)";

/// Makes the modules of one tower in one compilation unit, and fills them.
class Builder {
 public:
  Builder(const ClipVitConfig& config, std::uint64_t seed)
      : config_(config), generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

  Module build() {
    const double scale = std::pow(config_.width, -0.5);
    const std::int64_t grid = config_.image_size / config_.patch_size;
    Module tower = module("ClipVit");
    Module conv = module("Conv");
    const double conv_scale = std::pow(3 * config_.patch_size * config_.patch_size, -0.5);
    weight(conv, "weight", {config_.width, 3, config_.patch_size, config_.patch_size}, conv_scale);
    tower.register_module("conv1", conv);
    weight(tower, "class_embedding", {config_.width}, scale);
    weight(tower, "positional_embedding", {grid * grid + 1, config_.width}, scale);
    weight(tower, "proj", {config_.width, config_.embedding_size}, scale);
    tower.register_module("ln_pre", norm());
    tower.register_module("ln_post", norm());
    Module blocks = module("Blocks");
    std::string calls;
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::string name = std::to_string(layer);
      blocks.register_module(name, block());
      calls += "    x = getattr(self.transformer.resblocks, \"" + name + "\").forward(x)\n";
    }
    Module transformer = module("Transformer");
    transformer.register_module("resblocks", blocks);
    tower.register_module("transformer", transformer);
    tower.define(fill_in(replace_all(kTowerSource, "$BLOCKS\n", calls)));
    tower.eval();
    return tower;
  }

 private:
  Module module(const std::string& kind) {
    return Module("__torch__.infer." + kind + std::to_string(modules_++), unit_);
  }

  void weight(Module& owner, const std::string& name, at::IntArrayRef shape, double deviation) {
    owner.register_parameter(name, at::randn(shape, generator_).mul_(deviation), false);
  }

  Module linear(std::int64_t inputs, std::int64_t outputs, double deviation) {
    Module out = module("Linear");
    weight(out, "weight", {outputs, inputs}, deviation);
    out.register_parameter("bias", at::zeros({outputs}), false);
    return out;
  }

  Module norm() {
    Module out = module("LayerNorm");
    out.register_parameter("weight", at::ones({config_.width}), false);
    out.register_parameter("bias", at::zeros({config_.width}), false);
    return out;
  }

  /// Deviations are those of CLIP's initialize_parameters.
  Module block() {
    const double width = static_cast<double>(config_.width);
    const double attention = std::pow(width, -0.5);
    const double projection = attention * std::pow(2.0 * static_cast<double>(config_.layers), -0.5);
    Module out = module("Block");
    Module attn = module("Attention");
    weight(attn, "in_proj_weight", {3 * config_.width, config_.width}, attention);
    attn.register_parameter("in_proj_bias", at::zeros({3 * config_.width}), false);
    attn.register_module("out_proj", linear(config_.width, config_.width, projection));
    Module mlp = module("Mlp");
    mlp.register_module("c_fc", linear(config_.width, config_.mlp_width, std::pow(2.0 * width, -0.5)));
    mlp.register_module("c_proj", linear(config_.mlp_width, config_.width, projection));
    out.register_module("ln_1", norm());
    out.register_module("attn", attn);
    out.register_module("ln_2", norm());
    out.register_module("mlp", mlp);
    out.define(fill_in(kBlockSource));
    return out;
  }

  std::string fill_in(std::string source) const {
    source = replace_all(std::move(source), "$WIDTH", std::to_string(config_.width));
    source = replace_all(std::move(source), "$HEADS", std::to_string(config_.heads));
    source = replace_all(std::move(source), "$HEAD_WIDTH", std::to_string(config_.width / config_.heads));
    return replace_all(std::move(source), "$PATCH", std::to_string(config_.patch_size));
  }

  const ClipVitConfig config_;
  at::Generator generator_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  int modules_ = 0;
};

Result<void> check(const ClipVitConfig& c) {
  if (c.patch_size < 1 || c.image_size < 1 || c.image_size > 4096 || c.image_size % c.patch_size != 0) {
    return fail(ErrorCode::kInvalidArgument, "image_size: " + std::to_string(c.image_size) +
                                                 " is not a multiple of patch_size " +
                                                 std::to_string(c.patch_size) + " in 1 to 4096");
  }
  if (c.heads < 1 || c.width < 1 || c.width > 8192 || c.width % c.heads != 0) {
    return fail(ErrorCode::kInvalidArgument, "width: " + std::to_string(c.width) +
                                                 " is not a multiple of heads " + std::to_string(c.heads) +
                                                 " in 1 to 8192");
  }
  if (c.layers < 1 || c.layers > 128) return fail(ErrorCode::kInvalidArgument, "layers: outside 1 to 128");
  if (c.mlp_width < 1 || c.mlp_width > 65536)
    return fail(ErrorCode::kInvalidArgument, "mlp_width: outside 1 to 65536");
  if (c.embedding_size < 1 || c.embedding_size > 8192) {
    return fail(ErrorCode::kInvalidArgument, "embedding_size: outside 1 to 8192");
  }
  return {};
}

std::string manifest_text(const ClipVitConfig& config, std::uint64_t seed) {
  const std::string size = std::to_string(config.image_size);
  return "{\n"
         "  \"task\": \"image-embedding\",\n"
         "  \"backend\": \"torchscript\",\n"
         "  \"file\": \"model.pt\",\n"
         "  \"inputs\": [{\"name\": \"pixel_values\", \"dtype\": \"FP32\", \"shape\": [3, " +
         size + ", " + size +
         "]}],\n"
         "  \"outputs\": [{\"name\": \"embedding\", \"dtype\": \"FP32\", \"shape\": [" +
         std::to_string(config.embedding_size) +
         "]}],\n"
         "  \"preprocess\": {\"size\": " +
         size +
         "},\n"
         "  \"precision\": \"fp32\",\n"
         "  \"weights\": \"random\",\n"
         "  \"source\": {\"architecture\": \"clip-vit\", \"seed\": " +
         std::to_string(seed) +
         "}\n"
         "}\n";
}

}  // namespace

Result<void> create_clip_vit(const ClipVitConfig& config, std::uint64_t seed, const fs::path& directory) {
  if (auto valid = check(config); !valid) return valid;
  try {
    if (fs::exists(directory)) {
      return fail(ErrorCode::kFailedPrecondition,
                  directory.string() + ": exists already; choose another folder or remove it");
    }
    const c10::InferenceMode guard;
    const Module tower = Builder(config, seed).build();
    fs::create_directories(directory / "1");
    tower.save((directory / "1" / "model.pt").string());
    std::ofstream manifest(directory / "infer.json");
    manifest << manifest_text(config, seed);
    manifest.close();
    if (!manifest)
      return fail(ErrorCode::kFailedPrecondition,
                  (directory / "infer.json").string() + ": cannot be written");
    return {};
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const fs::filesystem_error& e) {
    return fail(ErrorCode::kFailedPrecondition, e.what());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, short_text(e));
  }
}

}  // namespace infer::inline v0
