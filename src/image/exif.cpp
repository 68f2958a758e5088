#include "exif.h"

namespace infer::inline v0 {

Bytes without_exif_headers(Bytes segment) noexcept {
  while (starts_with(segment, kExifHeader)) segment = segment.subspan(kExifHeader.size());
  return segment;
}

int tiff_orientation(Bytes tiff) noexcept {
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

}  // namespace infer::inline v0
