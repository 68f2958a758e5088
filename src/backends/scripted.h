#pragma once

#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {

/// Loads a scripted model: `file` holds {"base_ms", "per_sample_ms", "burn", "poison"}, all optional.
Result<std::shared_ptr<const Backend>> load_scripted(const Manifest& manifest,
                                                     const std::filesystem::path& directory,
                                                     const LoadOptions& options);

}  // namespace infer::inline v0
