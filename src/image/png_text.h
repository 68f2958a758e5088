#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bytes.h"

namespace infer::inline v0 {

/// The chunk of text of a PNG (tEXt, zTXt or iTXt; PNG 1.2, section 4.2.3) that has a keyword; nothing where
/// the chunk is of another kind. `type` has four characters.
std::optional<std::string_view> png_text_keyword(std::string_view type, Bytes chunk) noexcept;

/// The text of a chunk that has a keyword, unpacked; empty where it is broken, or longer than the MiB that
/// Pillow takes.
std::string png_text(std::string_view type, Bytes chunk);

/// The bytes of "Raw profile type exif", ImageMagick's way to keep EXIF in a text: three lines, then
/// hexadecimal digits. Empty where they are not.
std::string raw_profile(std::string_view text);

}  // namespace infer::inline v0
