#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "architectures.h"
#include "checkpoint_config.h"
#include "infer/engine/manifest.h"
#include "infer/models/import.h"
#include "infer/weights/safetensors.h"

// The parts of `import_model`, each of which reads some of a checkpoint's files.

namespace infer::inline v0 {

/// Returns whether an optional file of a checkpoint exists. A file that cannot be examined counts as
/// existing, so that reading it reports the error.
inline bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) || error;
}

/// The modules of a sentence-transformers checkpoint, in their order.
struct SentenceModules {
  bool given = false;                 ///< True if modules.json or 1_Pooling says how texts become vectors.
  std::filesystem::path transformer;  ///< The folder of config.json, weights and tokenizer.
  std::filesystem::path pooling;      ///< The config.json of Pooling; empty: mean of the tokens.
  struct Step {
    std::string kind;  ///< "Dense", "LayerNorm" or "Normalize".
    std::filesystem::path folder;
    std::string name;  ///< Folder as in modules.json; prefix of its tensors' names.
  };
  std::vector<Step> steps;  ///< What follows Pooling.
};

/// Reads modules.json and config_sentence_transformers.json of `folder` if they exist. Errors:
/// `kInvalidArgument`, `kNotFound` (a file that they name), `kUnimplemented` (a module, a default prompt).
Result<SentenceModules> read_sentence_modules(const std::filesystem::path& folder);

/// Adds pooling and steps to `config` and the tensors of the steps to `tensors`. `wanted` overrides the
/// pooling unless it is empty.
Result<void> add_sentence_modules(const SentenceModules& modules, const std::string& wanted,
                                  BertConfig& config, TensorMap& tensors);

/// A vocabulary and how texts are split into it.
struct ImportedTokenizer {
  TokenizerSpec spec;
  std::vector<std::string> vocabulary;  ///< The id of a token is its index.
};

/// Notes a problem if the tokenizer that `config` names splits texts differently from `WordPiece`.
void check_tokenizer_class(CheckpointConfig& config);

/// Reads tokenizer.json, vocab.txt, tokenizer_config.json, special_tokens_map.json and
/// sentence_bert_config.json, which must agree with each other and with the number of rows of the embedding.
/// If `max_tokens` is 0, these files decide. Errors: `kNotFound`, `kInvalidArgument`, `kUnimplemented` (a
/// setting that `WordPiece` does not support, which the message names).
Result<ImportedTokenizer> read_tokenizer(const std::filesystem::path& folder, const BertConfig& config,
                                         std::size_t max_tokens);

/// Builds the network, writes it and its vocabulary to `version`, and returns the manifest.
Result<Manifest> import_bert(const std::filesystem::path& folder, TensorMap tensors,
                             const SentenceModules& modules, const ImportOptions& options,
                             const std::filesystem::path& version);
Result<Manifest> import_clip(const std::filesystem::path& folder, TensorMap tensors,
                             const std::filesystem::path& version);

/// Errors: `kUnimplemented` unless each of `architectures` in config.json is one of `known`.
void check_architectures(CheckpointConfig& config, std::initializer_list<std::string_view> known);

}  // namespace infer::inline v0
