#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint.h"
#include "infer/core/result.h"
#include "infer/models/clip_vit.h"

// The architectures as seen from where no torch header is: configuration and checkpoint in, archive out.

namespace infer::inline v0 {

/// Sizes of a BERT-like encoder (Devlin et al., 2018; Sanh et al., 2019) and what is made of its result.
struct BertConfig {
  enum class Family { kBert, kDistilBert };
  enum class Head {
    kMean,      ///< Mean of all tokens: a sentence embedding.
    kCls,       ///< The first token: a sentence embedding.
    kClassify,  ///< Logits of `labels` classes.
  };
  Family family = Family::kBert;
  Head head = Head::kMean;
  std::int64_t vocabulary = 30522;
  std::int64_t width = 768;
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t mlp_width = 3072;
  std::int64_t positions = 512;
  std::int64_t token_types = 2;
  std::int64_t labels = 0;
  double epsilon = 1e-12;
  std::string activation = "gelu";
};

/// Fills the architecture from the checkpoint and saves it. Errors: those of `Checkpoint::check`,
/// `kUnimplemented`, `kFailedPrecondition`.
Result<void> build_clip_vit(const ClipVitConfig& config, Checkpoint& checkpoint,
                            const std::filesystem::path& file);
Result<void> build_bert(const BertConfig& config, Checkpoint& checkpoint, const std::filesystem::path& file);

}  // namespace infer::inline v0
