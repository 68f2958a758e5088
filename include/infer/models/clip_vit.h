#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The sizes of CLIP's image tower; the defaults are those of ViT-B/32.
///
/// Source: Radford et al., 2021, "Learning Transferable Visual Models From Natural Language Supervision".
struct ClipVitConfig {
  std::int64_t image_size = 224;          ///< Edge of the input, in pixels; a multiple of `patch_size`.
  std::int64_t patch_size = 32;           ///< Edge of a patch, in pixels.
  std::int64_t width = 768;               ///< Numbers per token; a multiple of `heads`.
  std::int64_t layers = 12;               ///< Transformer layers.
  std::int64_t heads = 12;                ///< Attention heads.
  std::int64_t mlp_width = 3072;          ///< Numbers per token inside the MLPs.
  std::int64_t embedding_size = 512;      ///< Elements of the output vector.
  double epsilon = 1e-5;                  ///< Epsilon of the layer norms.
  std::string activation = "quick_gelu";  ///< "quick_gelu" or "gelu".
};

/// Builds the tower with random weights and writes DIRECTORY/infer.json and DIRECTORY/1/model.pt.
///
/// The file is ordinary TorchScript, which Python's torch.jit.load runs too; parameters have the names of
/// OpenAI's checkpoints. One seed always gives the same weights. Needs about twice the model's size in
/// memory. Blocking.
///
/// Errors: `kInvalidArgument` (sizes), `kFailedPrecondition` (the folder exists or cannot be written),
/// `kUnimplemented` (a build without LibTorch), `kOutOfMemory`.
INFER_EXPORT Result<void> create_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                                          const std::filesystem::path& directory);

}  // namespace infer::inline v0
