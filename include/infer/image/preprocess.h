#pragma once

#include <span>

#include "infer/engine/manifest.h"
#include "infer/export.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// Turns an image into a model's input as CLIP does.
///
/// The steps are: resize the shorter edge to `options.size` (bicubic), crop the centre, divide by 255,
/// subtract `mean`, divide by `std`. `out` must hold 3 x size x size floats, written channel by channel
/// (CHW). Sizes and offsets are rounded as by torchvision's Resize and CenterCrop, in OpenAI's CLIP
/// `_transform`. Thread-safe.
INFER_EXPORT void preprocess_image(const Image& image, const ImagePreprocess& options, std::span<float> out);

}  // namespace infer::inline v0
