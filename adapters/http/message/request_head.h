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

/// The request line and the header fields of a request, and what they say of its body. Views of the text that
/// it was read from.
struct RequestHead {
  std::string_view method;
  std::string path;  ///< Percent-decoded, without the query; "*" for OPTIONS *. Empty until it is known.
  std::string_view query;  ///< What follows the first "?" of the target, as it is.
  bool http_1_1 = true;
  std::vector<Field> fields;
  Framing framing = Framing::kNone;
  std::size_t content_length = 0;  ///< Of `Framing::kLength`.
  bool keep_alive = true;
  bool expects_continue = false;

  const Field* find(std::string_view name) const noexcept { return find_field(fields, name); }
  bool has_body() const noexcept {
    return framing == Framing::kChunked || (framing == Framing::kLength && content_length > 0);
  }
};

/// Reads what `find_block_end` has found, as RFC 9112 has it and nothing else: what two programs could read
/// differently is refused. Returns why the request is refused, which ends the connection; `head` holds what
/// was read until then. The length of a body is not bounded here.
std::optional<Failure> parse_request_head(std::string_view text, RequestHead& head);

}  // namespace infer::http
