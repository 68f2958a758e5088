#include "characters.h"

#include <utf8proc.h>

#include "unicode_8.h"

namespace infer::inline v0 {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

const utf8proc_property_t& property(std::uint32_t code_point) noexcept {
  return *utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
}

}  // namespace

CharacterClass character_class(std::uint32_t c) noexcept {
  if (c == '\t' || c == '\n' || c == '\r' || c == ' ') return CharacterClass::kSpace;
  if (c < 0x80) {
    if (c < 0x20 || c == 0x7F) return CharacterClass::kRemoved;
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return letter ? CharacterClass::kLetter : CharacterClass::kPunctuation;
  }
  if (c == kReplacement) return CharacterClass::kRemoved;
  switch (unicode_8(c)) {
    case Unicode8::kLetter:
    case Unicode8::kAccent:
      return CharacterClass::kLetter;
    case Unicode8::kPunctuation:
      return CharacterClass::kPunctuation;
    case Unicode8::kSame:
      break;
  }
  switch (property(c).category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return CharacterClass::kRemoved;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharacterClass::kSpace;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return CharacterClass::kPunctuation;
    default:
      return CharacterClass::kLetter;
  }
}

bool is_chinese(std::uint32_t c) noexcept {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_accent(std::uint32_t c) noexcept {
  if (c < 0x300) return false;
  const Unicode8 old = unicode_8(c);
  return old == Unicode8::kSame ? property(c).category == UTF8PROC_CATEGORY_MN : old == Unicode8::kAccent;
}

int decompose(std::uint32_t c, std::uint32_t (&out)[4]) noexcept {
  out[0] = c;
  if (c < 0xC0) return 1;
  const utf8proc_property_t& known = property(c);
  const bool hangul = c >= 0xAC00 && c < 0xAC00 + 11172;
  if (!hangul && (known.decomp_seqindex == UINT16_MAX || known.decomp_type != 0)) return 1;
  utf8proc_int32_t buffer[4];
  int last_class = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer, 4,
                                             static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE), &last_class);
  if (count < 1 || count > 4) return 1;
  for (utf8proc_ssize_t i = 0; i < count; ++i) out[i] = static_cast<std::uint32_t>(buffer[i]);
  return static_cast<int>(count);
}

int to_lower(std::uint32_t c, std::uint32_t (&out)[2]) noexcept {
  if (c == 0x130) {  // the one letter whose small form is two code points
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  out[0] = static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  return 1;
}

Decoded decode_utf8(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first >= 0xC2 && first < 0xE0 && tail(1)) return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (first >= 0xE0 && first < 0xF0 && tail(1) && tail(2)) {
    const std::uint32_t c = (first & 0xF) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) return {c, 3};
  }
  if (first >= 0xF0 && first < 0xF5 && tail(1) && tail(2) && tail(3)) {
    const std::uint32_t c =
        (first & 7) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (c >= 0x10000 && c <= 0x10FFFF) return {c, 4};
  }
  return {kReplacement, 1};
}

}  // namespace infer::inline v0
