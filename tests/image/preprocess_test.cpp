#include "infer/image/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "golden.h"
#include "infer/image/decode.h"
#include "infer/image/resize.h"

namespace infer {
namespace {

using testing::Golden;

TEST(Preprocess, EveryPixelOfEveryPhotographIsThatOfPillow) {
  const ImagePreprocess options;
  for (const Golden& golden : testing::goldens("photo")) {
    const auto image = decode_image(testing::read_bytes(golden.encoded));
    ASSERT_TRUE(image) << golden.name << ": " << image.error().message;
    const auto expected = testing::read_bytes(golden.pixels);
    ASSERT_EQ(expected.size(), 224u * 224 * 3);
    std::vector<float> found(3 * 224 * 224);
    preprocess_image(*image, options, found);
    double worst_levels = 0;
    for (std::size_t i = 0; i < 224 * 224; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        const double reference = (expected[i * 3 + c] / 255.0 - options.mean[c]) / options.std[c];
        const double off =
            std::abs(static_cast<double>(found[c * 224 * 224 + i]) - reference) * options.std[c] * 255.0;
        worst_levels = std::max(worst_levels, off);
      }
    }
    // The limit is one level of 255. On these photographs, the difference is zero.
    EXPECT_LE(worst_levels, 0.01) << golden.name;
  }
}

TEST(Preprocess, AnImageOfOnePixelFillsTheInput) {
  Image image = Image::uninitialised(1, 1);
  image.pixels[0] = image.pixels[1] = image.pixels[2] = 128;
  std::vector<float> out(3 * 224 * 224);
  const ImagePreprocess options;
  preprocess_image(image, options, out);
  for (std::size_t c = 0; c < 3; ++c) {
    const float expected = (128 / 255.0F - options.mean[c]) / options.std[c];
    EXPECT_EQ(out[c * 224 * 224], expected);
    EXPECT_EQ(out[(c + 1) * 224 * 224 - 1], expected);
  }
}

TEST(Preprocess, ExtremeShapesStayInBounds) {
  const ImagePreprocess options;
  std::vector<float> out(3 * 224 * 224);
  for (const auto& [width, height] :
       {std::pair<std::size_t, std::size_t>{1, 5000}, {5000, 1}, {223, 225}, {225, 223}, {3, 2}}) {
    Image image = Image::uninitialised(width, height);
    std::fill_n(image.pixels.get(), width * height * 3, std::uint8_t{200});
    preprocess_image(image, options, out);
    const float expected = (200 / 255.0F - options.mean[0]) / options.std[0];
    EXPECT_EQ(out.front(), expected) << width << " x " << height;
    EXPECT_EQ(out[224 * 224 - 1], expected) << width << " x " << height;
  }
}

// When 2045 pixels are resized to 3053, the middle lies so close to the edge of the kernel that five source
// pixels count there, one more than elsewhere.
TEST(Resize, APictureOfOneColourStaysSoThoughRoundingLetsOneMorePixelCount) {
  Image image = Image::uninitialised(2045, 150);
  std::fill_n(image.pixels.get(), image.width * image.height * Image::kChannels, std::uint8_t{200});
  const CropBox crop{1414, 0, 224, 224};
  const Image out = resize_bicubic(image, 3053, 224, crop);
  const std::span pixels(out.pixels.get(), out.width * out.height * Image::kChannels);
  EXPECT_TRUE(std::ranges::all_of(pixels, [](std::uint8_t value) { return value == 200; }));
}

TEST(Resize, ACropOfTheResultIsTheResultOfTheCrop) {
  const auto golden = testing::golden("jpeg");
  const auto image = decode_image(testing::read_bytes(golden.encoded)).value();
  const Image whole = resize_bicubic(image, 50, 40, {0, 0, 50, 40});
  const Image part = resize_bicubic(image, 50, 40, {7, 5, 20, 30});
  for (std::size_t y = 0; y < 30; ++y) {
    for (std::size_t x = 0; x < 20 * 3; ++x) ASSERT_EQ(part.row(y)[x], whole.row(y + 5)[7 * 3 + x]);
  }
}

}  // namespace
}  // namespace infer
