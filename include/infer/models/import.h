#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What a checkpoint does not say of itself; empty or 0 leaves it to the files beside it.
struct ImportOptions {
  std::string architecture;  ///< "clip-vit" or "bert".
  /// For sentence embeddings: "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean" or "lasttoken";
  /// empty: what modules.json or 1_Pooling/config.json says, else mean.
  std::string pooling;
  std::size_t max_tokens = 0;  ///< For texts; 0: sentence_bert_config.json, else what the positions allow.
};

/// Builds a TorchScript model from a checkpoint in Hugging Face's layout and writes DIRECTORY/infer.json and
/// DIRECTORY/1/.
///
/// `source` is a folder with config.json and one or more safetensors files, or one such file with config.json
/// beside it. "clip-vit" is CLIP's vision tower with its projection (CLIPModel or
/// CLIPVisionModelWithProjection). "bert" is BERT, MiniLM or DistilBERT: with a classification head it
/// becomes a text classifier, else a sentence embedder; its vocabulary comes along. What a checkpoint says is
/// obeyed or refused by name: all modules of sentence-transformers' modules.json, `problem_type`, the
/// tokenizer's settings, every key of config.json.
///
/// Needs about twice the model's size in memory. Blocking. Errors: `kNotFound` (files), `kInvalidArgument`
/// (config.json; tensors that are missing, misshapen, not finite or left over, all listed),
/// `kFailedPrecondition` (the folder exists already or cannot be written; nothing is left behind then),
/// `kUnimplemented` (another architecture, or a setting that is not understood; a build without LibTorch),
/// `kOutOfMemory`.
INFER_EXPORT Result<void> import_model(const std::filesystem::path& source, const ImportOptions& options,
                                       const std::filesystem::path& directory);

}  // namespace infer::inline v0
