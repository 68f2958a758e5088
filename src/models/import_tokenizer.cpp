#include <algorithm>
#include <array>
#include <map>

#include "../engine/read_file.h"
#include "import_parts.h"
#include "infer/core/invalid.h"
#include "infer/text/wordpiece.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 5> kSpecial{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

bool is_special(std::string_view token) {
  return std::find(kSpecial.begin(), kSpecial.end(), token) != kSpecial.end();
}

/// Settings of the tokenizer; empty if no file has them.
struct Splitting {
  std::optional<bool> lowercase;
  std::optional<bool> strip_accents;
};

/// Reads vocab.txt, which has one token per line.
Result<std::vector<std::string>> read_lines(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return Unexpected(text.error());
  if (auto real = check_no_lfs_pointer(path, *text); !real) return Unexpected(real.error());
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    lines.push_back(text->substr(at, end - at));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

/// Refuses added tokens other than BERT's five: a tokenizer looks for added tokens before it splits a text,
/// and WordPiece does so only for these five.
void check_added_token(CheckpointConfig& file, std::string_view key, CheckpointConfig token) {
  const std::string content = token.word({"content"}, "");
  if (!is_special(content)) {
    file.refuse(key,
                "the token '" + content + "' is not supported; known: [PAD], [UNK], [CLS], [SEP], [MASK]");
    return;
  }
  token.ignore({"id", "special", "lstrip", "rstrip", "normalized", "__type"});
  token.expect("single_word", {"false"});
  if (auto understood = token.check(); !understood) file.refuse(key, understood.error().message);
}

/// Checks that a string, or an object with "content", is BERT's name of the token.
void check_special_name(CheckpointConfig& file, std::string_view key, std::string_view name) {
  const auto value = file.value(key);
  if (!value) return;
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS && (*value)["content"].get(text) != simdjson::SUCCESS) text = "";
  if (text != name)
    file.refuse(key, simdjson::minify(*value) + " is not supported; it must be " + std::string(name));
}

void check_special_names(CheckpointConfig& file) {
  for (const auto& [key, name] :
       {std::pair{"pad_token", "[PAD]"}, std::pair{"unk_token", "[UNK]"}, std::pair{"cls_token", "[CLS]"},
        std::pair{"sep_token", "[SEP]"}, std::pair{"mask_token", "[MASK]"}})
    check_special_name(file, key, name);
}

Result<void> read_special_tokens_map(const fs::path& path) {
  if (!is_there(path)) return {};
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  check_special_names(*file);
  file->expect("additional_special_tokens", {"[]"});
  file->ignore({"bos_token", "eos_token"});
  return file->check();
}

Result<std::vector<std::string>> read_vocabulary(CheckpointConfig& model) {
  const auto value = model.value("vocab");
  dom::object vocab;
  if (!value || value->get(vocab) != simdjson::SUCCESS)
    return invalid(model.where() + ": vocab: is not an object");
  std::vector<std::string> tokens(vocab.size());
  std::vector<bool> taken(tokens.size());
  for (const auto& [token, number] : vocab) {
    std::uint64_t id = 0;
    const bool whole = number.get(id) == simdjson::SUCCESS;
    if (!whole || id >= tokens.size() || taken[id])
      return invalid(model.where() + ": vocab: '" + std::string(token) + "' has the id " +
                     simdjson::minify(number) + ", which is " +
                     (whole && id < tokens.size()
                          ? "the id of another token, too"
                          : "not an id among " + std::to_string(tokens.size()) + " tokens"));
    if (token.find('\n') != std::string_view::npos)
      return invalid(model.where() + ": vocab: the token of id " + std::to_string(id) +
                     " contains a line break");
    taken[id] = true;
    tokens[id] = token;
  }
  return tokens;
}

/// Checks that the tokenizer puts [CLS] before a text and [SEP] after it.
void check_post_processor(CheckpointConfig& file) {
  CheckpointConfig processor = file.part("post_processor");
  const std::string type = processor.word({"type"}, "none");
  if (type == "BertProcessing") return;
  std::string shape;
  dom::array single;
  if (const auto value = processor.value("single"); value && value->get(single) == simdjson::SUCCESS) {
    for (const dom::element item : single) {
      std::string_view id;
      const bool special = item["SpecialToken"]["id"].get(id) == simdjson::SUCCESS;
      if (!special && item["Sequence"]["id"].get(id) != simdjson::SUCCESS) id = "?";
      shape += (special ? std::string(id) : "$" + std::string(id)) + " ";
    }
  }
  if (type != "TemplateProcessing" || shape != "[CLS] $A [SEP] ")
    file.refuse("post_processor",
                type + " is not supported; it must be TemplateProcessing with [CLS] $A [SEP]");
}

Result<std::vector<std::string>> read_tokenizer_json(const fs::path& path, Splitting& splitting) {
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  CheckpointConfig normalizer = file->part("normalizer");
  normalizer.expect("type", {R"("BertNormalizer")"});
  if (!normalizer.has("type")) normalizer.refuse("type", "is missing; it must be BertNormalizer");
  normalizer.expect("clean_text", {"true"});
  normalizer.expect("handle_chinese_chars", {"true"});
  splitting.lowercase = normalizer.flag("lowercase");
  splitting.strip_accents = normalizer.flag("strip_accents");
  CheckpointConfig splitter = file->part("pre_tokenizer");
  splitter.expect("type", {R"("BertPreTokenizer")"});
  if (!splitter.has("type")) splitter.refuse("type", "is missing; it must be BertPreTokenizer");
  CheckpointConfig model = file->part("model");
  model.expect("type", {R"("WordPiece")"});
  model.expect("unk_token", {R"("[UNK]")"});
  model.expect("continuing_subword_prefix", {R"("##")"});
  model.expect("max_input_chars_per_word", {"100"});
  auto vocabulary = read_vocabulary(model);
  check_post_processor(*file);
  if (const auto value = file->value("added_tokens")) {
    dom::array list;
    if (value->get(list) == simdjson::SUCCESS) {
      for (const dom::element item : list)
        check_added_token(*file, "added_tokens", CheckpointConfig::of(item));
    }
  }
  // These keys change nothing: the model's own lengths cut and pad texts, and nothing decodes tokens.
  file->ignore({"version", "truncation", "padding", "decoder"});
  for (const CheckpointConfig* part : {&normalizer, &splitter, &model, &*file}) {
    if (auto understood = part->check(); !understood) return Unexpected(understood.error());
  }
  return vocabulary;
}

/// Reads a setting from a second file, which must not contradict the first.
void agree(std::optional<bool>& first, CheckpointConfig& file, const char* key) {
  const auto second = file.flag(key);
  if (!second) return;
  if (first && *first != *second)
    file.refuse(key, std::string(*second ? "true" : "false") + " contradicts tokenizer.json",
                ErrorCode::kInvalidArgument);
  first = second;
}

Result<void> read_tokenizer_config(const fs::path& path, Splitting& splitting, std::int64_t& max_tokens) {
  if (!is_there(path)) return {};
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  agree(splitting.lowercase, *file, "do_lower_case");
  agree(splitting.strip_accents, *file, "strip_accents");
  file->expect("tokenize_chinese_chars", {"true"});
  file->expect("do_basic_tokenize", {"true"});
  file->expect("never_split", {"[]"});
  file->expect("additional_special_tokens", {"[]"});
  file->expect("extra_special_tokens", {"[]", "{}"});
  file->expect("truncation_side", {R"("right")"});
  file->expect("auto_map", {"{}"});
  check_special_names(*file);
  check_tokenizer_class(*file);
  if (const auto value = file->value("added_tokens_decoder")) {
    dom::object tokens;
    if (value->get(tokens) == simdjson::SUCCESS) {
      for (const auto& [id, token] : tokens)
        check_added_token(*file, "added_tokens_decoder", CheckpointConfig::of(token));
    }
  }
  // The value is often 1e30, which means no limit.
  if (const double length = file->number("model_max_length", 1e30); length < 1e9)
    max_tokens = file->whole({"model_max_length"}, max_tokens, 3);
  file->ignore({"name_or_path",
                "special_tokens_map_file",
                "tokenizer_file",
                "full_tokenizer_file",
                "vocab_file",
                "init_inputs",
                "clean_up_tokenization_spaces",
                "model_input_names",
                "padding_side",
                "padding",
                "truncation",
                "truncation_strategy",
                "max_length",
                "stride",
                "pad_to_multiple_of",
                "pad_token_type_id",
                "pad_token_id",
                "bos_token",
                "eos_token",
                "backend",
                "is_local",
                "local_files_only",
                "use_fast",
                "from_slow",
                "processor_class",
                "add_special_tokens",
                "max_len",
                "device_map",
                "trust_remote_code"});
  return file->check();
}

Result<void> read_sentence_config(const fs::path& path, Splitting& splitting, std::int64_t& max_tokens) {
  if (!is_there(path)) return {};
  auto file = CheckpointConfig::read(path);
  if (!file) return Unexpected(file.error());
  max_tokens = file->whole({"max_seq_length"}, max_tokens, 3);
  if (file->flag("do_lower_case").value_or(false) && !splitting.lowercase.value_or(true)) {
    // sentence-transformers lowercases before it splits, which does not strip accents.
    splitting.strip_accents = splitting.strip_accents.value_or(false);
    splitting.lowercase = true;
  }
  file->expect("transformer_task", {R"("feature-extraction")"});
  file->expect("modality_config",
               {R"({"text":{"method":"forward","method_output_name":"last_hidden_state"}})"});
  file->expect("module_output_name", {R"("token_embeddings")"});
  for (const char* key : {"model_args", "tokenizer_args", "config_args", "processing_kwargs", "model_kwargs",
                          "processor_kwargs", "config_kwargs"})
    file->expect(key, {"{}"});
  file->ignore({"unpad_inputs"});
  return file->check();
}

Result<std::vector<std::string>> read_words(const fs::path& folder, Splitting& splitting) {
  const fs::path json = folder / "tokenizer.json";
  const fs::path lines = folder / "vocab.txt";
  if (!is_there(json)) {
    if (is_there(lines)) return read_lines(lines);
    return fail(ErrorCode::kNotFound, folder.string() + ": has neither vocab.txt nor tokenizer.json");
  }
  auto vocabulary = read_tokenizer_json(json, splitting);
  if (!vocabulary || !is_there(lines)) return vocabulary;
  auto other = read_lines(lines);
  if (!other) return other;
  const auto [left, right] =
      std::mismatch(vocabulary->begin(), vocabulary->end(), other->begin(), other->end());
  if (left == vocabulary->end() && right == other->end()) return vocabulary;
  return invalid(lines.string() + ": line " + std::to_string(right - other->begin() + 1) +
                 " differs from tokenizer.json; remove the file that does not belong to the checkpoint");
}

}  // namespace

void check_tokenizer_class(CheckpointConfig& config) {
  const std::string type = config.word({"tokenizer_class"}, "BertTokenizer");
  constexpr std::array<std::string_view, 8> kClasses{
      "BertTokenizer",    "BertTokenizerFast",    "DistilBertTokenizer",     "DistilBertTokenizerFast",
      "ElectraTokenizer", "ElectraTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"};
  if (std::find(kClasses.begin(), kClasses.end(), type) == kClasses.end())
    config.refuse("tokenizer_class",
                  "'" + type + "' is not supported; libinfer splits texts as BertTokenizer does");
}

Result<ImportedTokenizer> read_tokenizer(const fs::path& folder, const BertConfig& config,
                                         std::size_t max_tokens) {
  Splitting splitting;
  ImportedTokenizer out;
  auto vocabulary = read_words(folder, splitting);
  if (!vocabulary) return Unexpected(vocabulary.error());
  out.vocabulary = *std::move(vocabulary);
  if (const fs::path added = folder / "added_tokens.json"; is_there(added)) {
    auto file = CheckpointConfig::read(added);
    if (!file) return Unexpected(file.error());
    for (const std::string_view name : kSpecial) file->ignore({name});
    if (auto known = file->check(); !known)
      return fail(ErrorCode::kUnimplemented,
                  added.string() + ": tokens outside the vocabulary are not supported");
  }
  const std::string counted = std::to_string(out.vocabulary.size());
  if (out.vocabulary.size() != static_cast<std::size_t>(config.vocabulary)) {
    return invalid(
        folder.string() + ": the vocabulary has " + counted + " tokens, but vocab_size in config.json is " +
        std::to_string(config.vocabulary) +
        "; take both from the same checkpoint, or name rows without a token [unused0], [unused1] in "
        "vocab.txt");
  }
  std::int64_t length = config.positions;
  if (auto read = read_tokenizer_config(folder / "tokenizer_config.json", splitting, length); !read)
    return Unexpected(read.error());
  if (auto read = read_special_tokens_map(folder / "special_tokens_map.json"); !read)
    return Unexpected(read.error());
  if (auto read = read_sentence_config(folder / "sentence_bert_config.json", splitting, length); !read)
    return Unexpected(read.error());
  if (max_tokens != 0) {
    if (max_tokens < 3 || max_tokens > static_cast<std::size_t>(config.positions))
      return invalid("max_tokens: " + std::to_string(max_tokens) + " is outside 3 to the model's " +
                     std::to_string(config.positions) + " positions");
    length = static_cast<std::int64_t>(max_tokens);
  }
  out.spec.max_tokens = static_cast<std::size_t>(std::min(length, config.positions));
  out.spec.lowercase = splitting.lowercase.value_or(true);
  out.spec.strip_accents = splitting.strip_accents;
  if (auto words = WordPiece::create(out.vocabulary, out.spec); !words)
    return fail(words.error().code, folder.string() + ": " + words.error().message);
  return out;
}

}  // namespace infer::inline v0
