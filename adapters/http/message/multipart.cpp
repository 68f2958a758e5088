#include "message/multipart.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "infer/core/invalid.h"
#include "message/fields.h"

namespace infer::http {
namespace {

constexpr std::size_t kMaxBoundary = 70;
/// Maximum size of one part's header, in bytes.
constexpr std::size_t kMaxPartHeader = 4096;

/// A line that separates parts.
struct Delimiter {
  std::size_t begin = 0;  ///< Includes the CR LF before the line.
  std::size_t end = 0;
  bool last = false;
};

/// Whether a delimiter begins with the dashes at `dashes`. Sets the end of `found`.
bool is_delimiter(std::string_view body, std::size_t dashes, std::string_view boundary, Delimiter& found) {
  std::size_t at = dashes + 2;
  if (body.substr(dashes, 2) != "--" || body.substr(at, boundary.size()) != boundary) return false;
  at += boundary.size();
  found.last = body.substr(at, 2) == "--";
  if (found.last) {
    found.end = at + 2;
    return true;
  }
  while (at < body.size() && (body[at] == ' ' || body[at] == '\t')) ++at;
  found.end = at + 2;
  return body.substr(at, 2) == "\r\n";
}

/// Finds the first delimiter at `from` or later. A boundary contains no CR, so each byte is examined at
/// most twice.
bool find_delimiter(std::string_view body, std::size_t from, std::string_view boundary, Delimiter& found) {
  if (from == 0 && is_delimiter(body, 0, boundary, found)) {
    found.begin = 0;
    return true;
  }
  while (from < body.size()) {
    const void* cr = std::memchr(body.data() + from, '\r', body.size() - from);
    if (cr == nullptr) return false;
    found.begin = static_cast<std::size_t>(static_cast<const char*>(cr) - body.data());
    from = found.begin + 1;
    if (from < body.size() && body[from] == '\n' && is_delimiter(body, from + 1, boundary, found))
      return true;
  }
  return false;
}

/// Parses the header of the part at `at`, and moves `at` behind the header.
Result<Part> read_header(std::string_view body, std::size_t& at, std::size_t number) {
  const std::string name = "parts[" + std::to_string(number) + "]: ";
  const std::string_view rest = body.substr(at, kMaxPartHeader);
  std::size_t seen = 0;
  const std::size_t end = rest.starts_with("\r\n") ? 2 : find_block_end(rest, seen);
  if (end == std::string_view::npos)
    return invalid(name + "its header does not end within " + std::to_string(kMaxPartHeader) + " bytes");
  std::vector<Field> fields;
  if (const std::string wrong = parse_fields(rest.substr(0, end), fields); !wrong.empty())
    return invalid(name + wrong);
  at += end;
  Part part;
  if (const Field* disposition = find_field(fields, "Content-Disposition"))
    part.name = parameter(disposition->value, "name").value_or("");
  if (const Field* type = find_field(fields, "Content-Type")) part.content_type = type->value;
  return part;
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  constexpr std::string_view kOthers = "'()+_,-./:=? ";
  auto boundary = parameter(content_type, "boundary");
  if (!boundary) return invalid("Content-Type: multipart/form-data needs a boundary");
  const bool allowed = std::ranges::all_of(*boundary, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
  if (boundary->empty() || boundary->size() > kMaxBoundary || boundary->ends_with(' ') || !allowed) {
    return invalid("Content-Type: boundary '" + shown(*boundary) + "' of " +
                   std::to_string(boundary->size()) +
                   " characters is not 1 to 70 letters, digits and '()+_,-./:=?");
  }
  return *std::move(boundary);
}

Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary,
                                          std::size_t max_parts) {
  std::vector<Part> parts;
  Delimiter delimiter;
  if (!find_delimiter(body, 0, boundary, delimiter))
    return invalid("body: is not multipart/form-data with the boundary of its Content-Type");
  while (!delimiter.last) {
    if (parts.size() == max_parts)
      return invalid("parts: exceed max_images " + std::to_string(max_parts), ErrorDetail::kTooLarge);
    std::size_t at = delimiter.end;
    auto part = read_header(body, at, parts.size());
    if (!part) return Unexpected(part.error());
    // The line break that ends the header may also belong to a delimiter that follows at once.
    if (!find_delimiter(body, at - 2, boundary, delimiter))
      return invalid("body: the last part of multipart/form-data does not end with --boundary--");
    part->content = body.substr(at, std::max(delimiter.begin, at) - at);
    parts.push_back(*std::move(part));
  }
  return parts;
}

}  // namespace infer::http
