#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message/failure.h"
#include "message/fields.h"

namespace infer::http {

inline constexpr std::size_t kMaxTargetBytes = 4096;

enum class Framing : std::uint8_t { kNone, kLength, kChunked };

/// The request line and header fields of a request, and how its body is framed. Holds views of the text
/// that was parsed.
struct RequestHead {
  std::string_view method;
  std::string path;        ///< Percent-decoded, without the query; "*" for OPTIONS *. Empty if unknown.
  std::string_view query;  ///< What follows the first "?" of the target, not decoded.
  bool http_1_1 = true;
  std::vector<Field> fields;
  Framing framing = Framing::kNone;
  std::size_t content_length = 0;  ///< If `framing` is `Framing::kLength`.
  bool keep_alive = true;
  bool expects_continue = false;

  const Field* find(std::string_view name) const noexcept { return find_field(fields, name); }
  bool has_body() const noexcept {
    return framing == Framing::kChunked || (framing == Framing::kLength && content_length > 0);
  }
};

/// Parses a head that `find_block_end` has found, strictly by RFC 9112: refuses what two programs could
/// understand differently. Returns why the request is refused, which ends the connection; `head` then holds
/// what was parsed before. Does not limit the length of a body.
std::optional<Failure> parse_request_head(std::string_view text, RequestHead& head);

}  // namespace infer::http
