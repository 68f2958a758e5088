#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infer::http {

/// One header field, as views of the text that was parsed.
struct Field {
  std::string_view name;
  std::string_view value;  ///< Without surrounding blanks.
};

/// Maximum number of fields of a message, which limits the work for a message.
inline constexpr std::size_t kMaxFields = 100;

/// Whether `text` is a token (RFC 9110, section 5.6.2): a method, a field's name, a parameter's name.
bool is_token(std::string_view text) noexcept;
/// Whether the two texts are equal, ignoring the case of ASCII letters.
bool equal_ignoring_case(std::string_view one, std::string_view other) noexcept;
/// Returns `text` without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text) noexcept;
/// Returns at most `most` characters of `text` for a message, with '?' for every byte that is not printable
/// ASCII.
std::string shown(std::string_view text, std::size_t most = 32);

/// Removes the first element of a comma-separated list and returns it without surrounding blanks.
std::string_view next_element(std::string_view& list) noexcept;
/// Returns the value of the parameter `name` in "type/subtype; name=value; other=\"value\"", without
/// quotation marks and backslashes, or nothing if it is absent.
std::optional<std::string> parameter(std::string_view value, std::string_view name);

/// Returns the first field of that name, ignoring case, or null.
const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept;

/// Returns where the block of lines that ends with an empty line ends in `text`, or npos while bytes are
/// missing. A line without CR also ends the block, so that `parse_fields` can refuse it. `seen` is 0 at
/// first and remembers where the last call stopped.
std::size_t find_block_end(std::string_view text, std::size_t& seen) noexcept;

/// Parses the lines of `block` including the final empty line, strictly by RFC 9112, section 5: a token, a
/// colon, a value of visible characters, spaces and tabs. Refuses folded lines, bare LF or CR, and NUL.
/// Returns what is wrong, or "".
std::string parse_fields(std::string_view block, std::vector<Field>& fields);

}  // namespace infer::http
