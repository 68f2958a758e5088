#include "exif.h"

namespace infer::inline v0 {

Bytes without_exif_headers(Bytes segment) noexcept {
  while (starts_with(segment, kExifHeader)) segment = segment.subspan(kExifHeader.size());
  return segment;
}

std::optional<int> tiff_orientation(Bytes tiff) noexcept {
  constexpr std::uint32_t kOrientation = 0x0112;
  if (tiff.size() < 8) return std::nullopt;
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return std::nullopt;
  const auto get16 = [&](std::size_t at) -> std::uint32_t {
    return little ? static_cast<std::uint32_t>(tiff[at] | tiff[at + 1] << 8) : big16(tiff, at);
  };
  const auto get32 = [&](std::size_t at) -> std::uint32_t {
    return little ? get16(at) | get16(at + 2) << 16 : big32(tiff, at);
  };
  const std::size_t directory = get32(4);
  if (directory > tiff.size() - 2) return std::nullopt;
  const std::size_t entries = get16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * 12;
    if (at + 12 > tiff.size()) return std::nullopt;
    if (get16(at) != kOrientation) continue;
    const std::uint32_t value = get16(at + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return std::nullopt;
}

int xmp_orientation(std::string_view packet) noexcept {
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = packet.find(kName); at != std::string_view::npos; at = packet.find(kName)) {
    packet.remove_prefix(at + kName.size());
    std::string_view value = packet;
    if (value.starts_with("=\"")) {
      value.remove_prefix(2);
    } else if (value.starts_with('>')) {
      value.remove_prefix(1);
    } else {
      continue;
    }
    if (value.empty() || value[0] < '0' || value[0] > '9') continue;
    return value[0] >= '1' && value[0] <= '8' ? value[0] - '0' : 1;
  }
  return 1;
}

}  // namespace infer::inline v0
