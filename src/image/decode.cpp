#include "infer/image/decode.h"

#include <cstdio>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "codecs.h"

namespace infer::inline v0 {
namespace {

std::string megapixels(std::size_t pixels) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g Mpx", static_cast<double>(pixels) / 1e6);
  return text;
}

Result<Image> decode(std::span<const std::uint8_t> bytes, std::optional<Background> background,
                     const DecodeLimits& limits) {
  auto info = probe_image(bytes);
  if (!info) return Unexpected(info.error());
  const std::string size = std::to_string(info->width) + " x " + std::to_string(info->height);
  if (info->width == 0 || info->height == 0)
    return fail(ErrorCode::kInvalidArgument, "image has no pixels: " + size);
  // Each side is below 2^32, so the product cannot overflow 64 bits.
  if (info->width * info->height > limits.max_pixels) {
    return fail(ErrorCode::kInvalidArgument,
                size + " is " + megapixels(info->width * info->height) + " and exceeds max_pixels " +
                    megapixels(limits.max_pixels),
                ErrorDetail::kTooLarge);
  }
  try {
#if INFER_WITH_LIBJPEG
    auto image = info->format == ImageFormat::kJpeg ? decode_jpeg_with_libjpeg(bytes, *info)
                                                    : decode_with_stb(bytes, *info, background);
#else
    auto image = decode_with_stb(bytes, *info, background);
#endif
    if (!image) return image;
    return apply_orientation(*std::move(image), info->orientation);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

}  // namespace

Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits) {
  return decode(bytes, std::nullopt, limits);
}

Result<Image> decode_image_over(std::span<const std::uint8_t> bytes, Background background,
                                const DecodeLimits& limits) {
  return decode(bytes, background, limits);
}

Image apply_orientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const std::size_t width = image.width;
  const std::size_t height = image.height;
  Image upright = transposed ? Image::uninitialised(height, width) : Image::uninitialised(width, height);
  // Where the stored pixel of upright column x and row y lies; EXIF 2.3 names the stored side that is the
  // visual top and left.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (std::size_t y = 0; y < upright.height; ++y) {
    std::uint8_t* out = upright.row(y);
    for (std::size_t x = 0; x < upright.width; ++x, out += Image::kChannels) {
      std::size_t from_x = transposed ? y : x;
      std::size_t from_y = transposed ? x : y;
      if (flip_x) from_x = width - 1 - from_x;
      if (flip_y) from_y = height - 1 - from_y;
      const std::uint8_t* in = image.row(from_y) + from_x * Image::kChannels;
      for (std::size_t c = 0; c < Image::kChannels; ++c) out[c] = in[c];
    }
  }
  return upright;
}

}  // namespace infer::inline v0
