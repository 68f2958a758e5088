#include <string>

#include "../engine/json_writer.h"
#include "../engine/with_torch.h"
#include "infer/engine/manifest.h"
#include "infer/models/clip_vit.h"
#include "manifests.h"
#include "staged_folder.h"
#include "torch_making.h"

namespace infer::inline v0 {

Result<void> check_clip_vit(const ClipVitConfig& c) {
  if (c.patch_size < 1 || c.image_size < 1 || c.image_size > 4096 || c.image_size % c.patch_size != 0) {
    return fail(ErrorCode::kInvalidArgument, "image_size: " + std::to_string(c.image_size) +
                                                 " is not a multiple of patch_size " +
                                                 std::to_string(c.patch_size) + " in 1 to 4096");
  }
  if (c.heads < 1 || c.width < 1 || c.width > 8192 || c.width % c.heads != 0) {
    return fail(ErrorCode::kInvalidArgument, "width: " + std::to_string(c.width) +
                                                 " is not a multiple of heads " + std::to_string(c.heads) +
                                                 " in 1 to 8192");
  }
  if (c.layers < 1 || c.layers > 128)
    return fail(ErrorCode::kInvalidArgument, "layers: " + std::to_string(c.layers) + " is outside 1 to 128");
  if (c.mlp_width < 1 || c.mlp_width > 65536)
    return fail(ErrorCode::kInvalidArgument,
                "mlp_width: " + std::to_string(c.mlp_width) + " is outside 1 to 65536");
  if (c.activation != "quick_gelu" && c.activation != "gelu") {
    return fail(ErrorCode::kUnimplemented,
                "hidden_act: '" + c.activation + "' is neither quick_gelu nor gelu");
  }
  if (c.embedding_size < 1 || c.embedding_size > 8192) {
    return fail(ErrorCode::kInvalidArgument,
                "embedding_size: " + std::to_string(c.embedding_size) + " is outside 1 to 8192");
  }
  return {};
}

Result<void> create_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                             const std::filesystem::path& directory) {
  if (auto valid = check_clip_vit(config); !valid) return valid;
  auto staged = StagedFolder::create(directory);
  if (!staged) return Unexpected(staged.error());
  auto version = staged->subfolder("1");
  if (!version) return Unexpected(version.error());
  Manifest manifest = clip_vit_manifest(config);
  manifest.weights = "random";
  JsonWriter origin;
  origin.spaced().begin_object().key("architecture").value("clip-vit").key("seed").value(seed).end_object();
  manifest.source = std::move(origin).text();
  if (auto built = with_torch<libtorch::build_random_clip_vit>(config, seed, *version / manifest.file);
      !built)
    return built;
  if (auto written = write_manifest(manifest, staged->path()); !written) return written;
  return staged->commit();
}

}  // namespace infer::inline v0
