#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Sizes of CLIP's image tower (Radford et al., 2021, "Learning Transferable Visual Models From Natural
/// Language Supervision"); the defaults are ViT-B/32.
struct ClipVitConfig {
  std::int64_t image_size = 224;  ///< Edge of the input, pixels; a multiple of `patch_size`.
  std::int64_t patch_size = 32;
  std::int64_t width = 768;  ///< Size of a token; a multiple of `heads`.
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t mlp_width = 3072;
  std::int64_t embedding_size = 512;
  double epsilon = 1e-5;                  ///< Of the layer norms.
  std::string activation = "quick_gelu";  ///< Or "gelu".
};

/// Builds the tower with seeded random weights and writes DIRECTORY/infer.json and DIRECTORY/1/model.pt.
///
/// The file is ordinary TorchScript that Python's torch.jit.load runs too; parameters carry the names of
/// OpenAI's checkpoints. The same seed gives the same weights. Needs about twice the model's size in memory.
/// Blocking. Errors: `kInvalidArgument` (sizes), `kFailedPrecondition` (the folder exists already or cannot
/// be written), `kUnimplemented` (a build without LibTorch), `kOutOfMemory`.
INFER_EXPORT Result<void> create_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                                          const std::filesystem::path& directory);

}  // namespace infer::inline v0
