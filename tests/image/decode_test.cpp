#include "infer/image/decode.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "encode.h"
#include "golden.h"

namespace infer {
namespace {

using testing::Bytes;
using testing::Golden;
using testing::PngKind;
using testing::write_jpeg;
using testing::write_png;

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

TEST(Decode, TheFirstBytesTellTheFormatWhateverTheNameSays) {
  for (const Golden& golden : testing::goldens("kind")) {
    const Bytes whole = testing::read_bytes(golden.encoded);
    const auto* const format = image_format(std::span(whole).first(16));
    ASSERT_NE(format, nullptr) << golden.name;
    EXPECT_EQ(format->name, probe_image(whole)->format) << golden.name;
    EXPECT_EQ(format->name, golden.name.starts_with("jpeg") ? "JPEG" : "PNG") << golden.name;
  }
  for (const std::string other : {"", "\xFF", "GIF89a", "\x89PN", "a text of several words"}) {
    EXPECT_EQ(image_format({reinterpret_cast<const std::uint8_t*>(other.data()), other.size()}), nullptr);
  }
}

TEST(Decode, EachFormatHasAMediaTypeAndExtensionsOfItsOwn) {
  std::set<std::string_view> seen;
  for (const ImageFormat& format : image_formats()) {
    EXPECT_TRUE(seen.insert(format.media_type).second) << format.name;
    for (const std::string_view extension : format.extensions) {
      if (extension.empty()) continue;
      EXPECT_TRUE(seen.insert(extension).second) << extension;
    }
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
      (void)decode_over(damaged, 255);
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
  // The 18 bytes of a TGA header that would make a lenient decoder allocate gigabytes.
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
    EXPECT_EQ(orientation({exif, exif + tiff}), 6) << "an empty segment first";
    EXPECT_EQ(orientation({exif + tiff.substr(0, 12), exif + tiff.substr(12)}), 6) << "split";
  }
}

TEST(Decode, XmpSaysTheOrientationWhereExifDoesNot) {
  const Bytes plain = testing::read_bytes(testing::golden("png-rgb").encoded);
  using namespace std::string_literals;
  const auto chunk = [](const std::string& type, const std::string& data) {  // no decoder checks the checksum
    std::string bytes = {0, 0, static_cast<char>(data.size() >> 8), static_cast<char>(data.size() & 255)};
    return bytes + type + data + "\0\0\0\0"s;
  };
  const auto orientation = [&](const std::string& chunks) {
    Bytes bytes(plain.begin(), plain.begin() + 33);
    bytes.insert(bytes.end(), chunks.begin(), chunks.end());
    bytes.insert(bytes.end(), plain.begin() + 33, plain.end());
    return probe_image(bytes).value().orientation;
  };
  const auto xmp = [&](const std::string& packet) {
    return chunk("iTXt", "XML:com.adobe.xmp\0\0\0en\0\0"s + packet);
  };
  const std::string tiff = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  const std::string empty = "MM\0*\0\0\0\x08\0\0\0\0\0\0"s;
  EXPECT_EQ(orientation(xmp("<a tiff:Orientation=\"8\"/>")), 8);
  EXPECT_EQ(orientation(xmp("<tiff:Orientation>3</tiff:Orientation>")), 3);
  EXPECT_EQ(orientation(xmp("tiff:Orientation='7' tiff:Orientation=\"5\"")), 5)
      << "the first chunk with an orientation counts";
  EXPECT_EQ(orientation(xmp("tiff:Orientation=\"2\"") + xmp("tiff:Orientation=\"4\"")), 4)
      << "the last chunk counts";
  EXPECT_EQ(orientation(xmp("tiff:Orientation=\"8\"") + chunk("eXIf", tiff)), 6) << "EXIF counts";
  EXPECT_EQ(orientation(xmp("tiff:Orientation=\"8\"") + chunk("eXIf", empty)), 8)
      << "EXIF without an orientation does not count";
  for (const std::string_view packet : {"tiff:Orientation=\"9\"", "tiff:Orientation=\"0\"",
                                        "tiff:Orientation=\"", "tiff:Orientation", "tiff:Orientation>", ""})
    EXPECT_EQ(orientation(xmp(std::string(packet))), 1) << packet;
  for (const std::string& data :
       {"XML:com.adobe.xmp"s, "XML:com.adobe.xmp\0"s, "XML:com.adobe.xmp\0\1\0\0\0rubbish"s,
        "XML:com.adobe.xmp\0\1\7\0\0tiff:Orientation=\"8\""s})
    EXPECT_EQ(orientation(chunk("iTXt", data)), 1) << data;
  const auto profile = [&](const std::string& text) {
    return chunk("tEXt", "Raw profile type exif\0"s + text);
  };
  std::string digits;
  for (const char c : tiff) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    digits += {kDigits[byte >> 4], kDigits[byte & 15], '\n'};
  }
  EXPECT_EQ(orientation(profile("\nexif\n      26\n" + digits)), 6);
  EXPECT_EQ(orientation(profile("\nexif\n      26\n" + digits) + chunk("eXIf", empty)), 1)
      << "the PNG's own chunk counts";
  for (const std::string& text : {"\nexif"s, "\nexif\n 1\n4D4"s, "\nexif\n 1\nno hex"s})
    EXPECT_EQ(orientation(profile(text)), 1) << text;
}

TEST(Decode, OrientationTurnsPixelsAsExifSays) {
  // Stored as 2 x 3 pixels, numbered row by row in the red channel.
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

/// Returns a sample for any position, equal in each kind of file.
unsigned sample(std::size_t x, std::size_t y, std::size_t channel, int depth) {
  const auto mixed = static_cast<unsigned>(x * 2654435761U + y * 40503U + channel * 97U + (x ^ y) * 31U);
  return (mixed >> 7) & ((1U << depth) - 1);
}

TEST(Decode, EveryDepthOfPngInterlacedOrNotGivesItsHighByte) {
  struct Case {
    int color_type;
    std::vector<int> depths;
    std::size_t channels;
  };
  const std::vector<Case> cases{{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}, 1},
                                {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}, 2},
                                {PNG_COLOR_TYPE_RGB, {8, 16}, 3},
                                {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}, 4},
                                {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}, 1}};
  for (const auto& [color_type, depths, channels] : cases) {
    for (const int depth : depths) {
      for (const bool interlaced : {false, true}) {
        // Sizes that leave passes of an interlaced image empty, and sizes that do not.
        for (const auto& [width, height] :
             {std::pair<std::size_t, std::size_t>{1, 1}, {2, 5}, {5, 1}, {19, 23}}) {
          PngKind kind{color_type, depth, interlaced};
          const bool palette = color_type == PNG_COLOR_TYPE_PALETTE;
          for (unsigned i = 0; palette && i < 1U << depth; ++i) {
            kind.palette.push_back({static_cast<png_byte>(3 * i), static_cast<png_byte>(5 * i + 1),
                                    static_cast<png_byte>(255 - i)});
          }
          const auto at = [&, bits = depth](std::size_t x, std::size_t y, std::size_t c) {
            return sample(x, y, c, bits);
          };
          const auto image = decode_image(write_png(width, height, kind, at));
          ASSERT_TRUE(image) << image.error().message;
          for (std::size_t i = 0; i < width * height * 3; ++i) {
            const std::size_t x = i / 3 % width;
            const std::size_t y = i / 3 / width;
            const unsigned value = at(x, y, channels < 3 ? 0 : i % 3);
            unsigned expected = depth == 16 ? value >> 8 : value * 255 / ((1U << depth) - 1);
            if (palette) {
              const png_color& color = kind.palette[value];
              expected = i % 3 == 0 ? color.red : i % 3 == 1 ? color.green : color.blue;
            }
            ASSERT_EQ(image->pixels[i], expected)
                << "type " << color_type << ", depth " << depth << ", interlaced " << interlaced << ", "
                << width << " x " << height << " at " << x << ", " << y;
          }
        }
      }
    }
  }
}

TEST(Decode, OrientationsOfInterlacedPngsAndOfEachKindTurnThePixelsAlike) {
  const auto at = [](std::size_t x, std::size_t y, std::size_t c) { return sample(x, y, c, 8); };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool interlaced : {false, true}) {
      PngKind kind{PNG_COLOR_TYPE_RGB, 8, interlaced};
      const Image upright = apply_orientation(decode_image(write_png(19, 11, kind, at)).value(), orientation);
      kind.orientation = orientation;
      const Image image = decode_image(write_png(19, 11, kind, at)).value();
      ASSERT_EQ(image.width, upright.width);
      EXPECT_TRUE(std::equal(image.pixels.get(), image.pixels.get() + 19 * 11 * 3, upright.pixels.get()))
          << orientation << ", interlaced " << interlaced;
    }
  }
}

TEST(Decode, WhatIsTransparentLetsTheBackgroundThrough) {
  for (const int depth : {8, 16}) {
    for (const bool interlaced : {false, true}) {
      const auto at = [&](std::size_t x, std::size_t y, std::size_t c) { return sample(x, y, c, depth); };
      const auto over =
          decode_over(write_png(19, 23, {PNG_COLOR_TYPE_RGB_ALPHA, depth, interlaced}, at), 200).value();
      ASSERT_TRUE(over);
      for (std::size_t i = 0; i < 19 * 23 * 3; ++i) {
        const auto high = [&](std::size_t c) { return at(i / 3 % 19, i / 3 / 19, c) >> (depth - 8); };
        const unsigned alpha = high(3);
        ASSERT_EQ(over->pixels[i], (high(i % 3) * alpha + 200 * (255 - alpha) + 127) / 255) << depth;
      }
    }
  }
  const PngKind palette{PNG_COLOR_TYPE_PALETTE, 1, false, 1, {{10, 20, 30}, {40, 50, 60}}, {0, 255}};
  const auto over =
      decode_over(write_png(2, 1, palette, [](std::size_t x, auto, auto) { return unsigned(x); }), 99);
  const std::vector<int> expected{99, 99, 99, 40, 50, 60};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(over.value()->pixels[i], expected[i]);
  const auto opaque = [](std::size_t x, std::size_t, std::size_t c) { return c == 3 ? 255U : unsigned(x); };
  EXPECT_FALSE(decode_over(write_png(9, 9, {PNG_COLOR_TYPE_RGB_ALPHA}, opaque), 99).value());
  EXPECT_FALSE(decode_over(write_png(9, 9, {PNG_COLOR_TYPE_RGB}, opaque), 99).value());
}

/// A clock that advances on each query, and then runs a given function.
class SteppingClock final : public Clock {
 public:
  explicit SteppingClock(std::function<void(int)> step = [](int) {}) : step_(std::move(step)) {}
  TimePoint now() const noexcept override {
    step_(++asked_);
    return TimePoint(std::chrono::milliseconds(asked_));
  }
  void wait_until(std::condition_variable&, std::unique_lock<std::mutex>&, TimePoint) const override {}
  int asked() const { return asked_; }

 private:
  std::function<void(int)> step_;
  mutable int asked_ = 0;
};

/// One image for each way to decode, with many rows.
std::vector<std::pair<const char*, Bytes>> tall_images() {
  const auto at = [](std::size_t x, std::size_t y, std::size_t c) { return sample(x, y, c, 8); };
  return {{"png", write_png(16, 2000, {}, at)},
          {"interlaced png", write_png(16, 2000, {PNG_COLOR_TYPE_RGB, 8, true}, at)},
          {"turned png", write_png(16, 2000, {PNG_COLOR_TYPE_RGB, 8, false, 6}, at)},
          {"jpeg", write_jpeg(16, 16'000, 1)},
          {"progressive jpeg", write_jpeg(16, 4000, 10)}};
}

TEST(Decode, ADeadlineThatHasPassedCostsNoDecoding) {
  for (const auto& [name, bytes] : tall_images()) {
    const SteppingClock clock;
    DecodeLimits limits{.budget = std::make_shared<DecodeBudget>(1)};
    const auto image = decode_image(bytes, limits, {.deadline = TimePoint(), .clock = &clock});
    EXPECT_EQ(image.error().code, ErrorCode::kDeadlineExceeded) << name;
    EXPECT_EQ(image.error().message, "deadline passed");
    EXPECT_EQ(clock.asked(), 1) << name << ": checked before memory is allocated";
  }
}

TEST(Decode, ADeadlineThatPassesMeanwhileEndsTheDecoding) {
  for (const auto& [name, bytes] : tall_images()) {
    const SteppingClock clock;
    const StopCondition until{.deadline = TimePoint(std::chrono::milliseconds(100)), .clock = &clock};
    EXPECT_EQ(decode_image(bytes, {}, until).error().code, ErrorCode::kDeadlineExceeded) << name;
    EXPECT_EQ(clock.asked(), 100) << name;
  }
}

TEST(Decode, AStopFromAnotherThreadEndsTheDecoding) {
  for (const auto& [name, bytes] : tall_images()) {
    std::stop_source stop;
    const SteppingClock clock([&stop](int asked) {
      if (asked == 50) std::thread([&] { stop.request_stop(); }).join();
    });
    const StopCondition until{TimePoint::max() - std::chrono::hours(1), stop.get_token(), &clock};
    const auto image = decode_image(bytes, {}, until);
    EXPECT_EQ(image.error().code, ErrorCode::kCancelled) << name;
    EXPECT_EQ(clock.asked(), 50) << name;
  }
}

TEST(Decode, TheBudgetCoversPixelsAndCoefficientsAndThenThePixelsAlone) {
  const auto at = [](std::size_t, std::size_t, std::size_t) { return 0U; };
  struct Case {
    const char* name;
    Bytes bytes;
    double bytes_per_pixel;
  };
  const std::vector<Case> cases{
      {"16-bit png", write_png(1000, 1000, {PNG_COLOR_TYPE_RGB_ALPHA, 16, false}, at), 3},
      {"interlaced png", write_png(1000, 1000, {PNG_COLOR_TYPE_RGB_ALPHA, 16, true}, at), 3},
      {"turned png", write_png(1000, 1000, {PNG_COLOR_TYPE_RGB, 8, false, 6}, at), 3},
      {"jpeg", write_jpeg(1000, 1000, 1), 3},
      {"progressive jpeg", write_jpeg(1000, 1000, 10), 3 + 2 * 3}};
  for (const auto& [name, bytes, per_pixel] : cases) {
    DecodeLimits limits{.budget = std::make_shared<DecodeBudget>(100'000'000)};
    std::size_t most = 0;
    const SteppingClock clock([&](int) { most = std::max(most, limits.budget->used_bytes()); });
    const StopCondition until{.deadline = TimePoint::max() - std::chrono::hours(1), .clock = &clock};
    {
      const auto image = decode_image(bytes, limits, until);
      ASSERT_TRUE(image) << name << ": " << image.error().message;
      EXPECT_GE(most, static_cast<std::size_t>(per_pixel * 1e6)) << name;
      EXPECT_LE(most, static_cast<std::size_t>(per_pixel * 1e6 * 1.2)) << name;
      EXPECT_EQ(limits.budget->used_bytes(), 3'000'000u) << name << ": the pixels alone";
    }
    EXPECT_EQ(limits.budget->used_bytes(), 0u) << name;
  }
}

TEST(Decode, WhatExceedsTheBudgetIsRefusedByNameBeforeItIsAllocated) {
  DecodeLimits limits{.budget = std::make_shared<DecodeBudget>(1'000'000)};
  const auto refused = decode_image(write_jpeg(1000, 1000, 1), limits);
  EXPECT_EQ(refused.error().detail, ErrorDetail::kTooLarge);
  EXPECT_EQ(refused.error().message.find("1000 x 1000: 3"), 0u) << refused.error().message;
  EXPECT_NE(refused.error().message.find(" bytes to decode exceed max_decode_bytes 1000000"),
            std::string::npos);
}

TEST(Decode, ErrorsGiveTheMemoryBack) {
  DecodeLimits limits{.budget = std::make_shared<DecodeBudget>(100'000'000)};
  for (const auto& [name, whole] : tall_images()) {
    EXPECT_FALSE(decode_image(std::span(whole).first(whole.size() / 2), limits)) << name;
    EXPECT_EQ(limits.budget->used_bytes(), 0u) << name;
  }
}

TEST(Decode, TheScansOfAJpegAreBounded) {
  for (const int scans : {2, 10, 20, 30, 32}) EXPECT_TRUE(decode_image(write_jpeg(64, 64, scans))) << scans;
  for (const int scans : {33, 199}) {
    const SteppingClock clock;
    const StopCondition until{.deadline = TimePoint::max() - std::chrono::hours(1), .clock = &clock};
    const auto refused = decode_image(write_jpeg(16, 16'000, scans), {}, until);
    ASSERT_FALSE(refused) << scans;
    EXPECT_EQ(refused.error().message, "JPEG: more than 32 scans");
    // 2,000 rows of blocks in each scan.
    EXPECT_LE(clock.asked(), 33 * 2001) << "the other scans are not read";
  }
}

/// Returns a zlib stream of this many zeros.
Bytes packed_zeros(std::size_t count) {
  const Bytes zeros(count);
  uLongf size = compressBound(zeros.size());
  Bytes packed(size);
  EXPECT_EQ(compress2(packed.data(), &size, zeros.data(), zeros.size(), 1), Z_OK);
  packed.resize(size);
  return packed;
}

TEST(Decode, ChunksThatAreNoPixelsCostNothing) {
  // 60 MB of zeros as a profile and as a text, which a decoder that unpacked them would have to hold.
  const Bytes packed = packed_zeros(60'000'000);
  const auto named = [&](std::string_view head) {
    Bytes chunk(head.begin(), head.end());
    chunk.insert(chunk.end(), packed.begin(), packed.end());
    return chunk;
  };
  using namespace std::string_view_literals;
  PngKind kind;
  kind.chunks = {{"iCCP", named("icc\0\0"sv)}, {"zTXt", named("Comment\0\0"sv)}, {"gAMA", {0, 0, 0, 1}}};
  const auto at = [](std::size_t x, std::size_t y, std::size_t c) { return sample(x, y, c, 8); };
  const auto plain = decode_image(write_png(19, 23, {}, at));
  const auto image = decode_image(write_png(19, 23, kind, at));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(std::equal(image->pixels.get(), image->pixels.get() + 19 * 23 * 3, plain->pixels.get()));
}

TEST(Decode, WhatFollowsTheLastRowOfAPngIsNotUnpackedToItsEnd) {
  for (const bool interlaced : {false, true}) {
    PngKind kind;
    kind.interlaced = interlaced;
    const Bytes plain = write_png(5, 3, kind, [](std::size_t, std::size_t, std::size_t) { return 0U; });
    // The same pixels, followed by 300 MB of zeros in the same stream.
    const Bytes packed = packed_zeros(300'000'000);
    constexpr std::size_t kHead = 8 + 25;  // the signature and IHDR
    Bytes image(plain.begin(), plain.begin() + kHead);
    const auto put = [&](std::uint32_t value) {
      for (const int shift : {24, 16, 8, 0}) image.push_back(static_cast<std::uint8_t>(value >> shift));
    };
    put(static_cast<std::uint32_t>(packed.size()));
    const std::size_t chunk = image.size();
    for (const char c : {'I', 'D', 'A', 'T'}) image.push_back(static_cast<std::uint8_t>(c));
    image.insert(image.end(), packed.begin(), packed.end());
    put(static_cast<std::uint32_t>(crc32(0, image.data() + chunk, static_cast<uInt>(image.size() - chunk))));
    image.insert(image.end(), plain.end() - 12, plain.end());
    const auto refused = decode_image(image);
    ASSERT_FALSE(refused) << "interlaced: " << interlaced;
    EXPECT_EQ(refused.error().message, "PNG: more data than pixels");
  }
}

TEST(Decode, APngWithASideOfMoreThanAMillionIsRefusedByName) {
  const auto at = [](std::size_t, std::size_t, std::size_t) { return 0U; };
  const auto refused = decode_image(write_png(1'000'001, 1, {PNG_COLOR_TYPE_GRAY, 1}, at));
  EXPECT_EQ(refused.error().detail, ErrorDetail::kTooLarge);
  EXPECT_EQ(refused.error().message, "PNG: 1000001 x 1 has a side of more than 1000000 pixels");
  EXPECT_TRUE(decode_image(write_png(1'000'000, 1, {PNG_COLOR_TYPE_GRAY, 1}, at)));
}

TEST(Decode, ADamagedPngIsNamedAsOne) {
  const auto at = [](std::size_t x, std::size_t y, std::size_t c) { return sample(x, y, c, 8); };
  Bytes bytes = write_png(19, 23, {}, at);
  EXPECT_EQ(decode_image(std::span(bytes).first(bytes.size() / 2)).error().message, "PNG: truncated");
  bytes[bytes.size() / 2] ^= 0x40;
  const auto damaged = decode_image(bytes);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().message.find("PNG: "), 0u) << damaged.error().message;
}

}  // namespace
}  // namespace infer
