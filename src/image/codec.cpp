#include "codec.h"

#include <array>
#include <string>
#include <vector>

namespace infer::inline v0 {
namespace {

std::span<const ImageCodec> codecs() noexcept {
  static const std::array table{jpeg_codec(), png_codec()};
  return table;
}

/// "JPEG, PNG nor WebP"
std::string known_formats() {
  std::string names;
  const auto all = codecs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) names += i + 1 < all.size() ? ", " : " nor ";
    names += all[i].about.name;
  }
  return names;
}

}  // namespace

const ImageCodec* find_codec(Bytes bytes) noexcept {
  for (const ImageCodec& codec : codecs()) {
    if (starts_with(bytes, codec.magic)) return &codec;
  }
  return nullptr;
}

std::span<const ImageFormatInfo> image_formats() {
  static const std::vector<ImageFormatInfo> formats_of_all = [] {
    std::vector<ImageFormatInfo> formats;
    for (const ImageCodec& codec : codecs()) formats.push_back(codec.about);
    return formats;
  }();
  return formats_of_all;
}

const ImageFormatInfo* image_format(std::span<const std::uint8_t> bytes) noexcept {
  const ImageCodec* const codec = find_codec(bytes);
  return codec != nullptr ? &codec->about : nullptr;
}

Result<ImageInfo> probe_image(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return undecodable("image is empty: 0 bytes");
  if (const ImageCodec* const codec = find_codec(bytes)) return codec->probe(bytes);
  const std::string_view other = other_format(bytes);
  return fail(ErrorCode::kInvalidArgument,
              "image is neither " + known_formats() +
                  (other.empty() ? std::string() : " (it looks like " + std::string(other) + ")"),
              other.empty() ? ErrorDetail::kNone : ErrorDetail::kUnsupportedType);
}

}  // namespace infer::inline v0
