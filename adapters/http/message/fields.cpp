#include "message/fields.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace infer::http {
namespace {

using Table = std::array<bool, 256>;

constexpr Table token_characters() {
  Table table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr Table value_characters() {
  Table table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = c == '\t' || (c >= ' ' && c != 0x7F);
  return table;
}

constexpr Table kToken = token_characters();
constexpr Table kValue = value_characters();

bool all_of(const Table& table, std::string_view text) noexcept {
  return std::ranges::all_of(text, [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

}  // namespace

bool is_token(std::string_view text) noexcept { return !text.empty() && all_of(kToken, text); }

bool equal_ignoring_case(std::string_view one, std::string_view other) noexcept {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string shown(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string_view next_element(std::string_view& list) noexcept {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view element = trimmed(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at < value.size()) {
    ++at;  // skips the semicolon
    const std::size_t equals = value.find_first_of("=;", at);
    if (equals == std::string_view::npos || value[equals] == ';') {
      at = equals;
      continue;
    }
    const bool wanted = equal_ignoring_case(trimmed(value.substr(at, equals - at)), name);
    at = equals + 1;
    std::string found;
    if (at < value.size() && value[at] == '"') {
      for (++at; at < value.size() && value[at] != '"'; ++at) {
        if (value[at] == '\\' && at + 1 < value.size()) ++at;
        if (wanted) found += value[at];
      }
      if (at == value.size()) return std::nullopt;  // the closing quotation mark is missing
      at = value.find(';', at);
    } else {
      const std::size_t end = std::min(value.find(';', at), value.size());
      if (wanted) found = trimmed(value.substr(at, end - at));
      at = end;
    }
    if (wanted) return found;
  }
  return std::nullopt;
}

const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(fields, [&](const Field& field) { return equal_ignoring_case(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::size_t find_block_end(std::string_view text, std::size_t& seen) noexcept {
  while (seen < text.size()) {
    const void* found = std::memchr(text.data() + seen, '\n', text.size() - seen);
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    seen = at + 1;
    const bool bare = at == 0 || text[at - 1] != '\r';
    if (bare || (at >= 3 && text[at - 2] == '\n')) return seen;
  }
  seen = text.size();
  return std::string_view::npos;
}

std::string parse_fields(std::string_view block, std::vector<Field>& fields) {
  while (true) {
    const std::size_t end = block.find('\n');
    if (end == std::string_view::npos || end == 0 || block[end - 1] != '\r')
      return "header field: a line must end with CR LF";
    const std::string_view line = block.substr(0, end - 1);
    block.remove_prefix(end + 1);
    if (line.empty()) return block.empty() ? "" : "header field: bytes follow the empty line";
    if (line.front() == ' ' || line.front() == '\t')
      return "header field: a line must not begin with a blank (folded lines are obsolete)";
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "header field: '" + shown(line) + "' has no colon";
    const Field field{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_token(field.name))
      return "header field: '" + shown(field.name) +
             "' is not a valid name (use letters, digits and -, no blank)";
    if (!all_of(kValue, field.value))
      return "header field: the value of '" + shown(field.name) + "' contains a control character";
    fields.push_back(field);
  }
}

}  // namespace infer::http
