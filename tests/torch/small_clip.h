#pragma once

#include "infer/models/clip_vit.h"

namespace infer::inline v0::testing {

/// A tower of ViT-B/32's input and output, but small enough to make in a moment.
inline ClipVitConfig small_clip() {
  ClipVitConfig config;
  config.width = 192;
  config.layers = 3;
  config.heads = 3;
  config.mlp_width = 768;
  return config;
}

}  // namespace infer::inline v0::testing
