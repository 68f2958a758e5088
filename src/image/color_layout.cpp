#include "infer/image/color_layout.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "infer/image/resize.h"

namespace infer::inline v0 {

ColorLayout color_layout(const Image& image) {
  constexpr std::size_t kGrid = 8;
  const Image small = resize_bicubic(image, kGrid, kGrid, {0, 0, kGrid, kGrid});
  ColorLayout layout{};
  std::size_t at = 0;
  for (std::size_t y = 0; y < kGrid; ++y) {
    const std::uint8_t* pixel = small.row(y);
    for (std::size_t x = 0; x < kGrid; ++x, pixel += Image::kChannels) {
      const float red = pixel[0];
      const float green = pixel[1];
      const float blue = pixel[2];
      for (const float value : {-0.168736F * red - 0.331264F * green + 0.5F * blue,
                                0.5F * red - 0.418688F * green - 0.081312F * blue}) {
        layout[at++] = static_cast<std::int8_t>(std::clamp(std::lround(value), -128L, 127L));
      }
    }
  }
  return layout;
}

int color_distance(const ColorLayout& a, const ColorLayout& b) noexcept {
  int most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

}  // namespace infer::inline v0
