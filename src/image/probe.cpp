#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infer/image/decode.h"

namespace infer::inline v0 {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kExif("Exif\0\0", 6);

constexpr std::array<std::uint8_t, 8> kPngMagic{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::array<std::uint8_t, 3> kJpegMagic{0xFF, 0xD8, 0xFF};

bool starts_with(Bytes bytes, Bytes prefix) {
  return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool starts_with(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

std::uint32_t big16(Bytes b, std::size_t at) { return static_cast<std::uint32_t>(b[at] << 8 | b[at + 1]); }
std::uint32_t big32(Bytes b, std::size_t at) { return big16(b, at) << 16 | big16(b, at + 2); }

/// The orientation in a TIFF structure (EXIF 2.3, section 4.6), 1 if there is none or it makes no sense.
int tiff_orientation(Bytes tiff) {
  constexpr std::uint32_t kOrientation = 0x0112;
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return 1;
  const auto get16 = [&](std::size_t at) -> std::uint32_t {
    return little ? static_cast<std::uint32_t>(tiff[at] | tiff[at + 1] << 8) : big16(tiff, at);
  };
  const auto get32 = [&](std::size_t at) -> std::uint32_t {
    return little ? get16(at) | get16(at + 2) << 16 : big32(tiff, at);
  };
  const std::size_t directory = get32(4);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = get16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * 12;
    if (at + 12 > tiff.size()) return 1;
    if (get16(at) != kOrientation) continue;
    const std::uint32_t value = get16(at + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Unexpected undecodable(const std::string& why) { return fail(ErrorCode::kInvalidArgument, why); }

Result<ImageInfo> probe_png(Bytes bytes) {
  if (bytes.size() < 33 || std::memcmp(bytes.data() + 12, "IHDR", 4) != 0)
    return undecodable("PNG is truncated");
  ImageInfo info;
  info.format = ImageFormat::kPng;
  info.width = big32(bytes, 16);
  info.height = big32(bytes, 20);
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = big32(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const char* type = reinterpret_cast<const char*>(bytes.data() + at + 4);
    if (std::memcmp(type, "eXIf", 4) == 0) {
      Bytes exif = bytes.subspan(at + 8, length);
      while (starts_with(exif, kExif)) exif = exif.subspan(kExif.size());  // some writers put a JPEG's header
      info.orientation = tiff_orientation(exif);
    }
    if (std::memcmp(type, "IEND", 4) == 0) break;
    at += length + 12;
  }
  return info;
}

bool is_frame_header(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Walks the marker segments up to the frame header (ITU-T T.81, annex B).
Result<ImageInfo> probe_jpeg(Bytes bytes) {
  ImageInfo info;
  info.format = ImageFormat::kJpeg;
  std::vector<std::uint8_t> exif;
  std::size_t at = 2;
  while (true) {
    while (at < bytes.size() && bytes[at] != 0xFF) ++at;
    while (at < bytes.size() && bytes[at] == 0xFF) ++at;
    if (at >= bytes.size()) return undecodable("JPEG is truncated: it has no frame header");
    const std::uint8_t marker = bytes[at++];
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;  // no segment follows
    if (marker == 0xD9 || marker == 0xDA) return undecodable("JPEG has no frame header before its data");
    if (at + 2 > bytes.size()) return undecodable("JPEG is truncated: it has no frame header");
    const std::size_t length = big16(bytes, at);
    if (length < 2 || length > bytes.size() - at)
      return undecodable("JPEG is truncated: a segment passes the end");
    const Bytes segment = bytes.subspan(at + 2, length - 2);
    if (is_frame_header(marker)) {
      if (segment.size() < 6) return undecodable("JPEG frame header is too short");
      info.height = big16(segment, 1);
      info.width = big16(segment, 3);
      info.orientation = tiff_orientation(exif);
      return info;
    }
    if (marker == 0xE1 && starts_with(segment, kExif)) {
      // As Pillow does: the segments are one text, and each further header in a segment is passed over.
      Bytes part = segment.subspan(kExif.size());
      while (starts_with(part, kExif)) part = part.subspan(kExif.size());
      exif.insert(exif.end(), part.begin(), part.end());
    }
    at += length;
  }
}

/// The kind of a file of ISO's container, by the brand that follows "ftyp".
std::string_view container_format(std::string_view brand) {
  if (brand == "avif" || brand == "avis") return "AVIF";
  if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1" || brand == "msf1")
    return "HEIC";
  if (brand.starts_with("crx")) return "CR3";
  return "a video";
}

std::optional<std::string_view> other_format(Bytes bytes) {
  using Magic = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Magic, 15> kOthers{{
      {"GIF8", "GIF"},
      {"BM", "BMP"},
      {std::string_view("II*\0", 4), "TIFF"},
      {std::string_view("MM\0*", 4), "TIFF"},
      {std::string_view("II+\0", 4), "BigTIFF"},
      {std::string_view("MM\0+", 4), "BigTIFF"},
      {"%PDF", "PDF"},
      {"8BPS", "PSD"},
      {std::string_view("\0\0\1\0", 4), "ICO"},
      {"\xFF\x0A", "JPEG XL"},
      {std::string_view("\0\0\0\x0CJXL ", 8), "JPEG XL"},
      {std::string_view("\0\0\0\x0CjP  ", 8), "JPEG 2000"},
      {"\xFF\x4F\xFF\x51", "JPEG 2000"},
      {"<svg", "SVG"},
      {"<?xml", "XML or SVG"},
  }};
  for (const auto& [magic, name] : kOthers) {
    if (starts_with(bytes, magic)) return name;
  }
  if (bytes.size() < 12) return std::nullopt;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), 12);
  if (head.starts_with("RIFF")) return head.substr(8) == "WEBP" ? "WebP" : "another RIFF file";
  if (head.substr(4, 4) != "ftyp") return std::nullopt;
  // The brand mif1 says little; AVIF files that begin with it name avif among those that follow.
  const std::string_view brands(reinterpret_cast<const char*>(bytes.data()),
                                std::min<std::size_t>(bytes.size(), 64));
  if (head.substr(8) == "mif1" && brands.find("avif") != std::string_view::npos) return "AVIF";
  return container_format(head.substr(8));
}

}  // namespace

Result<ImageInfo> probe_image(Bytes bytes) {
  if (bytes.empty()) return undecodable("image is empty: 0 bytes");
  if (starts_with(bytes, Bytes(kJpegMagic))) return probe_jpeg(bytes);
  if (starts_with(bytes, Bytes(kPngMagic))) return probe_png(bytes);
  const auto other = other_format(bytes);
  return fail(ErrorCode::kInvalidArgument,
              "image is neither JPEG nor PNG" +
                  (other ? " (it looks like " + std::string(*other) + ")" : std::string()),
              other ? ErrorDetail::kUnsupportedType : ErrorDetail::kNone);
}

}  // namespace infer::inline v0
