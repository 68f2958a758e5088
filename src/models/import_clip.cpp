#include <cmath>

#include "../engine/with_torch.h"
#include "import_parts.h"
#include "manifests.h"
#include "torch_making.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

/// Reads the sizes of the vision tower, from config.json or from a part of it.
void read_sizes(CheckpointConfig& vision, ClipVitConfig& config) {
  config.image_size = vision.whole({"image_size"}, config.image_size);
  config.patch_size = vision.whole({"patch_size"}, config.patch_size);
  config.width = vision.whole({"hidden_size"}, config.width);
  config.layers = vision.whole({"num_hidden_layers"}, config.layers);
  config.heads = vision.whole({"num_attention_heads"}, config.heads);
  config.mlp_width = vision.whole({"intermediate_size"}, config.mlp_width);
  config.embedding_size = vision.whole({"projection_dim"}, config.embedding_size);
  config.activation = vision.word({"hidden_act"}, config.activation);
  config.epsilon = vision.epsilon("layer_norm_eps", config.epsilon);
  vision.expect("num_channels", {"3"});
  vision.expect("model_type", {R"("clip_vision_model")", R"("clip")"});
  vision.ignore({"attention_dropout", "dropout", "id2label", "num_labels", "problem_type",
                 "task_specific_params", "tokenizer_class"});
  vision.ignore_common();
}

Result<ClipVitConfig> read_clip_config(const fs::path& folder) {
  auto root = CheckpointConfig::read(folder / "config.json");
  if (!root) return Unexpected(root.error());
  ClipVitConfig config;
  const std::string type = root->word({"model_type"}, "clip");
  if (type != "clip" && type != "clip_vision_model")
    root->refuse("model_type", "'" + type + "' is neither clip nor clip_vision_model");
  check_architectures(*root, {"CLIPModel", "CLIPVisionModelWithProjection"});
  if (root->has("vision_config")) {
    CheckpointConfig vision = root->part("vision_config");
    vision.ignore({"architectures"});
    read_sizes(vision, config);
    if (auto understood = vision.check(); !understood) return Unexpected(understood.error());
    config.embedding_size =
        root->whole({"projection_dim"}, 512);  // CLIPModel does not use the tower's own projection_dim
    root->ignore({"text_config", "text_config_dict", "logit_scale_init_value", "id2label", "num_labels",
                  "task_specific_params", "tokenizer_class"});
    root->ignore_common();
  } else {
    read_sizes(*root, config);
  }
  if (auto understood = root->check(); !understood) return Unexpected(understood.error());
  return config;
}

void read_three(CheckpointConfig& file, const char* name, float (&out)[3]) {
  const auto value = file.value(name);
  if (!value) return;
  simdjson::dom::array list;
  bool good = value->get(list) == simdjson::SUCCESS && list.size() == 3;
  for (std::size_t i = 0; good && i < 3; ++i) {
    double number = 0;
    good = list.at(i).get(number) == simdjson::SUCCESS && std::isfinite(number);
    out[i] = static_cast<float>(number);
  }
  if (!good) file.refuse(name, "is not a list of 3 numbers", ErrorCode::kInvalidArgument);
}

/// Reads the preprocessing: the shorter edge is resized to the model's size, and the centre is cropped.
/// Refuses a checkpoint with other preprocessing.
Result<ImagePreprocess> read_preprocess(const fs::path& folder, std::int64_t size) {
  ImagePreprocess preprocess;
  preprocess.size = static_cast<std::size_t>(size);
  std::error_code error;
  const fs::path path = folder / "preprocessor_config.json";
  if (!fs::exists(path, error) && !error) return preprocess;
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  const std::string edge = std::to_string(size);
  const std::string both = R"({"height":)" + edge + R"(,"width":)" + edge + "}";
  const std::string turned = R"({"width":)" + edge + R"(,"height":)" + edge + "}";
  const std::string shortest = R"({"shortest_edge":)" + edge + "}";
  file->expect("size", {edge, shortest});
  file->expect("crop_size", {edge, both, turned});
  file->expect("resample", {"3"});
  for (const char* step : {"do_resize", "do_center_crop", "do_rescale", "do_convert_rgb"})
    file->expect(step, {"true"});
  if (const double factor = file->number("rescale_factor", 1.0 / 255); std::abs(factor * 255 - 1) > 1e-6)
    file->refuse("rescale_factor", std::to_string(factor) + " is not supported; it must be 1/255");
  read_three(*file, "image_mean", preprocess.mean);
  read_three(*file, "image_std", preprocess.std);
  if (!file->flag("do_normalize").value_or(true)) {
    std::fill_n(preprocess.mean, 3, 0.0F);
    std::fill_n(preprocess.std, 3, 1.0F);
  }
  for (const float deviation : preprocess.std) {
    if (!(deviation > 0)) file->refuse("image_std", "must be above 0", ErrorCode::kInvalidArgument);
  }
  file->ignore({"feature_extractor_type", "image_processor_type", "processor_class", "_processor_class",
                "_valid_processor_keys", "return_tensors", "data_format", "input_data_format", "device",
                "disable_grouping", "default_to_square"});
  if (auto understood = file->check(); !understood) return Unexpected(understood.error());
  return preprocess;
}

}  // namespace

Result<Manifest> import_clip(const fs::path& folder, TensorMap tensors, const fs::path& version) {
  auto config = read_clip_config(folder);
  if (!config) return Unexpected(config.error());
  auto preprocess = read_preprocess(folder, config->image_size);
  if (!preprocess) return Unexpected(preprocess.error());
  if (auto valid = check_clip_vit(*config); !valid) return Unexpected(valid.error());
  Checkpoint checkpoint(std::move(tensors));
  if (auto built = with_torch<libtorch::build_clip_vit>(*config, checkpoint, version / "model.pt"); !built)
    return Unexpected(built.error());
  Manifest manifest = clip_vit_manifest(*config);
  manifest.preprocess = *preprocess;
  return manifest;
}

}  // namespace infer::inline v0
