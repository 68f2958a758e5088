#include "shell_word.h"

#include <algorithm>

namespace infer::cli {
namespace {

bool is_plain(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

std::string shell_word(std::string_view path) {
  const std::string whole = (path.starts_with('-') ? "./" : "") + std::string(path);
  const bool plain = std::all_of(whole.begin(), whole.end(), is_plain);
  std::string text;
  for (const char c : whole) {
    if (c == '\'') {
      text += "'\\''";
    } else if (plain || (is_plain(c) && c != '\\')) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += "\\0";  // as printf's %b reads it: always three octal digits
      for (const int shift : {6, 3, 0}) text += static_cast<char>('0' + ((byte >> shift) & 7));
    }
  }
  return plain ? "'" + text + "'" : "\"$(printf %b '" + text + "')\"";
}

}  // namespace infer::cli
