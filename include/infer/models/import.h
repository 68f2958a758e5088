#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What a checkpoint does not say about itself; empty or 0 takes the value from the checkpoint's files.
struct ImportOptions {
  std::string architecture;  ///< "clip-vit" or "bert".
  /// Pooling of a sentence embedder; empty: modules.json or 1_Pooling/config.json, else "mean".
  ///
  /// "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean" or "lasttoken".
  std::string pooling;
  /// Maximum tokens of a text; 0: sentence_bert_config.json, else the number of positions.
  std::size_t max_tokens = 0;
};

/// Builds a TorchScript model from a checkpoint in Hugging Face's layout; writes DIRECTORY/infer.json and
/// DIRECTORY/1/.
///
/// `source` is a folder with config.json and one or more safetensors files, or one such file beside
/// config.json. "clip-vit" is CLIP's vision tower with its projection (CLIPModel or
/// CLIPVisionModelWithProjection). "bert" is BERT, MiniLM or DistilBERT: a checkpoint with a classification
/// head becomes a text classifier, any other a sentence embedder; its vocabulary is copied. The import
/// follows every setting of the checkpoint, or fails and names the setting: all modules of
/// sentence-transformers' modules.json, `problem_type`, the tokenizer's settings, every key of config.json.
/// Needs about twice the model's size in memory. Blocking.
///
/// Errors: `kNotFound` (files); `kInvalidArgument` (config.json; missing, misshapen, non-finite or unused
/// tensors, all listed); `kFailedPrecondition` (the folder exists or cannot be written; the call then leaves
/// nothing behind); `kUnimplemented` (another architecture, an unknown setting, a build without LibTorch);
/// `kOutOfMemory`.
INFER_EXPORT Result<void> import_model(const std::filesystem::path& source, const ImportOptions& options,
                                       const std::filesystem::path& directory);

}  // namespace infer::inline v0
