#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infer::http {

/// One header field. Views of the text that it was read from.
struct Field {
  std::string_view name;
  std::string_view value;  ///< Without the blanks around it.
};

/// More fields than a client needs; bounds the work per message.
inline constexpr std::size_t kMaxFields = 100;

/// Whether `text` is a token (RFC 9110, section 5.6.2): a method, a field's name, a parameter's name.
bool is_token(std::string_view text) noexcept;
/// Whether the two differ in nothing but the case of ASCII letters.
bool equal_ignoring_case(std::string_view one, std::string_view other) noexcept;
/// Without the spaces and tabs at both ends.
std::string_view trimmed(std::string_view text) noexcept;
/// At most `most` characters of `text`, with '?' in the place of every byte that is not printable ASCII: for
/// messages.
std::string shown(std::string_view text, std::size_t most = 32);

/// The first element of a comma-separated list, which is removed from `list` and comes without its blanks.
std::string_view next_element(std::string_view& list) noexcept;
/// The value of the parameter `name` in "type/subtype; name=value; other=\"value\"", without its quotation
/// marks and backslashes. Nothing where it is absent.
std::optional<std::string> parameter(std::string_view value, std::string_view name);

/// The first field of that name, in any case of letters; null where there is none.
const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept;

/// Where the block of lines that ends with an empty line ends in `text`, or with the first line that no CR
/// ends, which `parse_fields` refuses; npos while bytes are missing. `seen` is where the last call stopped
/// looking, 0 at first.
std::size_t find_block_end(std::string_view text, std::size_t& seen) noexcept;

/// Reads the lines of `block`, up to and with the empty line that ends it, as RFC 9112, section 5 has them
/// and nothing else: a token, a colon, a value of visible characters, spaces and tabs; no folded line, no
/// bare LF or CR, no NUL. Returns what is wrong, "" for nothing.
std::string parse_fields(std::string_view block, std::vector<Field>& fields);

}  // namespace infer::http
