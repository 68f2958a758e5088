#include "printable.h"

#include <algorithm>

#include "engine/utf8.h"

namespace infer::cli {
namespace {

std::string hexadecimal(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

/// Returns `text` with each character as `shown` returns it, and unprintable bytes as \xNN.
template <class Shown>
std::string escaped(std::string_view text, const Shown& shown) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, length));
    if (length > 0 && !steers_display(code_point(text, length))) {
      out += shown(character);
    } else {
      out += hexadecimal(character);
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return escaped(text, [](std::string_view character) { return character; });
}

std::string printable_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find_first_of("\n\t");
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += text[end];
    text.remove_prefix(end + 1);
  }
}

std::string printable_column(std::string_view text, std::size_t width, std::size_t most) {
  std::string out;
  std::size_t characters = 0;
  const std::string whole = printable(text);
  for (std::string_view rest = whole; !rest.empty() && characters < most; ++characters) {
    const std::size_t length = utf8_length(rest);
    out += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return out.append(width - std::min(width, characters), ' ');
}

std::string shell_path(std::string_view path) {
  std::string whole = (path.starts_with('-') ? "./" : "") + std::string(path);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,:@%").find(c) != std::string_view::npos;
  };
  if (!whole.empty() && std::ranges::all_of(whole, is_plain)) return whole;
  if (printable(whole) == whole) {
    return "'" + escaped(whole, [](std::string_view c) { return c == "'" ? "'\\''" : c; }) + "'";
  }
  return "$'" + escaped(whole, [](std::string_view c) { return c == "'"    ? "\\'"
                                                               : c == "\\" ? "\\\\"
                                                                           : c; }) +
         "'";
}

}  // namespace infer::cli
