#include "infer/image/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "infer/image/resize.h"

namespace infer::inline v0 {
namespace {

/// Rounds like Python's round(), which torchvision's CenterCrop uses: halves go to the even neighbour.
std::size_t round_half_even(double value) { return static_cast<std::size_t>(std::nearbyint(value)); }

struct Plan {
  std::size_t width;
  std::size_t height;
  CropBox crop;
};

/// Plans the resize of the shorter edge to `size`, with the longer edge truncated, and the crop of the
/// centre.
Plan plan(const Image& image, std::size_t size) {
  const auto longer = [&](std::size_t edge, std::size_t shorter) {
    return std::max(size, size * edge / shorter);
  };
  Plan out{size, size, {0, 0, size, size}};
  if (image.width <= image.height) {
    out.height = longer(image.height, image.width);
  } else {
    out.width = longer(image.width, image.height);
  }
  out.crop.left = round_half_even(static_cast<double>(out.width - size) / 2.0);
  out.crop.top = round_half_even(static_cast<double>(out.height - size) / 2.0);
  return out;
}

}  // namespace

void preprocess_image(const Image& image, const ImagePreprocess& options, std::span<float> out) {
  const std::size_t size = options.size;
  const Plan target = plan(image, size);
  const Image resized = resize_bicubic(image, target.width, target.height, target.crop);
  // A channel has 256 values, so a table can hold the exact floats of ToTensor and Normalize.
  std::array<std::array<float, 256>, Image::kChannels> table;
  for (std::size_t c = 0; c < Image::kChannels; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0F - options.mean[c]) / options.std[c];
    }
  }
  const std::size_t plane = size * size;
  const std::uint8_t* pixel = resized.pixels.get();
  float* red = out.data();
  float* green = red + plane;
  float* blue = green + plane;
  for (std::size_t i = 0; i < plane; ++i, pixel += Image::kChannels) {
    red[i] = table[0][pixel[0]];
    green[i] = table[1][pixel[1]];
    blue[i] = table[2][pixel[2]];
  }
}

}  // namespace infer::inline v0
