#include <climits>
#include <cstring>
#include <memory>
#include <string>

#include "codecs.h"

// Only the two formats that are read, so that nothing else can be reached by a client.
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace infer::inline v0 {

namespace {

using Pixels = std::unique_ptr<stbi_uc, void (*)(void*)>;

Result<Pixels> load(std::span<const std::uint8_t> bytes, const ImageInfo& info, int wanted_channels) {
  const char* format = info.format == ImageFormat::kPng ? "PNG: " : "JPEG: ";
  if (bytes.size() > INT_MAX)
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "more than 2 GiB");
  int width = 0;
  int height = 0;
  int channels = 0;
  Pixels pixels(stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height,
                                      &channels, wanted_channels),
                stbi_image_free);
  if (!pixels) return fail(ErrorCode::kInvalidArgument, std::string(format) + stbi_failure_reason());
  if (static_cast<std::size_t>(width) != info.width || static_cast<std::size_t>(height) != info.height) {
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "frame size changed");
  }
  return pixels;
}

}  // namespace

Result<Image> decode_with_stb(std::span<const std::uint8_t> bytes, const ImageInfo& info) {
  const auto pixels = load(bytes, info, 3);
  if (!pixels) return Unexpected(pixels.error());
  Image image = Image::uninitialised(info.width, info.height);
  std::memcpy(image.pixels.get(), pixels->get(), info.width * info.height * Image::kChannels);
  return image;
}

Result<std::optional<Image>> decode_png_over(std::span<const std::uint8_t> bytes, const ImageInfo& info,
                                             std::uint8_t background) {
  const auto pixels = load(bytes, info, 4);
  if (!pixels) return Unexpected(pixels.error());
  Image image = Image::uninitialised(info.width, info.height);
  bool transparent = false;
  const stbi_uc* from = pixels->get();
  std::uint8_t* to = image.pixels.get();
  for (std::size_t i = 0; i < info.width * info.height; ++i, from += 4, to += Image::kChannels) {
    const unsigned alpha = from[3];
    transparent = transparent || alpha < 255;
    for (std::size_t c = 0; c < Image::kChannels; ++c)
      to[c] = static_cast<std::uint8_t>((from[c] * alpha + background * (255 - alpha) + 127) / 255);
  }
  if (!transparent) return std::optional<Image>();
  return std::optional<Image>(std::move(image));
}

}  // namespace infer::inline v0
