#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "codec.h"

namespace infer::inline v0 {
namespace {

/// Returns the format of a file in ISO's container, by the brand after "ftyp".
std::string_view container_format(std::string_view brand) {
  if (brand == "avif" || brand == "avis") return "AVIF";
  if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1" || brand == "msf1")
    return "HEIC";
  if (brand.starts_with("crx")) return "CR3";
  return "a video";
}

}  // namespace

std::string_view other_format(Bytes bytes) noexcept {
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
  if (bytes.size() < 12) return {};
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), 12);
  if (head.starts_with("RIFF")) return head.substr(8) == "WEBP" ? "WebP" : "another RIFF file";
  if (head.substr(4, 4) != "ftyp") return {};
  // Several formats have the brand mif1; AVIF files with it list the brand avif, too.
  const std::string_view brands(reinterpret_cast<const char*>(bytes.data()),
                                std::min<std::size_t>(bytes.size(), 64));
  if (head.substr(8) == "mif1" && brands.find("avif") != std::string_view::npos) return "AVIF";
  return container_format(head.substr(8));
}

}  // namespace infer::inline v0
