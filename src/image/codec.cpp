#include "codec.h"

#include <array>
#include <string>
#include <vector>

namespace infer::inline v0 {

// Each row stands in the source file of its format.
ImageCodec jpeg_codec() noexcept;
ImageCodec png_codec() noexcept;

namespace {

/// All codecs. To add one, add its source file, its row here, and the file to src/CMakeLists.txt.
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

std::span<const ImageFormat> image_formats() {
  static const std::vector<ImageFormat> formats_of_all = [] {
    std::vector<ImageFormat> formats;
    for (const ImageCodec& codec : codecs()) formats.push_back(codec.about);
    return formats;
  }();
  return formats_of_all;
}

const ImageFormat* image_format(std::span<const std::uint8_t> bytes) noexcept {
  const ImageCodec* const codec = find_codec(bytes);
  return codec != nullptr ? &codec->about : nullptr;
}

Result<ImageInfo> probe_image(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return undecodable("image is empty: 0 bytes");
  if (const ImageCodec* const codec = find_codec(bytes)) {
    auto info = codec->probe(bytes);
    if (info) info->format = codec->about.name;
    return info;
  }
  const std::string_view other = other_format(bytes);
  return fail(ErrorCode::kInvalidArgument,
              "image is neither " + known_formats() +
                  (other.empty() ? std::string() : " (it looks like " + std::string(other) + ")"),
              other.empty() ? ErrorDetail::kNone : ErrorDetail::kUnsupportedType);
}

}  // namespace infer::inline v0
