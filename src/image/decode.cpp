#include "infer/image/decode.h"

#include <cstdio>
#include <new>
#include <string>
#include <utility>

#include "codec.h"
#include "decoding.h"

namespace infer::inline v0 {
namespace {

std::string megapixels(std::size_t pixels) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g Mpx", static_cast<double>(pixels) / 1e6);
  return text;
}

/// Reads the header and checks the size against the limits.
Result<ImageInfo> probe_within(std::span<const std::uint8_t> bytes, const DecodeLimits& limits) {
  auto info = probe_image(bytes);
  if (!info) return info;
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
  return info;
}

}  // namespace

Result<std::optional<Image>> decode_over(std::span<const std::uint8_t> bytes, std::uint8_t background,
                                         const DecodeLimits& limits, const StopCondition& until) {
  const auto info = probe_within(bytes, limits);
  if (!info) return Unexpected(info.error());
  const ImageCodec& codec = *find_codec(bytes);
  if (codec.decode_over == nullptr) return std::optional<Image>();
  try {
    Decoding decoding(*info, limits, until);
    auto transparent = codec.decode_over(bytes, background, decoding);
    if (!transparent) return Unexpected(transparent.error());
    return *transparent ? std::optional<Image>(decoding.finish()) : std::optional<Image>();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits,
                           const StopCondition& until) {
  const auto info = probe_within(bytes, limits);
  if (!info) return Unexpected(info.error());
  try {
    Decoding decoding(*info, limits, until);
    const auto decoded = find_codec(bytes)->decode(bytes, decoding);
    if (!decoded) return Unexpected(decoded.error());
    return decoding.finish();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Image apply_orientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  Image upright = orientation >= 5 ? Image::uninitialised(image.height, image.width)
                                   : Image::uninitialised(image.width, image.height);
  const UprightWriter writer(upright, image.width, image.height, orientation);
  for (std::size_t y = 0; y < image.height; ++y) writer.put(image.row(y), image.width, y);
  upright.lease = std::move(image.lease);
  return upright;
}

}  // namespace infer::inline v0
