#pragma once

#include <cstddef>

#include "infer/engine/manifest.h"
#include "infer/models/clip_vit.h"

namespace infer::inline v0 {

/// What infer.json says of any CLIP image tower of these sizes.
Manifest clip_vit_manifest(const ClipVitConfig& config);

/// What it says of any model that takes token ids and their mask: all but task, tokenizer and outputs.
Manifest text_manifest(std::size_t max_tokens);

}  // namespace infer::inline v0
