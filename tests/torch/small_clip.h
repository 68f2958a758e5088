#pragma once

#include "infer/models/clip_vit.h"

namespace infer::inline v0::testing {

/// A tower with the input and output of ViT-B/32 that is small enough to make quickly.
inline ClipVitConfig small_clip() {
  ClipVitConfig config;
  config.width = 192;
  config.layers = 3;
  config.heads = 3;
  config.mlp_width = 768;
  return config;
}

}  // namespace infer::inline v0::testing
