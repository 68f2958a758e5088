#include "checkpoint_config.h"

#include <algorithm>
#include <cmath>

#include "../engine/read_file.h"

namespace infer::inline v0 {

namespace dom = simdjson::dom;

Result<void> check_no_lfs_pointer(const std::filesystem::path& file, std::string_view bytes) {
  if (!bytes.starts_with("version https://git-lfs.")) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      file.string() + ": is a Git LFS pointer, not the file itself; fetch the file with git lfs pull");
}

namespace {

/// Turns whole numbers of many digits into floating point, which simdjson can read: model_max_length is often
/// 10^30.
std::string with_large_numbers(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t digits =
        quoted ? 0 : std::min(json.find_first_not_of("0123456789", at), json.size()) - at;
    if (digits > 0) {
      const bool begins = at == 0 || json[at - 1] != '.';
      out += json.substr(at, digits);
      at += digits;
      const bool ends = at == json.size() || (json[at] != '.' && json[at] != 'e' && json[at] != 'E');
      if (digits > 18 && begins && ends) out += "e0";
      continue;
    }
    if (quoted && json[at] == '\\' && at + 1 < json.size()) {
      out += json[at++];
    } else if (json[at] == '"') {
      quoted = !quoted;
    }
    out += json[at++];
  }
  return out;
}

}  // namespace

Result<CheckpointConfig> CheckpointConfig::read(const std::filesystem::path& file) {
  auto bytes = read_file(file);
  if (!bytes) return Unexpected(bytes.error());
  if (auto real = check_no_lfs_pointer(file, *bytes); !real) return Unexpected(real.error());
  CheckpointConfig config;
  config.where_ = file.string();
  config.parser_ = std::make_shared<dom::parser>();
  dom::object root;
  if (const auto error = config.parser_->parse(simdjson::padded_string(with_large_numbers(*bytes))).get(root);
      error != simdjson::SUCCESS)
    return fail(ErrorCode::kInvalidArgument,
                file.string() + ": is not a JSON object: " + simdjson::error_message(error));
  for (const auto& [key, value] : root) config.fields_.emplace_back(key, value);
  for (const auto& [key, value] : config.fields_) {
    const auto same = [&key = key](const auto& field) { return field.first == key; };
    if (std::count_if(config.fields_.begin(), config.fields_.end(), same) > 1)
      config.refuse(key, "occurs twice", ErrorCode::kInvalidArgument);
  }
  return config;
}

CheckpointConfig CheckpointConfig::of(dom::element value) {
  CheckpointConfig config;
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return config;
  for (const auto& [key, content] : object) config.fields_.emplace_back(key, content);
  return config;
}

const dom::element* CheckpointConfig::find(std::initializer_list<std::string_view> names,
                                           std::string_view& found) {
  const dom::element* first = nullptr;
  for (const std::string_view name : names) {
    understood_.emplace(name);
    for (const auto& [key, value] : fields_) {
      if (key != name || value.is_null()) continue;
      if (first == nullptr) {
        first = &value;
        found = name;
      } else if (simdjson::minify(*first) != simdjson::minify(value)) {
        refuse(name, "contradicts " + std::string(found) + ", which has the same meaning",
               ErrorCode::kInvalidArgument);
      }
    }
  }
  return first;
}

bool CheckpointConfig::has(std::string_view key) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const auto& field) { return field.first == key && !field.second.is_null(); });
}

std::int64_t CheckpointConfig::whole(std::initializer_list<std::string_view> names, std::int64_t otherwise,
                                     std::int64_t least, std::int64_t most) {
  std::string_view name;
  const dom::element* found = find(names, name);
  if (found == nullptr) return otherwise;
  std::int64_t value = 0;
  if (found->get(value) == simdjson::SUCCESS && value >= least && value <= most) return value;
  refuse(name,
         simdjson::minify(*found) + " is not a whole number from " + std::to_string(least) + " to " +
             std::to_string(most),
         ErrorCode::kInvalidArgument);
  return otherwise;
}

double CheckpointConfig::number(std::string_view name, double otherwise) {
  const dom::element* found = find({name}, name);
  double value = otherwise;
  if (found != nullptr && found->get(value) != simdjson::SUCCESS)
    refuse(name, simdjson::minify(*found) + " is not a number", ErrorCode::kInvalidArgument);
  return value;
}

double CheckpointConfig::epsilon(std::string_view name, double otherwise) {
  const double value = number(name, otherwise);
  if (!(value >= 0 && std::isfinite(value)))
    refuse(name, std::to_string(value) + " is not a finite number of at least 0",
           ErrorCode::kInvalidArgument);
  return value;
}

std::string CheckpointConfig::word(std::initializer_list<std::string_view> names, std::string otherwise) {
  std::string_view name;
  const dom::element* found = find(names, name);
  if (found == nullptr) return otherwise;
  std::string_view value;
  if (found->get(value) == simdjson::SUCCESS) return std::string(value);
  refuse(name, simdjson::minify(*found) + " is not a string", ErrorCode::kInvalidArgument);
  return otherwise;
}

std::optional<bool> CheckpointConfig::flag(std::string_view name) {
  const dom::element* found = find({name}, name);
  if (found == nullptr) return std::nullopt;
  bool value = false;
  if (found->get(value) == simdjson::SUCCESS) return value;
  refuse(name, simdjson::minify(*found) + " is neither true nor false", ErrorCode::kInvalidArgument);
  return std::nullopt;
}

std::vector<std::string> CheckpointConfig::words(std::string_view name) {
  const dom::element* found = find({name}, name);
  std::vector<std::string> out;
  if (found == nullptr) return out;
  dom::array list;
  std::string_view one;
  if (found->get(one) == simdjson::SUCCESS) return {std::string(one)};
  bool strings = found->get(list) == simdjson::SUCCESS;
  if (strings) {
    for (const dom::element item : list) {
      strings = strings && item.get(one) == simdjson::SUCCESS;
      out.emplace_back(one);
    }
  }
  if (!strings) refuse(name, "is not a string or a list of strings", ErrorCode::kInvalidArgument);
  return out;
}

std::optional<dom::element> CheckpointConfig::value(std::string_view name) {
  const dom::element* found = find({name}, name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

CheckpointConfig CheckpointConfig::part(std::string_view name) {
  CheckpointConfig inner;
  inner.parser_ = parser_;
  inner.where_ = where_ + ": " + std::string(name);
  const dom::element* found = find({name}, name);
  if (found == nullptr) return inner;
  dom::object object;
  if (found->get(object) != simdjson::SUCCESS) {
    refuse(name, "is not an object", ErrorCode::kInvalidArgument);
    return inner;
  }
  for (const auto& [key, value] : object) inner.fields_.emplace_back(key, value);
  return inner;
}

void CheckpointConfig::ignore(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) understood_.emplace(name);
}

void CheckpointConfig::ignore_common() {
  // Origin, training, and outputs besides the result.
  ignore({"_name_or_path",
          "_commit_hash",
          "_attn_implementation",
          "_attn_implementation_autoset",
          "_attn_implementation_internal",
          "_num_labels",
          "attn_implementation",
          "transformers_version",
          "torch_dtype",
          "dtype",
          "torchscript",
          "use_bfloat16",
          "initializer_range",
          "initializer_factor",
          "gradient_checkpointing",
          "use_cache",
          "output_past",
          "output_attentions",
          "output_hidden_states",
          "return_dict",
          "return_dict_in_generate",
          "output_scores",
          "chunk_size_feed_forward",
          "finetuning_task",
          "language",
          "tie_word_embeddings",
          "tie_weights_",
          "tf_legacy_loss",
          "keys_to_ignore_at_inference",
          "ignore_keys_at_rope_validation",
          "pad_token_id",
          "bos_token_id",
          "eos_token_id",
          "sep_token_id",
          "cls_token_id",
          "mask_token_id",
          "unk_token_id",
          "decoder_start_token_id",
          "label2id"});
  // Settings of text generation, which older versions of transformers wrote into every config.
  ignore({"max_length",
          "min_length",
          "do_sample",
          "early_stopping",
          "num_beams",
          "num_beam_groups",
          "diversity_penalty",
          "temperature",
          "top_k",
          "top_p",
          "typical_p",
          "repetition_penalty",
          "length_penalty",
          "no_repeat_ngram_size",
          "encoder_no_repeat_ngram_size",
          "bad_words_ids",
          "num_return_sequences",
          "forced_bos_token_id",
          "forced_eos_token_id",
          "remove_invalid_values",
          "exponential_decay_length_penalty",
          "suppress_tokens",
          "begin_suppress_tokens",
          "prefix"});
  expect("is_decoder", {"false"});
  expect("is_encoder_decoder", {"false"});
  expect("add_cross_attention", {"false"});
  expect("tie_encoder_decoder", {"false"});
  expect("cross_attention_hidden_size", {});
  expect("pruned_heads", {"{}"});
  expect("auto_map", {"{}"});
  expect("quantization_config", {});
}

void CheckpointConfig::expect(std::string_view name, std::initializer_list<std::string_view> values) {
  const dom::element* found = find({name}, name);
  if (found == nullptr) return;
  const std::string text = simdjson::minify(*found);
  if (std::find(values.begin(), values.end(), text) != values.end()) return;
  std::string known;
  for (const std::string_view value : values) known += (known.empty() ? "" : " or ") + std::string(value);
  refuse(name, text.substr(0, 200) + " is not supported; " +
                   (known.empty() ? "the key must be absent" : "it must be " + known));
}

void CheckpointConfig::refuse(std::string_view key, const std::string& problem, ErrorCode code) {
  if (!problem_) problem_ = Error{code, where_ + ": " + std::string(key) + ": " + problem, {}};
}

Result<void> CheckpointConfig::check() const {
  if (problem_) return Unexpected(*problem_);
  std::string unknown;
  for (const auto& [key, value] : fields_) {
    if (!understood_.contains(key) && !value.is_null())
      unknown += (unknown.empty() ? "" : ", ") + std::string(key.substr(0, 64));
  }
  if (unknown.empty()) return {};
  return fail(
      ErrorCode::kUnimplemented,
      where_ + ": " + unknown +
          ": not supported, and may change the model's numbers; if it does not, remove it from the file");
}

}  // namespace infer::inline v0
