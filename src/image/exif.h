#pragma once

#include <optional>
#include <string_view>

#include "bytes.h"

namespace infer::inline v0 {

/// What stands before a TIFF structure in a JPEG's segment.
inline constexpr std::string_view kExifHeader("Exif\0\0", 6);

/// `segment` without the headers it begins with: some writers put several, and Pillow passes over them.
Bytes without_exif_headers(Bytes segment) noexcept;

/// The orientation in a TIFF structure (EXIF 2.3, section 4.6), 1 if it makes no sense; nothing where there
/// is none.
std::optional<int> tiff_orientation(Bytes tiff) noexcept;

/// The orientation in an XMP packet (`tiff:Orientation`, as an attribute or an element), 1 if there is none
/// or it makes no sense. It counts where EXIF has none, as for Pillow.
int xmp_orientation(std::string_view packet) noexcept;

}  // namespace infer::inline v0
