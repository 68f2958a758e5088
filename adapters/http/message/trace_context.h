#pragma once

#include <string>
#include <string_view>

namespace infer::http {

/// Returns the trace id of a `traceparent` header (W3C Trace Context, version 00): 32 hexadecimal digits in
/// lower case, not all zero. Empty if the header is invalid.
inline std::string_view trace_id(std::string_view header) {
  // 00-<32 digits of the trace>-<16 of the caller's span>-<2 of flags>. Later versions may append fields.
  constexpr std::size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (header.size() < kLength || (header.size() > kLength && header[kLength] != '-')) return {};
  const auto hex = [&](std::size_t from, std::size_t count) {
    const std::string_view digits = header.substr(from, count);
    return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  const bool dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!dashes || !hex(0, 2) || !hex(3, 32) || !hex(36, 16) || !hex(53, 2)) return {};
  const bool version = header.substr(0, 2) == "00" ? header.size() == kLength : header.substr(0, 2) != "ff";
  const std::string_view trace = header.substr(3, 32);
  const bool zero = trace.find_first_not_of('0') == std::string_view::npos ||
                    header.substr(36, 16).find_first_not_of('0') == std::string_view::npos;
  return version && !zero ? trace : std::string_view{};
}

/// Returns the header to pass on, with the same trace and flags, and with this server's `span` (16 digits).
inline std::string traceparent(std::string_view header, std::string_view span) {
  return "00-" + std::string(header.substr(3, 32)) + '-' + std::string(span) + '-' +
         std::string(header.substr(53, 2));
}

}  // namespace infer::http
