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

Result<Image> decode_with_stb(std::span<const std::uint8_t> bytes, const ImageInfo& info) {
  const char* format = info.format == ImageFormat::kPng ? "PNG: " : "JPEG: ";
  if (bytes.size() > INT_MAX)
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "more than 2 GiB");
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels, 3),
      stbi_image_free);
  if (!pixels) return fail(ErrorCode::kInvalidArgument, std::string(format) + stbi_failure_reason());
  if (static_cast<std::size_t>(width) != info.width || static_cast<std::size_t>(height) != info.height) {
    return fail(ErrorCode::kInvalidArgument, std::string(format) + "frame size changed");
  }
  Image image = Image::uninitialised(info.width, info.height);
  std::memcpy(image.pixels.get(), pixels.get(), info.width * info.height * Image::kChannels);
  return image;
}

}  // namespace infer::inline v0
