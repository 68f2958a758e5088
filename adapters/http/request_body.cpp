#include "request_body.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "inference_request.h"

namespace infer::http {
namespace {

/// Of a body nobody wants.
constexpr std::size_t kDiscardBytes = std::size_t{1} << 20;

std::size_t to_size(const std::string* header) {
  std::size_t size = 0;
  if (header != nullptr) std::from_chars(header->data(), header->data() + header->size(), size);
  return size;
}

Result<void> check_encoding(const httplib::Request& request) {
  const std::string* encoding = find_header(request, "Content-Encoding");
  if (encoding == nullptr || encoding->empty() || *encoding == "identity" || *encoding == "gzip" ||
      *encoding == "deflate") {
    return {};
  }
  return fail(ErrorCode::kInvalidArgument, "Content-Encoding: '" + *encoding + "' is none of gzip, deflate",
              ErrorDetail::kUnsupportedType);
}

bool is_multipart(const httplib::Request& request) {
  const std::string* type = find_header(request, "Content-Type");
  return type != nullptr && type->starts_with("multipart/form-data");
}

/// A body that comes as it is, its length told.
bool is_plain(const httplib::Request& request) {
  return find_header(request, "Content-Length") != nullptr &&
         find_header(request, "Content-Encoding") == nullptr && !is_multipart(request);
}

}  // namespace

const std::string* find_header(const httplib::Request& request, std::string_view name) noexcept {
  for (const auto& [key, value] : request.headers) {
    if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) return &value;
  }
  return nullptr;
}

bool needs_reader(const httplib::Request& request) {
  return find_header(request, "Transfer-Encoding") != nullptr ||
         (find_header(request, "Content-Length") != nullptr && !is_plain(request));
}

Result<BodyFraming> body_framing(const httplib::Request& request, std::size_t limit) {
  const auto bad = [](std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); };
  const std::string* length = find_header(request, "Content-Length");
  if (const std::string* encoding = find_header(request, "Transfer-Encoding")) {
    if (length != nullptr) return bad("Content-Length: not allowed beside Transfer-Encoding");
    if (request.get_header_value_count("Transfer-Encoding") > 1 ||
        !httplib::detail::case_ignore::equal(*encoding, "chunked")) {
      return bad("Transfer-Encoding: '" + *encoding + "' is not chunked");
    }
    return BodyFraming::kChunked;
  }
  if (length == nullptr) return BodyFraming::kNone;
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  if (lengths > 1) return bad("Content-Length: given " + std::to_string(lengths) + " times");
  if (length->empty() || length->size() > 18 || length->find_first_not_of("0123456789") != std::string::npos)
    return bad("Content-Length: '" + length->substr(0, 32) + "' is not a number of bytes");
  if (to_size(length) > limit) {
    return fail(ErrorCode::kInvalidArgument,
                "body: " + *length + " bytes exceed max_body_bytes " + std::to_string(limit),
                ErrorDetail::kTooLarge);
  }
  return BodyFraming::kLength;
}

bool read_body(Exchange& exchange, Connection& connection, const httplib::Request& request,
               const httplib::ContentReader* reader, const ListenerOptions& options,
               BodyBudget::Share& budget, const BufferPool& pool) {
  if (auto encoding = check_encoding(request); !encoding) {
    connection.leave_body_unread();
    answer_error(exchange, encoding.error());
    return false;
  }
  std::size_t total = 0;
  bool too_large = false;
  bool too_many = false;
  bool too_much = false;
  const auto count = [&](std::size_t size) {
    total += size;
    too_large = total > options.max_body_bytes;
    too_much = !too_large && !budget.take(size);
    return !too_large && !too_much;
  };
  bool complete = false;
  if (is_multipart(request)) {
    complete = (*reader)(
        [&](const httplib::MultipartFormData& part) {
          if (exchange.parts.size() == options.max_parts) too_many = true;
          if (too_many) return false;
          exchange.parts.push_back({part.name, part.content_type, {}});
          return true;
        },
        [&](const char* data, std::size_t size) {
          if (!count(size)) return false;
          exchange.parts.back().content.append(data, size);
          return true;
        });
  } else if (is_plain(request)) {  // straight into its place
    std::size_t left = to_size(find_header(request, "Content-Length"));
    exchange.body.reserve(pool, left, to_size(find_header(request, kJsonLengthHeader)));
    while (left > 0) {
      const ssize_t size = connection.read_known(exchange.body.room(left), left);
      if (size <= 0 || !count(static_cast<std::size_t>(size))) break;
      exchange.body.grow(static_cast<std::size_t>(size));
      left -= static_cast<std::size_t>(size);
    }
    complete = left == 0;
  } else {
    complete = (*reader)([&](const char* data, std::size_t size) {
      if (!count(size)) return false;
      exchange.body.append(data, size);
      return true;
    });
  }
  if (complete) return true;
  connection.leave_body_unread();
  if (too_large) {
    answer_error(exchange, Error{ErrorCode::kInvalidArgument,
                                 "body: exceeds max_body_bytes " + std::to_string(options.max_body_bytes),
                                 ErrorDetail::kTooLarge});
  } else if (too_much) {
    exchange.headers.emplace_back("Retry-After", "1");
    answer_error(exchange, Error{ErrorCode::kOverloaded,
                                 "bodies of all requests: exceed max_buffered_bytes " +
                                     std::to_string(options.max_buffered_bytes),
                                 {}});
  } else if (too_many) {
    answer_error(exchange, Error{ErrorCode::kInvalidArgument,
                                 "parts: exceed max_images " + std::to_string(options.max_parts),
                                 ErrorDetail::kTooLarge});
  } else if (connection.fault() == Connection::Fault::kBodyTimeout) {
    answer_error(
        exchange, 408, "RequestTimeout",
        "body: not complete within body_timeout " + std::to_string(options.body_timeout.count()) + " ms");
  } else {
    answer_error(exchange, 400, "InvalidArgument",
                 "body: cannot be read (framing, encoding or an early end)");
  }
  return false;
}

void discard_body(Connection& connection, const httplib::Request& request,
                  const httplib::ContentReader* reader) {
  bool complete = false;
  if (const std::string* length = find_header(request, "Content-Length")) {
    std::array<char, 16 << 10> buffer{};
    std::size_t left = to_size(length);
    while (left > 0 && left <= kDiscardBytes) {
      const ssize_t size = connection.read(buffer.data(), std::min(left, buffer.size()));
      if (size <= 0) break;
      left -= static_cast<std::size_t>(size);
    }
    complete = left == 0;
  } else {
    std::size_t total = 0;
    const auto drop = [&](const char*, std::size_t size) { return (total += size) <= kDiscardBytes; };
    // Of a multipart body cpp-httplib wants to tell the parts, come what may.
    complete = is_multipart(request) ? (*reader)([](const httplib::MultipartFormData&) { return true; }, drop)
                                     : (*reader)(drop);
  }
  if (!complete) connection.leave_body_unread();
}

}  // namespace infer::http
