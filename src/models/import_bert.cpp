#include <algorithm>
#include <set>

#include "../engine/durable_file.h"
#include "../engine/with_torch.h"
#include "import_parts.h"
#include "manifests.h"
#include "torch_making.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

/// Reads the sizes, and ignores the keys that change no number of this family.
void read_sizes(CheckpointConfig& root, BertConfig& config) {
  const bool distil = config.family == BertConfig::Family::kDistilBert;
  if (distil) config.layers = 6;
  config.vocabulary = root.whole({"vocab_size"}, config.vocabulary);
  config.positions = root.whole({"max_position_embeddings"}, config.positions, 3);
  if (distil) {
    config.width = root.whole({"dim", "hidden_size"}, config.width);
    config.layers = root.whole({"n_layers", "num_hidden_layers"}, config.layers);
    config.heads = root.whole({"n_heads", "num_attention_heads"}, config.heads);
    config.mlp_width = root.whole({"hidden_dim"}, config.mlp_width);
    config.activation = root.word({"activation"}, config.activation);
    // sinusoidal_pos_embds only sets the initial positions in training; the checkpoint has the trained ones.
    root.ignore(
        {"dropout", "attention_dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds"});
  } else {
    config.width = root.whole({"hidden_size"}, config.width);
    config.layers = root.whole({"num_hidden_layers"}, config.layers);
    config.heads = root.whole({"num_attention_heads"}, config.heads);
    config.mlp_width = root.whole({"intermediate_size"}, config.mlp_width);
    config.token_types = root.whole({"type_vocab_size"}, config.token_types);
    config.activation = root.word({"hidden_act"}, config.activation);
    config.epsilon = root.epsilon("layer_norm_eps", config.epsilon);
    root.ignore({"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout",
                 "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
                 "pooler_size_per_head", "pooler_type"});
  }
  root.expect("position_embedding_type", {R"("absolute")"});
  check_tokenizer_class(root);
  root.ignore_common();
}

/// Returns the labels in the order of their numbers; LABEL_0 and so on if config.json names none.
std::vector<std::string> read_labels(CheckpointConfig& root, std::size_t count) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
  const auto rows = [&](std::size_t said) {
    return std::to_string(said) + " labels, but classifier.weight has " + std::to_string(count) + " rows";
  };
  if (const std::int64_t said = root.whole({"num_labels"}, static_cast<std::int64_t>(count));
      said != static_cast<std::int64_t>(count))
    root.refuse("num_labels", rows(static_cast<std::size_t>(said)), ErrorCode::kInvalidArgument);
  const auto value = root.value("id2label");
  simdjson::dom::object names;
  if (!value) return labels;
  if (value->get(names) != simdjson::SUCCESS) {
    root.refuse("id2label", "is not an object", ErrorCode::kInvalidArgument);
    return labels;
  }
  std::set<std::string_view> seen;
  for (const auto& [id, content] : names) {
    std::string_view name;
    const std::string text(id);
    const bool digits =
        !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t number = digits ? std::stoul(text) : count;
    if (number >= count || content.get(name) != simdjson::SUCCESS) {
      root.refuse(
          "id2label",
          "'" + text + "' is not a row of classifier.weight, which has " + std::to_string(count) + " rows",
          ErrorCode::kInvalidArgument);
      return labels;
    }
    if (!seen.insert(name).second)
      root.refuse("id2label", "two labels have the name '" + std::string(name) + "'",
                  ErrorCode::kInvalidArgument);
    labels[number] = name;
  }
  if (names.size() != count) root.refuse("id2label", rows(names.size()), ErrorCode::kInvalidArgument);
  return labels;
}

/// Returns what logits become: as in transformers' pipeline for `problem_type`, unless sentence-transformers'
/// cross encoder names an activation.
std::string read_scores(CheckpointConfig& root, std::size_t labels) {
  std::string scores = labels == 1 ? "sigmoid" : "softmax";
  const std::string problem = root.word({"problem_type"}, "");
  if (problem == "regression") {
    scores = "none";
  } else if (problem == "multi_label_classification") {
    scores = "sigmoid";
  } else if (problem == "single_label_classification") {
    if (labels == 1)
      root.refuse("problem_type", "single_label_classification needs more than 1 label",
                  ErrorCode::kInvalidArgument);
  } else if (!problem.empty()) {
    root.refuse("problem_type", "'" + problem +
                                    "' is not supported; known: single_label_classification, "
                                    "multi_label_classification, regression");
  }
  // In transformers' pipeline, these override the rest of config.json.
  CheckpointConfig tasks = root.part("task_specific_params");
  if (tasks.has("text-classification"))
    root.refuse("task_specific_params", "text-classification is not supported; move its keys to the top");
  CheckpointConfig cross = root.part("sentence_transformers");
  const std::string old = root.word({"sbert_ce_default_activation_function"}, "");
  const std::string activation = cross.word({"activation_fn"}, old);
  cross.ignore({"version"});
  if (auto understood = cross.check(); !understood)
    root.refuse("sentence_transformers", understood.error().message);
  if (activation.empty()) return scores;
  const std::string name = activation.substr(activation.rfind('.') + 1);
  if (name == "Sigmoid") return "sigmoid";
  if (name == "Identity") return "none";
  root.refuse("activation_fn", "'" + activation + "' is not supported; known: Sigmoid, Identity");
  return scores;
}

bool is_classifier(CheckpointConfig& root, const std::string& name, const SentenceModules& modules,
                   const TensorMap& tensors) {
  if (modules.given) return false;
  const auto architectures = root.words("architectures");
  if (architectures.empty()) return tensors.contains("classifier.weight");
  return architectures.front() == name + "ForSequenceClassification";
}

}  // namespace

Result<Manifest> import_bert(const fs::path& folder, TensorMap tensors, const SentenceModules& modules,
                             const ImportOptions& options, const fs::path& version) {
  auto root = CheckpointConfig::read(folder / "config.json");
  if (!root) return Unexpected(root.error());
  BertConfig config;
  const std::string type = root->word({"model_type"}, "bert");
  if (type == "distilbert") {
    config.family = BertConfig::Family::kDistilBert;
    check_architectures(*root,
                        {"DistilBertModel", "DistilBertForMaskedLM", "DistilBertForSequenceClassification"});
  } else {
    if (type != "bert") root->refuse("model_type", "'" + type + "' is neither bert nor distilbert");
    check_architectures(*root, {"BertModel", "BertForMaskedLM", "BertForPreTraining",
                                "BertForNextSentencePrediction", "BertForSequenceClassification"});
  }
  const std::string name = type == "distilbert" ? "DistilBert" : "Bert";
  std::vector<std::string> labels;
  std::string scores;
  if (is_classifier(*root, name, modules, tensors)) {
    const auto head = tensors.find("classifier.weight");
    const std::size_t rows = head != tensors.end() && head->second.shape().rank() == 2
                                 ? static_cast<std::size_t>(head->second.shape()[0])
                                 : static_cast<std::size_t>(root->whole({"num_labels"}, 2));
    labels = read_labels(*root, rows);
    scores = read_scores(*root, rows);
    config.labels = static_cast<std::int64_t>(rows);
    if (rows == 0 || rows > 100'000)
      root->refuse("num_labels", "must be 1 to 100000", ErrorCode::kInvalidArgument);
  } else {
    root->ignore({"id2label", "num_labels", "problem_type", "sentence_transformers",
                  "sbert_ce_default_activation_function", "task_specific_params"});
    for (const std::string& architecture : root->words("architectures")) {
      if (architecture.ends_with("ForSequenceClassification"))
        config.unused = {"classifier.", "pre_classifier."};
    }
  }
  read_sizes(*root, config);
  if (auto understood = root->check(); !understood) return Unexpected(understood.error());
  if (labels.empty()) {
    if (auto added = add_sentence_modules(modules, options.pooling, config, tensors); !added)
      return Unexpected(added.error());
  } else if (!options.pooling.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "pooling: applies to sentence embedders, but the checkpoint is a classifier");
  }
  auto tokenizer = read_tokenizer(folder, config, options.max_tokens);
  if (!tokenizer) return Unexpected(tokenizer.error());
  Checkpoint checkpoint(std::move(tensors));
  if (auto built = with_torch<libtorch::build_bert>(config, checkpoint, version / "model.pt"); !built)
    return Unexpected(built.error());
  std::string lines;
  for (const std::string& token : tokenizer->vocabulary) lines += token + "\n";
  if (auto written = write_durably(version / tokenizer->spec.vocab, lines); !written)
    return Unexpected(written.error());
  Manifest out = text_manifest(tokenizer->spec.max_tokens);
  out.inputs[0].range = ValueRange{0, config.vocabulary - 1};
  out.inputs[0].max_shape = Shape{config.positions};
  out.tokenizer = tokenizer->spec;
  if (labels.empty()) {
    out.task = "text-embedding";
    out.outputs = {{"embedding", DType::kFp32, Shape{config.embedding_size()}}};
  } else {
    out.task = "text-classification";
    out.outputs = {{"logits", DType::kFp32, Shape{config.labels}}};
    out.labels = std::move(labels);
    out.scores = scores;
  }
  return out;
}

}  // namespace infer::inline v0
