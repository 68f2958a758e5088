#include "message/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "message/query.h"

namespace infer::http {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};

/// Fields that may appear only once: with two, two programs could each use a different one.
constexpr std::array<std::string_view, 11> kSingle{"Host",
                                                   "Content-Length",
                                                   "Transfer-Encoding",
                                                   "Authorization",
                                                   "Content-Type",
                                                   "Content-Encoding",
                                                   "X-Timeout-Ms",
                                                   "Sec-Fetch-Site",
                                                   "Origin",
                                                   "Expect",
                                                   "Inference-Header-Content-Length"};

/// A length of 18 digits exceeds every limit and still fits in 64 bits.
constexpr std::size_t kLengthDigits = 18;

Failure bad(std::string message) { return {400, "InvalidArgument", std::move(message)}; }
Failure malformed(const std::string& why) { return bad("malformed HTTP request: " + why); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether `text` is a name or an address, with or without a port.
bool is_host(std::string_view text) {
  constexpr std::string_view kOthers = "-._~%!$&'()*+;=:[]";
  return std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

/// Removes "http://host:port" from an absolute target and returns the host. Returns an empty text for other
/// forms, and nothing for an invalid target.
std::optional<std::string_view> take_authority(std::string_view& target) {
  const std::size_t mark = target.find("://");
  if (target.starts_with('/') || mark == std::string_view::npos) return "";
  const std::string_view scheme = target.substr(0, mark);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return std::nullopt;
  target.remove_prefix(mark + 3);
  const std::string_view host = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(host.size());
  if (host.empty() || !is_host(host)) return std::nullopt;
  return host;
}

/// Parses the path of a relative or absolute target. Sets `host` from an absolute target.
std::optional<Failure> parse_target(std::string_view target, RequestHead& head, std::string_view& host) {
  const std::string name = "'" + shown(target) + "'";
  if (!std::ranges::all_of(target, [](char c) { return c > ' ' && c <= '~' && c != '#'; }))
    return malformed("request target: " + name + " has a byte that must be percent-encoded");
  const auto authority = take_authority(target);
  if (!authority) return malformed("request target: " + name + " is not of the form http://host/path");
  host = *authority;
  const std::string_view path = target.substr(0, target.find('?'));
  head.query = target.substr(std::min(path.size() + 1, target.size()));
  if (path == "*" && host.empty() && head.method == "OPTIONS") {
    head.path = path;
  } else if (path.empty() && !host.empty()) {
    head.path = "/";
  } else if (!path.starts_with('/')) {
    return malformed("request target: " + name + " must begin with /");
  } else if (std::string decoded; percent_decode(path, decoded)) {
    head.path = std::move(decoded);
  } else {
    return malformed("request target: " + name +
                     " has a percent-escape that is not % and two digits, or %00");
  }
  return std::nullopt;
}

std::optional<Failure> parse_request_line(std::string_view line, RequestHead& head, std::string_view& host) {
  const std::size_t first = std::min(line.find(' '), line.size());
  const std::size_t last = line.rfind(' ');
  if (last == std::string_view::npos || last <= first)
    return malformed("the request line must be METHOD, target and HTTP/1.1, with one blank between them");
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (std::ranges::find(kMethods, method) == kMethods.end())
    return malformed("method: '" + shown(method) + "' is not known");
  head.method = method;
  const bool is_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                          is_digit(version[5]) && is_digit(version[7]);
  if (!is_version) return malformed("version: '" + shown(version) + "' is not HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Failure{505, "Unimplemented",
                   "version: " + std::string(version) + " is not supported, use HTTP/1.1"};
  }
  head.http_1_1 = version == "HTTP/1.1";
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > kMaxTargetBytes) {
    return Failure{414, "UriTooLong",
                   "request target: exceeds " + std::to_string(kMaxTargetBytes) + " bytes"};
  }
  return parse_target(target, head, host);
}

std::optional<Failure> check_host(RequestHead& head, std::string_view absolute) {
  const auto host = std::ranges::find_if(
      head.fields, [](const Field& field) { return equal_ignoring_case(field.name, "Host"); });
  const bool given = host != head.fields.end();
  if (!given && head.http_1_1) return bad("Host: is missing, but HTTP/1.1 requires it");
  if (given && !is_host(host->value))
    return bad("Host: '" + shown(host->value) + "' is not a host name or address, optionally with a port");
  if (absolute.empty()) return std::nullopt;
  // The target's host takes precedence (RFC 9112, section 3.2.2).
  if (given) {
    host->value = absolute;
  } else {
    head.fields.push_back({"Host", absolute});
  }
  return std::nullopt;
}

/// Determines how the body is delimited (RFC 9112, section 6.3).
std::optional<Failure> check_framing(RequestHead& head) {
  const Field* length = head.find("Content-Length");
  if (const Field* encoding = head.find("Transfer-Encoding")) {
    if (length != nullptr) return bad("Content-Length: must not be sent together with Transfer-Encoding");
    if (!equal_ignoring_case(encoding->value, "chunked"))
      return bad("Transfer-Encoding: '" + shown(encoding->value) + "' is not chunked");
    if (!head.http_1_1) return bad("Transfer-Encoding: is not part of HTTP/1.0, use HTTP/1.1");
    head.framing = Framing::kChunked;
  } else if (length != nullptr) {
    const std::string_view text = length->value;
    const char* end = text.data() + text.size();
    // from_chars accepts no plus, and no minus for an unsigned number.
    const auto [stop, error] = std::from_chars(text.data(), end, head.content_length);
    if (text.empty() || text.size() > kLengthDigits || error != std::errc() || stop != end)
      return bad("Content-Length: '" + shown(text) + "' is not a number of bytes");
    head.framing = Framing::kLength;
  }
  return std::nullopt;
}

void read_connection(RequestHead& head) {
  bool close = false;
  bool keep_alive = false;
  for (const Field& field : head.fields) {
    if (!equal_ignoring_case(field.name, "Connection")) continue;
    for (std::string_view list = field.value; !list.empty();) {
      const std::string_view option = next_element(list);
      close = close || equal_ignoring_case(option, "close");
      keep_alive = keep_alive || equal_ignoring_case(option, "keep-alive");
    }
  }
  head.keep_alive = !close && (head.http_1_1 || keep_alive);
}

std::optional<Failure> check_fields(RequestHead& head, std::string_view absolute) {
  if (head.fields.size() > kMaxFields)
    return Failure{431, "HeadersTooLarge", "headers: exceed " + std::to_string(kMaxFields) + " fields"};
  for (const std::string_view name : kSingle) {
    const auto count = std::ranges::count_if(
        head.fields, [&](const Field& field) { return equal_ignoring_case(field.name, name); });
    if (count > 1)
      return bad(std::string(name) + ": given " + std::to_string(count) + " times, expected once");
  }
  if (auto failure = check_host(head, absolute)) return failure;
  if (auto failure = check_framing(head)) return failure;
  read_connection(head);
  if (const Field* expect = head.find("Expect"); expect != nullptr && head.http_1_1) {
    head.expects_continue = equal_ignoring_case(expect->value, "100-continue");
    if (!head.expects_continue)
      return Failure{417, "InvalidArgument", "Expect: '" + shown(expect->value) + "' is not 100-continue"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> parse_request_head(std::string_view text, RequestHead& head) {
  std::vector<Field> fields = std::move(head.fields);  // reuses the memory
  fields.clear();
  head = {};
  head.fields = std::move(fields);
  if (text.starts_with("\r\n")) text.remove_prefix(2);  // RFC 9112, section 2.2
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r')
    return malformed("a line must end with CR LF");
  std::string_view host;
  if (auto failure = parse_request_line(text.substr(0, end - 1), head, host)) return failure;
  if (std::string wrong = parse_fields(text.substr(end + 1), head.fields); !wrong.empty())
    return malformed(wrong);
  return check_fields(head, host);
}

}  // namespace infer::http
