#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/models/clip_vit.h"

namespace infer::inline v0 {

/// How the vectors of a text's tokens become one vector. The results of several poolings are concatenated in
/// order.
enum class Pooling { kCls, kMax, kMean, kMeanSqrtLength, kWeightedMean, kLastToken };

/// What a sentence-transformers module does to a vector after pooling.
struct SentenceStep {
  enum class Kind {
    kDense,      ///< A linear layer `tensors`linear with an activation.
    kLayerNorm,  ///< A layer norm `tensors`norm.
    kNormalize,  ///< To length 1.
  };
  Kind kind = Kind::kNormalize;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  bool bias = true;
  std::string activation;  ///< Activation of a dense layer: the name of PyTorch's class, such as "Tanh".
  std::string tensors;     ///< Prefix of the names of its tensors.
};

/// Sizes of a BERT-like encoder (Devlin et al., 2018; Sanh et al., 2019) and its head: a classifier if there
/// are labels, else a sentence embedding.
struct BertConfig {
  enum class Family { kBert, kDistilBert };
  Family family = Family::kBert;
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
  std::vector<Pooling> pooling{Pooling::kMean};
  std::vector<SentenceStep> steps;
  std::vector<std::string> unused;  ///< Prefixes of the names of tensors that are not used.

  /// Returns the number of elements of a sentence embedding.
  std::int64_t embedding_size() const {
    std::int64_t size = width * static_cast<std::int64_t>(pooling.size());
    for (const SentenceStep& step : steps) size = step.outputs;
    return size;
  }
};

/// Errors: `kInvalidArgument` (sizes), `kUnimplemented` (the activation).
Result<void> check_clip_vit(const ClipVitConfig& config);

}  // namespace infer::inline v0
