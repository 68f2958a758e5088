#include "manifests.h"

#include <algorithm>

namespace infer::inline v0 {
namespace {

/// Maximum number of tokens in one forward. On a CPU more tokens are no faster, since the products are large
/// enough, and they would add more shapes.
constexpr std::size_t kTokenBudget = 1024;

}  // namespace

Manifest clip_vit_manifest(const ClipVitConfig& config) {
  Manifest manifest;
  manifest.task = "image-embedding";
  manifest.inputs = {{"pixel_values", DType::kFp32, Shape{3, config.image_size, config.image_size}}};
  manifest.outputs = {{"embedding", DType::kFp32, Shape{config.embedding_size}}};
  manifest.preprocess.emplace();
  manifest.preprocess->size = static_cast<std::size_t>(config.image_size);
  return manifest;
}

Manifest text_manifest(std::size_t max_tokens) {
  Manifest manifest;
  manifest.inputs = {{"input_ids", DType::kInt64, Shape{-1}}, {"attention_mask", DType::kInt64, Shape{-1}}};
  manifest.inputs[1].range = ValueRange{0, 1};
  manifest.inputs[1].same_shape_as = "input_ids";
  // The encoder leaves padding out of its products, so a few lengths are enough: texts of up to the first
  // length share batches.
  auto& lengths = manifest.allowed_lengths.emplace();
  for (std::size_t length = 32; length < max_tokens; length *= 2) lengths.push_back(length);
  lengths.push_back(max_tokens);
  manifest.max_batch_size = 32;
  manifest.allowed_batch_sizes.emplace();  // any size: products depend on the number of tokens
  manifest.max_queue_size = 256;
  manifest.max_batch_cost = std::max(kTokenBudget, max_tokens);
  return manifest;
}

}  // namespace infer::inline v0
