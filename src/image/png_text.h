#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bytes.h"

namespace infer::inline v0 {

/// Returns the keyword of a text chunk of a PNG (tEXt, zTXt or iTXt; PNG 1.2, section 4.2.3); empty for a
/// chunk of another kind. `type` has four characters.
std::optional<std::string_view> png_text_keyword(std::string_view type, Bytes chunk) noexcept;

/// Returns the unpacked text of a chunk that has a keyword; empty if it is broken or longer than 1 MiB, which
/// is Pillow's limit.
std::string png_text(std::string_view type, Bytes chunk);

/// Returns the bytes of "Raw profile type exif", in which ImageMagick stores EXIF as text: three lines, then
/// hexadecimal digits. Empty if the text has another form.
std::string raw_profile(std::string_view text);

}  // namespace infer::inline v0
