#include <algorithm>
#include <array>
#include <utility>

#include "../engine/read_file.h"
#include "checkpoint_tensors.h"
#include "import_parts.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

struct PoolingName {
  std::string_view name;      ///< Value of `pooling_mode` in sentence-transformers 5 and newer.
  std::string_view old_flag;  ///< Flag in older versions; several poolings are concatenated in this order.
  Pooling pooling;
};
constexpr std::array<PoolingName, 6> kPoolings{
    {{"cls", "pooling_mode_cls_token", Pooling::kCls},
     {"max", "pooling_mode_max_tokens", Pooling::kMax},
     {"mean", "pooling_mode_mean_tokens", Pooling::kMean},
     {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
     {"weightedmean", "pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
     {"lasttoken", "pooling_mode_lasttoken", Pooling::kLastToken}}};

const PoolingName* find_pooling(std::string_view name) {
  const auto* found =
      std::find_if(kPoolings.begin(), kPoolings.end(), [&](const auto& row) { return row.name == name; });
  return found == kPoolings.end() ? nullptr : found;
}

Unexpected bad(const fs::path& file, const std::string& what, ErrorCode code = ErrorCode::kInvalidArgument) {
  return fail(code, file.string() + ": " + what);
}

/// Refuses a default prompt: a text before every sentence would change its vector.
Result<void> check_prompts(const fs::path& folder) {
  const fs::path path = folder / "config_sentence_transformers.json";
  if (!is_there(path)) return {};
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  const std::string name = file->word({"default_prompt_name"}, "");
  CheckpointConfig prompts = file->part("prompts");
  if (!name.empty() && !prompts.word({name}, "").empty())
    file->refuse("default_prompt_name",
                 "'" + name +
                     "': a prompt before every input is not supported; set the key to null, and put the "
                     "prompt before the inputs yourself");
  file->ignore({"__version__", "similarity_fn_name", "model_type"});
  return file->check();
}

/// Reads one entry of modules.json.
Result<void> add_module(dom::element entry, const fs::path& file, SentenceModules& modules) {
  const std::size_t number =
      modules.steps.size() + (modules.given ? 1U : 0U) + (modules.pooling.empty() ? 0U : 1U);
  std::string_view type;
  std::string_view path;
  dom::object fields;
  if (entry.get(fields) != simdjson::SUCCESS || fields["type"].get(type) != simdjson::SUCCESS ||
      fields["path"].get(path) != simdjson::SUCCESS)
    return bad(file, "module " + std::to_string(number) + " is not an object with type and path");
  const std::string kind(type.substr(type.rfind('.') + 1));
  const std::string named = "'" + std::string(type) + "'";
  if (!type.starts_with("sentence_transformers."))
    return bad(file, named + ": libinfer does not run code of a checkpoint", ErrorCode::kUnimplemented);
  const fs::path relative(path);
  if (relative.is_absolute() || std::find(relative.begin(), relative.end(), "..") != relative.end())
    return bad(file, "path '" + std::string(path) + "' leads outside the checkpoint");
  const fs::path folder = path.empty() ? file.parent_path() : file.parent_path() / relative;
  if (kind == "Transformer" && !modules.given) {
    modules.given = true;
    modules.transformer = folder;
  } else if (!modules.given) {
    return bad(file, named + ": the first module must be Transformer", ErrorCode::kUnimplemented);
  } else if (kind == "Pooling" && modules.pooling.empty() && modules.steps.empty()) {
    modules.pooling = folder / "config.json";
  } else if (modules.pooling.empty()) {
    return bad(file, named + ": only Pooling can follow Transformer", ErrorCode::kUnimplemented);
  } else if (kind == "Dense" || kind == "LayerNorm" || kind == "Normalize") {
    modules.steps.push_back({kind, folder, std::string(path) + "/"});
  } else if (kind != "Dropout") {  // Dropout only acts in training
    return bad(file, named + " is not supported; known after Pooling: Dense, LayerNorm, Normalize, Dropout",
               ErrorCode::kUnimplemented);
  }
  for (const auto& [key, value] : fields) {
    if (key == "idx" || key == "name" || key == "path" || key == "type") continue;
    const std::string text = simdjson::minify(value);
    if (text != "null" && text != "[]" && text != "{}")
      return bad(file,
                 named + ": " + std::string(key) + ": not supported, and may change the model's numbers",
                 ErrorCode::kUnimplemented);
  }
  return {};
}

Result<std::vector<Pooling>> read_pooling(const fs::path& path, std::int64_t width) {
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  const std::int64_t dimension = file->whole({"embedding_dimension", "word_embedding_dimension"}, width);
  if (dimension != width)
    file->refuse("embedding_dimension",
                 std::to_string(dimension) + " is not the encoder's width of " + std::to_string(width),
                 ErrorCode::kInvalidArgument);
  std::vector<Pooling> old;
  for (const PoolingName& row : kPoolings) {
    // The default of sentence-transformers is the mean.
    if (file->flag(row.old_flag).value_or(row.pooling == Pooling::kMean)) old.push_back(row.pooling);
  }
  std::vector<Pooling> poolings;
  const bool by_name = file->has("pooling_mode");
  for (const std::string& name : file->words("pooling_mode")) {
    if (const auto* row = find_pooling(name)) {
      poolings.push_back(row->pooling);
    } else {
      file->refuse("pooling_mode", "'" + name +
                                       "' is not supported; known: cls, max, mean, "
                                       "mean_sqrt_len_tokens, weightedmean, lasttoken");
    }
  }
  file->ignore({"include_prompt"});  // matters only with a prompt
  if (!by_name) poolings = std::move(old);
  if (poolings.empty())
    file->refuse(by_name ? "pooling_mode" : "pooling_mode_mean_tokens",
                 "no pooling is chosen, so a text has no vector", ErrorCode::kInvalidArgument);
  if (auto understood = file->check(); !understood) return Unexpected(understood.error());
  return poolings;
}

/// Reads the config of a step; Normalize may have none.
Result<SentenceStep> read_step(const SentenceModules::Step& module, std::int64_t inputs) {
  SentenceStep step;
  step.inputs = step.outputs = inputs;
  step.tensors = module.name;
  const fs::path path = module.folder / "config.json";
  if (module.kind == "Normalize" && !is_there(path)) return step;
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  file->expect("module_input_name", {R"("sentence_embedding")"});
  file->expect("module_output_name", {R"("sentence_embedding")"});
  const auto expect_inputs = [&](const char* key) {
    if (const std::int64_t value = file->whole({key}, inputs); value != inputs)
      file->refuse(key,
                   std::to_string(value) + " is not the size of the previous module's output, " +
                       std::to_string(inputs),
                   ErrorCode::kInvalidArgument);
  };
  if (module.kind == "LayerNorm") {
    step.kind = SentenceStep::Kind::kLayerNorm;
    expect_inputs("dimension");
  } else if (module.kind == "Dense") {
    step.kind = SentenceStep::Kind::kDense;
    expect_inputs("in_features");
    if (!file->has("out_features")) file->refuse("out_features", "is missing", ErrorCode::kInvalidArgument);
    step.outputs = file->whole({"out_features"}, inputs);
    step.bias = file->flag("bias").value_or(true);
    step.activation = file->word({"activation_function"}, "torch.nn.modules.activation.Tanh");
    if (!step.activation.starts_with("torch.nn."))
      file->refuse("activation_function", "'" + step.activation + "' is not a class of torch.nn");
    step.activation = step.activation.substr(step.activation.rfind('.') + 1);
    file->expect("use_residual", {"false"});
  }
  if (auto understood = file->check(); !understood) return Unexpected(understood.error());
  return step;
}

}  // namespace

Result<SentenceModules> read_sentence_modules(const fs::path& folder) {
  SentenceModules modules;
  modules.transformer = folder;
  if (auto prompts = check_prompts(folder); !prompts) return Unexpected(prompts.error());
  const fs::path path = folder / "modules.json";
  if (!is_there(path)) {
    // Without modules.json, sentence-transformers takes the mean, but a folder 1_Pooling is more reliable.
    if (is_there(folder / "1_Pooling" / "config.json")) {
      modules.given = true;
      modules.pooling = folder / "1_Pooling" / "config.json";
    }
    return modules;
  }
  auto bytes = read_file(path);
  if (!bytes) return Unexpected(bytes.error());
  if (auto real = check_no_lfs_pointer(path, *bytes); !real) return Unexpected(real.error());
  dom::parser parser;
  dom::array list;
  if (const auto error = parser.parse(simdjson::padded_string(*bytes)).get(list); error != simdjson::SUCCESS)
    return bad(path, std::string("is not a JSON list: ") + simdjson::error_message(error));
  for (const dom::element entry : list) {
    if (auto added = add_module(entry, path, modules); !added) return Unexpected(added.error());
  }
  if (modules.pooling.empty())
    return bad(path, "has no Transformer followed by Pooling", ErrorCode::kUnimplemented);
  return modules;
}

Result<void> add_sentence_modules(const SentenceModules& modules, const std::string& wanted,
                                  BertConfig& config, TensorMap& tensors) {
  if (!wanted.empty()) {
    const auto* row = find_pooling(wanted);
    if (row == nullptr)
      return fail(ErrorCode::kInvalidArgument,
                  "pooling: '" + wanted +
                      "' is not known; use cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken");
    config.pooling = {row->pooling};
  } else if (!modules.pooling.empty()) {
    auto pooling = read_pooling(modules.pooling, config.width);
    if (!pooling) return Unexpected(pooling.error());
    config.pooling = *std::move(pooling);
  }
  for (const SentenceModules::Step& module : modules.steps) {
    auto step = read_step(module, config.embedding_size());
    if (!step) return Unexpected(step.error());
    if (step->kind != SentenceStep::Kind::kNormalize) {
      auto own = read_checkpoint_tensors(module.folder);
      if (!own) return Unexpected(own.error());
      for (auto& [name, tensor] : *own) tensors.emplace(module.name + name, std::move(tensor));
    }
    config.steps.push_back(*std::move(step));
  }
  return {};
}

}  // namespace infer::inline v0
