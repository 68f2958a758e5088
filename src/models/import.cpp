#include "infer/models/import.h"

#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <system_error>

#include "architectures.h"
#include "checkpoint.h"
#include "infer/engine/manifest.h"
#include "manifests.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::element;
using simdjson::dom::object;

Unexpected bad(const std::string& what) { return fail(ErrorCode::kInvalidArgument, what); }

/// A JSON file of a checkpoint. Its parser must outlive what is read from it.
class Config {
 public:
  /// Errors: `kNotFound`, `kInvalidArgument`.
  Result<void> load(const fs::path& file) {
    file_ = file;
    const auto error = parser_.load(file.string()).get(root_);
    if (error == simdjson::IO_ERROR) return fail(ErrorCode::kNotFound, file.string() + ": no such file");
    if (error != simdjson::SUCCESS) return bad(file.string() + ": " + simdjson::error_message(error));
    return {};
  }
  const object& root() const { return root_; }
  const fs::path& file() const { return file_; }

 private:
  simdjson::dom::parser parser_;
  fs::path file_;
  object root_;
};

/// The first of `names` that is there as a whole number.
std::optional<std::int64_t> whole(const object& fields, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::int64_t value = 0;
    if (fields[name].get(value) == simdjson::SUCCESS) return value;
  }
  return std::nullopt;
}

std::string word(const object& fields, std::initializer_list<const char*> names, std::string otherwise) {
  for (const char* name : names) {
    std::string_view value;
    if (fields[name].get(value) == simdjson::SUCCESS) return std::string(value);
  }
  return otherwise;
}

Result<void> read_size(const object& fields, std::initializer_list<const char*> names, std::int64_t& out) {
  const auto value = whole(fields, names);
  if (!value) return {};
  if (*value < 1 || *value > (1 << 20))
    return bad(std::string("config.json: ") + *names.begin() + ": " + std::to_string(*value) +
               " is outside 1 to 1048576");
  out = *value;
  return {};
}

Result<TensorMap> read_tensors(const fs::path& source) {
  std::vector<fs::path> files;
  if (fs::is_regular_file(source)) {
    files.push_back(source);
  } else if (fs::is_regular_file(source / "model.safetensors")) {
    files.push_back(source / "model.safetensors");
  } else {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(source, error)) {
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  }
  if (files.empty()) return fail(ErrorCode::kNotFound, source.string() + ": holds no .safetensors file");
  TensorMap all;
  for (const fs::path& file : files) {
    auto part = read_safetensors(file);
    if (!part) return Unexpected(part.error());
    for (auto& [name, tensor] : *part) {
      if (!all.emplace(name, std::move(tensor)).second)
        return bad(file.string() + ": " + name + " is in another file already");
    }
  }
  return all;
}

// --- clip-vit

Result<ClipVitConfig> clip_config(const object& root) {
  ClipVitConfig config;
  object vision;
  if (root["vision_config"].get(vision) != simdjson::SUCCESS) vision = root;
  for (auto done : {read_size(vision, {"image_size"}, config.image_size),
                    read_size(vision, {"patch_size"}, config.patch_size),
                    read_size(vision, {"hidden_size"}, config.width),
                    read_size(vision, {"num_hidden_layers"}, config.layers),
                    read_size(vision, {"num_attention_heads"}, config.heads),
                    read_size(vision, {"intermediate_size"}, config.mlp_width),
                    read_size(vision, {"projection_dim"}, config.embedding_size),
                    read_size(root, {"projection_dim"}, config.embedding_size)}) {
    if (!done) return Unexpected(done.error());
  }
  config.activation = word(vision, {"hidden_act"}, config.activation);
  double epsilon = 0;
  if (vision["layer_norm_eps"].get(epsilon) == simdjson::SUCCESS) config.epsilon = epsilon;
  return config;
}

/// Mean and deviation of preprocessor_config.json, where there is one.
Result<ImagePreprocess> clip_preprocess(const fs::path& folder, std::int64_t size) {
  ImagePreprocess preprocess;
  preprocess.size = static_cast<std::size_t>(size);
  Config file;
  if (auto loaded = file.load(folder / "preprocessor_config.json"); !loaded) {
    if (loaded.error().code == ErrorCode::kNotFound) return preprocess;
    return Unexpected(loaded.error());
  }
  const auto three = [&](const char* name, float(&out)[3]) -> Result<void> {
    simdjson::dom::array list;
    if (file.root()[name].get(list) != simdjson::SUCCESS) return {};
    std::size_t i = 0;
    for (const element item : list) {
      double value = 0;
      if (i == 3 || item.get(value) != simdjson::SUCCESS)
        return bad(file.file().string() + ": " + name + " is no list of 3 numbers");
      out[i++] = static_cast<float>(value);
    }
    return i == 3 ? Result<void>()
                  : Result<void>(bad(file.file().string() + ": " + name + " is no list of 3 numbers"));
  };
  if (auto done = three("image_mean", preprocess.mean); !done) return Unexpected(done.error());
  if (auto done = three("image_std", preprocess.std); !done) return Unexpected(done.error());
  return preprocess;
}

Result<Manifest> import_clip(const object& root, const fs::path& folder, Checkpoint& checkpoint,
                             const fs::path& file) {
  auto config = clip_config(root);
  if (!config) return Unexpected(config.error());
  auto preprocess = clip_preprocess(folder, config->image_size);
  if (!preprocess) return Unexpected(preprocess.error());
  if (auto built = build_clip_vit(*config, checkpoint, file); !built) return Unexpected(built.error());
  Manifest manifest = clip_vit_manifest(*config);
  manifest.preprocess = *preprocess;
  return manifest;
}

// --- bert

Result<BertConfig> bert_config(const object& root) {
  BertConfig config;
  const std::string type = word(root, {"model_type"}, "bert");
  if (type == "distilbert") {
    config.family = BertConfig::Family::kDistilBert;
    config.layers = 6;
  } else if (type != "bert") {
    return fail(ErrorCode::kUnimplemented,
                "config.json: model_type '" + type + "' is neither bert nor distilbert");
  }
  for (auto done : {read_size(root, {"vocab_size"}, config.vocabulary),
                    read_size(root, {"hidden_size", "dim"}, config.width),
                    read_size(root, {"num_hidden_layers", "n_layers"}, config.layers),
                    read_size(root, {"num_attention_heads", "n_heads"}, config.heads),
                    read_size(root, {"intermediate_size", "hidden_dim"}, config.mlp_width),
                    read_size(root, {"max_position_embeddings"}, config.positions),
                    read_size(root, {"type_vocab_size"}, config.token_types)}) {
    if (!done) return Unexpected(done.error());
  }
  config.activation = word(root, {"hidden_act", "activation"}, config.activation);
  const std::string positions = word(root, {"position_embedding_type"}, "absolute");
  if (positions != "absolute")
    return fail(ErrorCode::kUnimplemented,
                "config.json: position_embedding_type '" + positions + "' is not absolute");
  double epsilon = 0;
  if (root["layer_norm_eps"].get(epsilon) == simdjson::SUCCESS) config.epsilon = epsilon;
  return config;
}

/// Labels in the order of their numbers; LABEL_0 and so on where config.json names none.
Result<std::vector<std::string>> read_labels(const object& root, const TensorMap& tensors) {
  const auto classifier = tensors.find("classifier.weight");
  if (classifier == tensors.end()) return std::vector<std::string>();
  const Shape& shape = classifier->second.shape();
  const auto count = shape.rank() == 2 ? static_cast<std::size_t>(shape[0]) : 0;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
  object names;
  if (root["id2label"].get(names) != simdjson::SUCCESS) return labels;
  for (const auto& [id, value] : names) {
    std::string_view name;
    const std::string text(id);
    const std::size_t number =
        text.size() < 9 && !text.empty() && text.find_first_not_of("0123456789") == std::string::npos
            ? std::stoul(text)
            : count;
    if (number >= count || value.get(name) != simdjson::SUCCESS)
      return bad("config.json: id2label: '" + text + "' names no row of classifier.weight, which has " +
                 std::to_string(count));
    labels[number] = name;
  }
  return labels;
}

Result<BertConfig::Head> read_pooling(const std::string& wanted, const fs::path& folder) {
  std::string pooling = wanted;
  if (pooling.empty()) {
    pooling = "mean";
    Config file;
    if (file.load(folder / "1_Pooling" / "config.json")) {
      bool cls = false;
      bool mean = false;
      if (file.root()["pooling_mode_cls_token"].get(cls) == simdjson::SUCCESS && cls) pooling = "cls";
      const bool given = file.root()["pooling_mode_mean_tokens"].get(mean) == simdjson::SUCCESS;
      if (!cls && given && !mean)
        return fail(ErrorCode::kUnimplemented, file.file().string() + ": pools neither by mean nor by cls");
    }
  }
  if (pooling == "mean") return BertConfig::Head::kMean;
  if (pooling == "cls") return BertConfig::Head::kCls;
  return bad("pooling: '" + pooling + "' is neither mean nor cls");
}

Result<TokenizerSpec> read_tokenizer(const fs::path& folder, const BertConfig& config, std::size_t wanted) {
  TokenizerSpec spec;
  spec.max_tokens = static_cast<std::size_t>(config.positions);
  if (Config file; file.load(folder / "tokenizer_config.json")) {
    bool lowercase = true;
    if (file.root()["do_lower_case"].get(lowercase) == simdjson::SUCCESS) spec.lowercase = lowercase;
    bool strip = false;
    if (file.root()["strip_accents"].get(strip) == simdjson::SUCCESS) spec.strip_accents = strip;
    bool chinese = true;
    if (file.root()["tokenize_chinese_chars"].get(chinese) == simdjson::SUCCESS && !chinese)
      return fail(ErrorCode::kUnimplemented,
                  file.file().string() + ": tokenize_chinese_chars false is not supported");
  }
  if (Config file; file.load(folder / "sentence_bert_config.json")) {
    if (const auto tokens = whole(file.root(), {"max_seq_length"}); tokens && *tokens > 2)
      spec.max_tokens = std::min(spec.max_tokens, static_cast<std::size_t>(*tokens));
  }
  if (wanted != 0) {
    if (wanted < 3 || wanted > static_cast<std::size_t>(config.positions))
      return bad("max_tokens: " + std::to_string(wanted) + " is outside 3 to the model's " +
                 std::to_string(config.positions) + " positions");
    spec.max_tokens = wanted;
  }
  return spec;
}

Result<Manifest> import_bert(const object& root, const fs::path& folder, const TensorMap& tensors,
                             const ImportOptions& options, Checkpoint& checkpoint, const fs::path& file) {
  auto config = bert_config(root);
  if (!config) return Unexpected(config.error());
  auto labels = read_labels(root, tensors);
  if (!labels) return Unexpected(labels.error());
  config->labels = static_cast<std::int64_t>(labels->size());
  if (labels->empty()) {
    auto pooling = read_pooling(options.pooling, folder);
    if (!pooling) return Unexpected(pooling.error());
    config->head = *pooling;
  } else {
    config->head = BertConfig::Head::kClassify;
  }
  auto tokenizer = read_tokenizer(folder, *config, options.max_tokens);
  if (!tokenizer) return Unexpected(tokenizer.error());
  if (!fs::is_regular_file(folder / tokenizer->vocab))
    return fail(ErrorCode::kNotFound, (folder / tokenizer->vocab).string() + ": no such file");
  if (auto built = build_bert(*config, checkpoint, file); !built) return Unexpected(built.error());
  fs::copy_file(folder / tokenizer->vocab, file.parent_path() / tokenizer->vocab);
  Manifest manifest = text_manifest(tokenizer->max_tokens);
  manifest.tokenizer = *tokenizer;
  if (labels->empty()) {
    manifest.task = "text-embedding";
    manifest.outputs = {{"embedding", DType::kFp32, Shape{config->width}}};
  } else {
    manifest.task = "text-classification";
    manifest.outputs = {{"logits", DType::kFp32, Shape{config->labels}}};
    manifest.labels = *std::move(labels);
  }
  return manifest;
}

Result<void> import_into(const fs::path& source, const ImportOptions& options, const fs::path& directory) {
  const fs::path folder = fs::is_regular_file(source) ? source.parent_path() : source;
  Config config;
  if (auto loaded = config.load(folder / "config.json"); !loaded) return loaded;
  auto tensors = read_tensors(source);
  if (!tensors) return Unexpected(tensors.error());
  Checkpoint checkpoint(*tensors);
  const fs::path file = directory / "1" / "model.pt";
  fs::create_directories(file.parent_path());
  auto manifest = options.architecture == "clip-vit"
                      ? import_clip(config.root(), folder, checkpoint, file)
                      : import_bert(config.root(), folder, *tensors, options, checkpoint, file);
  if (!manifest) return Unexpected(manifest.error());
  manifest->weights = "imported";
  manifest->source = R"({"architecture": ")" + options.architecture + R"("})";
  return write_manifest(*manifest, directory);
}

}  // namespace

Result<void> import_model(const fs::path& source, const ImportOptions& options, const fs::path& directory) {
  try {
    if (options.architecture != "clip-vit" && options.architecture != "bert") {
      return fail(ErrorCode::kUnimplemented,
                  "architecture: '" + options.architecture + "' is neither clip-vit nor bert");
    }
    if (!fs::exists(source)) return fail(ErrorCode::kNotFound, source.string() + ": no such file or folder");
    if (fs::exists(directory)) {
      return fail(ErrorCode::kFailedPrecondition,
                  directory.string() + ": exists already; choose another folder or remove it");
    }
    auto imported = import_into(source, options, directory);
    std::error_code ignored;
    if (!imported) fs::remove_all(directory, ignored);  // made above
    return imported;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const fs::filesystem_error& e) {
    return fail(ErrorCode::kFailedPrecondition, e.what());
  }
}

}  // namespace infer::inline v0
