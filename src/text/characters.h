#pragma once

#include <cstdint>
#include <string_view>

namespace infer::inline v0 {

/// What the BERT tokenizer does with a code point.
enum class CharacterClass : std::uint8_t { kLetter, kSpace, kPunctuation, kRemoved };

/// The class after cleaning: control and unassigned characters are removed.
CharacterClass character_class(std::uint32_t code_point) noexcept;
/// One of the blocks that BERT treats as Chinese: each such character is a word.
bool is_chinese(std::uint32_t code_point) noexcept;
/// A mark that stripping accents takes away.
bool is_accent(std::uint32_t code_point) noexcept;
/// The canonical decomposition, up to four code points; returns how many.
int decompose(std::uint32_t code_point, std::uint32_t (&out)[4]) noexcept;
/// The small letter, up to two code points; returns how many.
int to_lower(std::uint32_t code_point, std::uint32_t (&out)[2]) noexcept;

/// The code point that `text` begins with, and its length in bytes. Where no valid UTF-8 begins, the code
/// point is U+FFFD and the length 1.
struct Decoded {
  std::uint32_t code_point;
  std::uint32_t length;
};
Decoded decode_utf8(std::string_view text) noexcept;

}  // namespace infer::inline v0
