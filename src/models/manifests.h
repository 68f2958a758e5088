#pragma once

#include <cstddef>

#include "infer/engine/manifest.h"
#include "infer/models/clip_vit.h"

namespace infer::inline v0 {

/// Returns the manifest of a CLIP image tower of these sizes.
Manifest clip_vit_manifest(const ClipVitConfig& config);

/// Returns the manifest of a model that takes token ids and a mask, without task, tokenizer and outputs.
Manifest text_manifest(std::size_t max_tokens);

}  // namespace infer::inline v0
