#pragma once

#include <cstddef>
#include <string>

#include "infer/image/image.h"

namespace infer::inline v0 {

inline constexpr std::size_t kRecordedTexts = 53;
/// Text `index` of the recorded ones: several lengths and kinds.
std::string recorded_text(std::size_t index);

inline constexpr std::size_t kRecordedImages = 12;
/// Image `index` of the recorded ones: black, white, ramps and coloured noise, extremes that no photograph
/// leaves the range of.
Image recorded_image(std::size_t index);

}  // namespace infer::inline v0
