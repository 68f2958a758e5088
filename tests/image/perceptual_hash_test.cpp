#include "infer/image/perceptual_hash.h"

#include <gtest/gtest.h>

#include "image/golden.h"
#include "infer/image/decode.h"
#include "infer/image/resize.h"

namespace infer {
namespace {

using testing::read_bytes;

Image photo(const testing::Golden& golden) { return decode_image(read_bytes(golden.encoded)).value(); }

TEST(PerceptualHash, IsThatOfAnIndependentComputationOnEveryPhotograph) {
  for (const auto& golden : testing::goldens("hash")) {
    const std::uint64_t expected = std::stoull(golden.pixels, nullptr, 16);
    // The reference computes in double and decodes with another build of the JPEG library.
    EXPECT_LE(hash_distance(perceptual_hash(photo(golden)), expected), 2) << golden.name;
  }
}

TEST(PerceptualHash, ChangesLittleWhenAPhotographIsRescaledAndMuchBetweenPhotographs) {
  const auto photos = testing::goldens("hash");
  const Image coffee = photo(testing::golden("coffee"));
  const Image half = resize_bicubic(coffee, coffee.width / 2, coffee.height / 2,
                                    {0, 0, coffee.width / 2, coffee.height / 2});
  EXPECT_LE(hash_distance(perceptual_hash(coffee), perceptual_hash(half)), 2);
  const Image rocket = photo(testing::golden("rocket"));
  EXPECT_GE(hash_distance(perceptual_hash(coffee), perceptual_hash(rocket)), 20);
}

TEST(PerceptualHash, APlainImageHasAHash) {
  Image plain = Image::uninitialised(1, 1);
  plain.pixels[0] = plain.pixels[1] = plain.pixels[2] = 128;
  EXPECT_EQ(perceptual_hash(plain), perceptual_hash(plain));
}

TEST(PerceptualHash, PlainPicturesGradientsAndNearlyPlainPagesHaveNoContent) {
  const auto picture = [](auto level) {
    Image image = Image::uninitialised(300, 400);
    for (std::size_t y = 0; y < 400; ++y) {
      for (std::size_t x = 0; x < 300; ++x) {
        for (std::size_t c = 0; c < 3; ++c) image.row(y)[x * 3 + c] = static_cast<std::uint8_t>(level(x, y));
      }
    }
    return image;
  };
  EXPECT_FALSE(content_hash(picture([](auto, auto) { return 200; })));
  EXPECT_FALSE(content_hash(picture([](auto, auto y) { return y / 2; })));
  EXPECT_FALSE(content_hash(picture([](auto x, auto y) { return y % 100 < 10 && x % 7 < 3 ? 0 : 255; })));
  EXPECT_FALSE(content_hash(picture([](auto x, auto y) { return y % 100 < 10 && x % 7 < 3 ? 255 : 0; })));
  for (const auto& golden : testing::goldens("hash")) {
    if (golden.name != "coffee" && golden.name != "china") continue;
    const Image photo = decode_image(testing::read_bytes(golden.encoded)).value();
    EXPECT_EQ(content_hash(photo), perceptual_hash(photo)) << golden.name;
  }
}

}  // namespace
}  // namespace infer
