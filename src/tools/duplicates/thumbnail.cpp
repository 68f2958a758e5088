#include "infer/tools/thumbnail.h"

#include <algorithm>
#include <span>
#include <vector>

#include "infer/image/resize.h"
#include "tools/folder/photo_reader.h"

// Only this file includes stb_image_write, so its functions are static.
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace infer::inline v0::tools {
namespace {

constexpr std::size_t kLongerEdge = 240;
constexpr int kQuality = 82;

}  // namespace

std::vector<std::uint8_t> thumbnail(const Image& image) {
  const std::size_t longer = std::max({image.width, image.height, std::size_t{1}});
  const std::size_t to = std::min(longer, kLongerEdge);
  const std::size_t width = std::max<std::size_t>(1, image.width * to / longer);
  const std::size_t height = std::max<std::size_t>(1, image.height * to / longer);
  const Image small = resize_bicubic(image, width, height, {0, 0, width, height});
  std::vector<std::uint8_t> jpeg;
  stbi_write_jpg_to_func(
      [](void* out, void* data, int size) {
        const auto bytes = std::span(static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size));
        auto& target = *static_cast<std::vector<std::uint8_t>*>(out);
        target.insert(target.end(), bytes.begin(), bytes.end());
      },
      &jpeg, static_cast<int>(width), static_cast<int>(height), 3, small.pixels.get(), kQuality);
  return jpeg;
}

Result<std::vector<std::uint8_t>> thumbnail_of(const std::string& path, const DecodeLimits& limits) {
  const auto bytes = read_photo(path);
  if (!bytes) return Unexpected(bytes.error());
  const auto image = decode_image(*bytes, limits);
  if (!image) return Unexpected(image.error());
  return thumbnail(*image);
}

}  // namespace infer::inline v0::tools
