#include "png_text.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>

namespace infer::inline v0 {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 20;

std::string unpack(std::string_view packed) {
  std::string text(std::min(kMaxText, packed.size() * 1032 + 64),
                   '\0');  // zlib compresses 1032:1 at most
  uLongf size = static_cast<uLongf>(text.size());
  const int status =
      uncompress(reinterpret_cast<Bytef*>(text.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                 static_cast<uLong>(packed.size()));
  text.resize(status == Z_OK ? size : 0);
  return text;
}

/// Removes the field before the first NUL, and the NUL, from `text` and returns the field; empty, with `text`
/// unchanged, if there is no NUL.
std::optional<std::string_view> take_field(std::string_view& text) noexcept {
  const std::size_t end = text.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end + 1);
  return field;
}

int hex_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string_view> png_text_keyword(std::string_view type, Bytes chunk) noexcept {
  if (type != "tEXt" && type != "zTXt" && type != "iTXt") return std::nullopt;
  std::string_view rest = text_of(chunk);
  return take_field(rest);
}

std::string png_text(std::string_view type, Bytes chunk) {
  std::string_view rest = text_of(chunk);
  if (!take_field(rest)) return {};
  if (type == "tEXt") return std::string(rest.substr(0, kMaxText));
  bool packed = true;
  if (type == "iTXt") {
    if (rest.size() < 2) return {};
    packed = rest[0] != 0;
    if (packed && rest[1] != 0) return {};  // a compression method other than zlib
    rest.remove_prefix(2);
    if (!take_field(rest) || !take_field(rest)) return {};  // the language, and the translated keyword
  } else {
    if (rest.empty() || rest[0] != 0) return {};
    rest.remove_prefix(1);
  }
  return packed ? unpack(rest) : std::string(rest.substr(0, kMaxText));
}

std::string raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    const int digit = hex_digit(c);
    if (digit < 0) return {};
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

}  // namespace infer::inline v0
