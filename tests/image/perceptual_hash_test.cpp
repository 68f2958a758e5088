#include "infer/image/perceptual_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "image/golden.h"
#include "infer/image/color_layout.h"
#include "infer/image/decode.h"
#include "infer/image/resize.h"

namespace infer {
namespace {

using testing::read_bytes;

Image photo(const testing::Golden& golden) { return decode_image(read_bytes(golden.encoded)).value(); }

TEST(PerceptualHash, IsThatOfAnIndependentComputationOnEveryPhotograph) {
  for (const auto& golden : testing::goldens("hash")) {
    const std::uint64_t expected = std::stoull(golden.pixels, nullptr, 16);
    // The reference computes in double precision and decodes with another build of the JPEG library.
    EXPECT_LE(hash_distance(perceptual_hash(photo(golden)).value(), expected), 2) << golden.name;
  }
}

TEST(PerceptualHash, ChangesLittleWhenAPhotographIsRescaledAndMuchBetweenPhotographs) {
  const auto photos = testing::goldens("hash");
  const Image coffee = photo(testing::golden("coffee"));
  const Image half = resize_bicubic(coffee, coffee.width / 2, coffee.height / 2,
                                    {0, 0, coffee.width / 2, coffee.height / 2});
  EXPECT_LE(hash_distance(perceptual_hash(coffee).value(), perceptual_hash(half).value()), 2);
  EXPECT_LE(color_distance(color_layout(coffee), color_layout(half)), 2);
  const Image rocket = photo(testing::golden("rocket"));
  EXPECT_GE(hash_distance(perceptual_hash(coffee).value(), perceptual_hash(rocket).value()), 20);
}

/// A page of one colour with the noise of a sensor or scanner.
Image page(std::size_t width, std::size_t height, int level, int noise, unsigned seed) {
  std::mt19937 random(seed);
  Image image = Image::uninitialised(width, height);
  for (std::size_t i = 0; i < width * height * Image::kChannels; ++i) {
    const int value =
        level + (noise == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(2 * noise + 1)) - noise);
    image.pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
  }
  return image;
}

void fill(Image& image, std::size_t x, std::size_t y, std::size_t width, std::size_t height,
          std::uint8_t level) {
  for (std::size_t row = y; row < y + height; ++row)
    std::fill_n(image.row(row) + x * Image::kChannels, width * Image::kChannels, level);
}

TEST(ColorLayout, HasTheColoursOfEachSixtyFourthWithoutTheirBrightness) {
  Image image = page(400, 400, 0, 0, 0);
  for (std::size_t y = 0; y < 400; ++y) {
    for (std::size_t x = 0; x < 400; ++x) image.row(y)[3 * x + (x < 200 ? 0 : 2)] = 255;  // red, then blue
  }
  const ColorLayout layout = color_layout(image);
  for (std::size_t row = 0; row < layout.size(); row += 16) {
    EXPECT_NEAR(layout[row], -43, 1);       // Cb of pure red
    EXPECT_EQ(layout[row + 1], 127);        // Cr of pure red
    EXPECT_EQ(layout[row + 14], 127);       // Cb of pure blue
    EXPECT_NEAR(layout[row + 15], -21, 1);  // Cr of pure blue
  }
  EXPECT_EQ(color_layout(page(64, 48, 77, 0, 0)), ColorLayout{});
  EXPECT_EQ(color_distance(layout, ColorLayout{}), 127);
}

TEST(PerceptualHash, PicturesWithoutContentHaveNone) {
  EXPECT_FALSE(perceptual_hash(page(1, 1, 128, 0, 0)));
  for (const int level : {0, 1, 128, 250, 255}) {
    EXPECT_FALSE(perceptual_hash(page(640, 480, level, 0, 0))) << level;
    EXPECT_FALSE(perceptual_hash(page(640, 480, level, 12, 1))) << level;
    EXPECT_FALSE(perceptual_hash(page(64, 48, level, 3, 1))) << level;
  }
  Image numbered = page(800, 1100, 255, 2, 3);  // an empty page with its number
  fill(numbered, 395, 1050, 10, 16, 0);
  EXPECT_FALSE(perceptual_hash(numbered));
  Image gradient = page(256, 256, 0, 0, 0);
  for (std::size_t x = 0; x < 256; ++x) fill(gradient, x, 0, 1, 256, static_cast<std::uint8_t>(x));
  EXPECT_FALSE(perceptual_hash(gradient));
}

TEST(PerceptualHash, DrawingsHaveOne) {
  Image drawing = page(400, 400, 255, 0, 0);
  fill(drawing, 50, 60, 120, 200, 0);
  fill(drawing, 220, 30, 90, 70, 90);
  fill(drawing, 250, 210, 100, 130, 40);
  EXPECT_TRUE(perceptual_hash(drawing));
}

}  // namespace
}  // namespace infer
