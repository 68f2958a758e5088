#include <charconv>
#include <optional>
#include <string_view>

#include "codec.h"

namespace infer::inline v0 {
namespace {

/// The header of a binary PPM (netpbm's ppm.5): "P6", width, height and 255, each followed by one white
/// space.
struct Header {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t begin = 0;  ///< Where the pixels begin.
};

std::optional<Header> read_header(Bytes bytes) {
  std::string_view rest = text_of(bytes).substr(2);
  std::size_t numbers[3] = {};
  for (std::size_t& number : numbers) {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\n')) rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (rest.empty() || numbers[2] != 255) return std::nullopt;
  return Header{numbers[0], numbers[1], bytes.size() - rest.size() + 1};
}

Result<ImageInfo> probe_ppm(Bytes bytes) {
  const auto header = read_header(bytes);
  if (!header) return undecodable("PPM header is not one of 8 bits per channel");
  ImageInfo info;
  info.width = header->width;
  info.height = header->height;
  return info;
}

Result<void> decode_ppm(Bytes bytes, Decoding& decoding) {
  const auto header = read_header(bytes);
  if (!header) return undecodable("PPM header is not one of 8 bits per channel");
  if ((bytes.size() - header->begin) / 3 / header->width < header->height)
    return undecodable("PPM is truncated");
  if (auto allocated = decoding.allocate(0); !allocated) return allocated;
  for (std::size_t y = 0; y < header->height; ++y) {
    if (const auto why = decoding.ended()) return Unexpected(decoding.error(*why));
    decoding.put(bytes.data() + header->begin + y * header->width * 3, header->width, y);
  }
  return {};
}

}  // namespace

ImageCodec ppm_codec() noexcept {
  return {{"PPM", "image/x-portable-pixmap", {".ppm"}}, "P6\n", probe_ppm, decode_ppm, nullptr};
}

}  // namespace infer::inline v0
