#include "message/query.h"

#include <algorithm>
#include <utility>

#include "infer/core/invalid.h"
#include "message/fields.h"

namespace infer::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool form_decode(std::string text, std::string& out) {
  std::ranges::replace(text, '+', ' ');
  return percent_decode(text, out);
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name) {
  const std::string where = std::string(name) + ": in the query, ";
  std::optional<std::string> found;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string key;
    if (!form_decode(std::string(pair.substr(0, equals)), key) || key != name) continue;
    const std::string_view given = pair.substr(std::min(equals + 1, pair.size()));
    std::string value;
    if (!form_decode(std::string(given), value)) {
      return invalid(where + "'" + shown(given) +
                     "' has a percent-escape that is not % and two digits, or %00");
    }
    if (found && *found != value)
      return invalid(where + "given as '" + shown(*found) + "' and as '" + shown(value) + "'");
    found = std::move(value);
  }
  return found;
}

}  // namespace infer::http
