#pragma once

#include <string_view>

#include "bytes.h"

namespace infer::inline v0 {

/// What stands before a TIFF structure in a JPEG's segment.
inline constexpr std::string_view kExifHeader("Exif\0\0", 6);

/// `segment` without the headers it begins with: some writers put several, and Pillow passes over them.
Bytes without_exif_headers(Bytes segment) noexcept;

/// The orientation in a TIFF structure (EXIF 2.3, section 4.6), 1 if there is none or it makes no sense.
int tiff_orientation(Bytes tiff) noexcept;

}  // namespace infer::inline v0
