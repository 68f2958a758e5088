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

Result<Image> decode_with_stb(std::span<const std::uint8_t> bytes, const ImageInfo& info,
                              std::optional<Background> background) {
  const char* format = info.format == ImageFormat::kPng ? "PNG: " : "JPEG: ";
  if (bytes.size() > INT_MAX)
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "more than 2 GiB");
  int width = 0;
  int height = 0;
  int channels = 0;
  const int wanted = background ? 4 : 3;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels,
                            wanted),
      stbi_image_free);
  if (!pixels) return fail(ErrorCode::kInvalidArgument, std::string(format) + stbi_failure_reason());
  if (static_cast<std::size_t>(width) != info.width || static_cast<std::size_t>(height) != info.height) {
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "frame size changed");
  }
  Image image = Image::uninitialised(info.width, info.height);
  const std::size_t count = info.width * info.height;
  if (!background) {
    std::memcpy(image.pixels.get(), pixels.get(), count * Image::kChannels);
    return image;
  }
  const unsigned ground = *background == Background::kWhite ? 255 : 0;
  const stbi_uc* in = pixels.get();
  std::uint8_t* out = image.pixels.get();
  for (std::size_t i = 0; i < count; ++i, in += 4) {
    for (std::size_t c = 0; c < Image::kChannels; ++c)
      *out++ = static_cast<std::uint8_t>((in[c] * in[3] + ground * (255U - in[3]) + 127) / 255);
  }
  return image;
}

}  // namespace infer::inline v0
