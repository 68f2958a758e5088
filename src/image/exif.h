#pragma once

#include <optional>
#include <string_view>

#include "bytes.h"

namespace infer::inline v0 {

/// The header before a TIFF structure in a JPEG segment.
inline constexpr std::string_view kExifHeader("Exif\0\0", 6);

/// Returns `segment` without the headers at its start: some writers put several, and Pillow skips them all.
Bytes without_exif_headers(Bytes segment) noexcept;

/// Returns the orientation in a TIFF structure (EXIF 2.3, section 4.6), 1 if it is invalid; empty if there is
/// none.
std::optional<int> tiff_orientation(Bytes tiff) noexcept;

/// Returns the orientation in an XMP packet (`tiff:Orientation`, an attribute or an element), 1 if it is
/// missing or invalid. As in Pillow, it counts only if EXIF has no orientation.
int xmp_orientation(std::string_view packet) noexcept;

}  // namespace infer::inline v0
