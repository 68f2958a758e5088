#pragma once

#include <cstddef>
#include <string>

#include "infer/image/image.h"

namespace infer::inline v0 {

inline constexpr std::size_t kRecordedTexts = 53;
/// Returns recorded text `index`; the texts differ in length and kind.
std::string recorded_text(std::size_t index);

inline constexpr std::size_t kRecordedImages = 12;
/// Returns recorded image `index`: black, white, ramps and coloured noise, between whose extremes all
/// photographs lie.
Image recorded_image(std::size_t index);

}  // namespace infer::inline v0
