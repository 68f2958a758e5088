#include "infer/image/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "golden.h"
#include "image/codecs.h"

namespace infer {
namespace {

using testing::Bytes;
using testing::Golden;

struct Difference {
  int worst = 0;
  double mean = 0;
};

Difference difference(const Image& image, const Bytes& expected) {
  Difference out;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const int d = std::abs(int{image.pixels[i]} - int{expected[i]});
    out.worst = std::max(out.worst, d);
    out.mean += d;
  }
  out.mean /= static_cast<double>(expected.size());
  return out;
}

TEST(Decode, EveryKindGivesThePixelsOfPillow) {
  for (const Golden& golden : testing::goldens("kind")) {
    const auto image = decode_image(testing::read_bytes(golden.encoded));
    ASSERT_TRUE(image) << golden.name << ": " << image.error().message;
    ASSERT_EQ(image->width, golden.width) << golden.name;
    ASSERT_EQ(image->height, golden.height) << golden.name;
    EXPECT_LE(difference(*image, testing::read_bytes(golden.pixels)).worst, 1) << golden.name;
  }
}

TEST(Decode, StbReadsTheSameKindsWithinItsOwnRounding) {
  for (const Golden& golden : testing::goldens("kind")) {
    const Bytes bytes = testing::read_bytes(golden.encoded);
    const auto info = probe_image(bytes).value();
    auto stored = decode_with_stb(bytes, info);
    ASSERT_TRUE(stored) << golden.name << ": " << stored.error().message;
    const Image image = apply_orientation(*std::move(stored), info.orientation);
    // stb's colour upsampling and inverse cosine transform differ from libjpeg's by a few levels.
    const bool jpeg = info.format == ImageFormat::kJpeg;
    const Difference found = difference(image, testing::read_bytes(golden.pixels));
    EXPECT_LE(found.worst, jpeg ? 24 : 0) << golden.name;
    EXPECT_LE(found.mean, 1.5) << golden.name;
  }
}

TEST(Decode, TheHeaderAloneTellsSizeAndOrientation) {
  const auto info = probe_image(testing::read_bytes(testing::golden("jpeg-orientation-6").encoded)).value();
  EXPECT_EQ(info.width, 101u);
  EXPECT_EQ(info.height, 67u);
  EXPECT_EQ(info.orientation, 6);
}

TEST(Decode, ATruncatedFileIsAnErrorAtEveryLength) {
  for (const char* name : {"jpeg", "jpeg-progressive", "png-rgb"}) {
    const Bytes whole = testing::read_bytes(testing::golden(name).encoded);
    for (std::size_t length = 0; length + 64 < whole.size(); length += 37) {
      const auto image = decode_image(std::span(whole).first(length));
      ASSERT_FALSE(image) << name << " cut at " << length << " of " << whole.size();
      EXPECT_EQ(image.error().code, ErrorCode::kInvalidArgument);
    }
  }
}

TEST(Decode, FlippedBitsNeverCrash) {
  std::mt19937 random(7);
  for (const Golden& golden : testing::goldens("kind")) {
    const Bytes whole = testing::read_bytes(golden.encoded);
    for (int round = 0; round < 60; ++round) {
      Bytes damaged = whole;
      for (int flip = 0; flip < 8; ++flip)
        damaged[random() % damaged.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
      (void)decode_image(damaged);
      const auto info = probe_image(damaged);
      if (info && info->width * info->height < 1'000'000 && info->width * info->height > 0) {
        (void)decode_with_stb(damaged, *info);
      }
    }
  }
}

TEST(Decode, TheSizeIsCheckedOnTheHeaderBeforeAnythingIsAllocated) {
  Bytes bomb = testing::read_bytes(testing::golden("png-rgb").encoded);
  const Bytes side{0, 0, 0xEA, 0x60};  // 60,000
  std::copy(side.begin(), side.end(), bomb.begin() + 16);
  std::copy(side.begin(), side.end(), bomb.begin() + 20);
  const auto image = decode_image(bomb);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().detail, ErrorDetail::kTooLarge);
  EXPECT_EQ(image.error().message, "60000 x 60000 is 3600 Mpx and exceeds max_pixels 50 Mpx");
  const auto small = decode_image(testing::read_bytes(testing::golden("jpeg").encoded), DecodeLimits{100});
  EXPECT_EQ(small.error().detail, ErrorDetail::kTooLarge);
}

TEST(Decode, OtherFormatsAreNamed) {
  const auto message = [](std::string_view text) {
    const Bytes bytes(text.begin(), text.end());
    return decode_image(bytes).error();
  };
  EXPECT_EQ(message("GIF89a........").message, "image is neither JPEG nor PNG (it looks like GIF)");
  EXPECT_EQ(message("BM............").message, "image is neither JPEG nor PNG (it looks like BMP)");
  EXPECT_EQ(message("GIF89a........").detail, ErrorDetail::kUnsupportedType);
  EXPECT_EQ(message("hello, world").message, "image is neither JPEG nor PNG");
  EXPECT_EQ(message("").message, "image is empty: 0 bytes");
  // The 18 bytes of a TGA header that would make a lenient reader allocate gigabytes.
  const Bytes tga{0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0x7F, 0xFF, 0x7F, 24, 0};
  EXPECT_EQ(decode_image(tga).error().code, ErrorCode::kInvalidArgument);
}

TEST(Decode, FormatsOfPhonesAndTheWebAreNamed) {
  const auto message = [](std::string_view text) {
    return decode_image(Bytes(text.begin(), text.end())).error().message;
  };
  using namespace std::string_view_literals;
  EXPECT_NE(message("\0\0\0\x18"
                    "ftypheic\0\0\0\0mif1heic"sv)
                .find("HEIC"),
            std::string::npos);
  EXPECT_NE(message("\0\0\0\x1c"
                    "ftypmif1\0\0\0\0mif1avifmiaf"sv)
                .find("AVIF"),
            std::string::npos);
  EXPECT_NE(message("RIFF\x10\0\0\0WEBPVP8 "sv).find("WebP"), std::string::npos);
  EXPECT_EQ(message("RIFF\x10\0\0\0WAVEfmt "sv).find("WebP"), std::string::npos);
  EXPECT_NE(message("MM\0*\0\0\0\x08"sv).find("TIFF"), std::string::npos);
}

TEST(Decode, DoubledExifHeadersAndSegmentsAreReadAsPillowDoes) {
  const Bytes plain = testing::read_bytes(testing::golden("jpeg").encoded);
  using namespace std::string_literals;
  const std::string exif = "Exif\0\0"s;
  const std::string little = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"s;
  const std::string big = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  const auto orientation = [&](const std::vector<std::string>& segments) {
    Bytes bytes(plain.begin(), plain.begin() + 2);
    for (const std::string& segment : segments) {
      const std::size_t length = segment.size() + 2;
      bytes.insert(bytes.end(), {0xFF, 0xE1, static_cast<std::uint8_t>(length >> 8),
                                 static_cast<std::uint8_t>(length & 255)});
      bytes.insert(bytes.end(), segment.begin(), segment.end());
    }
    bytes.insert(bytes.end(), plain.begin() + 2, plain.end());
    return probe_image(bytes).value().orientation;
  };
  for (const std::string& tiff : {little, big}) {
    EXPECT_EQ(orientation({exif + tiff}), 6);
    EXPECT_EQ(orientation({exif + exif + tiff}), 6) << "a doubled header";
    EXPECT_EQ(orientation({exif + tiff, exif + tiff}), 6) << "a doubled segment";
    EXPECT_EQ(orientation({exif, exif + tiff}), 6) << "an empty one first";
    EXPECT_EQ(orientation({exif + tiff.substr(0, 12), exif + tiff.substr(12)}), 6) << "split";
  }
}

TEST(Decode, OrientationTurnsPixelsAsExifSays) {
  // Stored 2 x 3 pixels, numbered row by row in the red channel.
  const auto stored = [] {
    Image image = Image::uninitialised(2, 3);
    for (std::size_t i = 0; i < 6; ++i) {
      image.pixels[i * 3] = static_cast<std::uint8_t>(i);
      image.pixels[i * 3 + 1] = image.pixels[i * 3 + 2] = 0;
    }
    return image;
  };
  const std::vector<std::vector<int>> upright{{0, 1, 2, 3, 4, 5}, {1, 0, 3, 2, 5, 4}, {5, 4, 3, 2, 1, 0},
                                              {4, 5, 2, 3, 0, 1}, {0, 2, 4, 1, 3, 5}, {4, 2, 0, 5, 3, 1},
                                              {5, 3, 1, 4, 2, 0}, {1, 3, 5, 0, 2, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image = apply_orientation(stored(), orientation);
    EXPECT_EQ(image.width, orientation >= 5 ? 3u : 2u);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(image.pixels[i * 3], upright[static_cast<std::size_t>(orientation - 1)][i]) << orientation;
    }
  }
}

}  // namespace
}  // namespace infer
