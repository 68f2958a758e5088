#pragma once

#include <span>

#include "infer/engine/manifest.h"
#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// CLIP's preprocessing: shorter edge to `size` (bicubic), centre crop, x/255, subtract mean, divide by std.
///
/// Writes channel by channel (CHW): `out` holds 3 x size x size floats. Thread-safe. The rounding of sizes
/// and offsets is that of torchvision's Resize and CenterCrop, as in OpenAI's CLIP `_transform`.
INFER_EXPORT void preprocess_image(const Image& image, const ImagePreprocess& options, std::span<float> out);

}  // namespace infer::inline v0
