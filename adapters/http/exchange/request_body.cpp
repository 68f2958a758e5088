#include "exchange/request_body.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "message/chunked_reader.h"
#include "message/content_encoding.h"
#include "message/multipart.h"
#include "protocols/oip/inference_request.h"

namespace infer::http {
namespace {

/// The server reads and discards up to this many bytes of an unwanted body, to keep the connection usable.
constexpr std::size_t kDiscardBytes = std::size_t{1} << 20;
/// The first allocation for a body of unknown length.
constexpr std::size_t kFirstRoom = 16 << 10;

/// Yields the bytes of a body without their framing.
class BodyBytes {
 public:
  BodyBytes(Connection& connection, const RequestHead& head)
      : connection_(connection), chunked_(head.framing == Framing::kChunked), left_(head.content_length) {}

  /// Returns the next bytes, valid until the next call. Empty at the end of the body, and after an error.
  std::string_view next() {
    while (!complete()) {
      const std::string_view there = connection_.peek();
      if (there.empty()) break;
      if (!chunked_) {
        const std::string_view data = there.substr(0, left_);
        left_ -= data.size();
        connection_.skip(data.size());
        return data;
      }
      std::string_view rest = there;
      const std::string_view data = chunks_.next(rest);
      raw_ += there.size() - rest.size();
      connection_.skip(there.size() - rest.size());
      if (!data.empty() || !chunks_.error().empty()) return data;
    }
    return {};
  }
  bool complete() const { return chunked_ ? chunks_.complete() : left_ == 0; }
  const std::string& error() const { return chunks_.error(); }
  /// The size of a chunked body including its framing.
  std::size_t raw() const { return raw_; }

 private:
  Connection& connection_;
  const bool chunked_;
  ChunkedReader chunks_;
  std::size_t left_;  ///< Unused for chunked bodies.
  std::size_t raw_ = 0;
};

/// Reads one body into an exchange.
class BodyReader {
 public:
  BodyReader(Exchange& exchange, Connection& connection, const RequestHead& head,
             const ListenerOptions& options, BodyBudget::Share& budget)
      : exchange_(exchange), connection_(connection), head_(head), options_(options), budget_(budget) {}

  /// Returns what to answer on an error, and leaves the rest of the body unread.
  std::optional<Failure> read() {
    std::optional<Coding> coding = Coding::kIdentity;
    if (const Field* encoding = head_.find("Content-Encoding")) {
      coding = parse_coding(encoding->value);
      if (!coding) {
        return failure(
            415, "InvalidArgument",
            "Content-Encoding: '" + shown(encoding->value) + "' is not supported; use gzip or deflate");
      }
    }
    if (head_.content_length > options_.max_body_bytes)
      return too_large(std::to_string(head_.content_length) + " bytes exceed");
    if (head_.expects_continue && !connection_.has_buffered())
      connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
    auto wrong = *coding != Coding::kIdentity        ? read_packed(*coding)
                 : head_.framing == Framing::kLength ? read_in_place()
                                                     : read_chunks();
    if (wrong || exchange_.request.media_type() != "multipart/form-data") return wrong;
    return take_parts();
  }

 private:
  static Failure failure(int status, std::string_view code, std::string message) {
    return {status, std::string(code), std::move(message)};
  }
  static Failure invalid(std::string message) { return failure(400, "InvalidArgument", std::move(message)); }
  static Failure failure(const Error& error) {
    return failure(http_status(error), to_string(error.code), error.message);
  }
  Failure too_large(const std::string& what) const {
    return failure(413, "InvalidArgument",
                   "body: " + what + " max_body_bytes " + std::to_string(options_.max_body_bytes));
  }
  Failure too_much() {
    exchange_.answer.headers.emplace_back("Retry-After", "1");
    return failure(429, "Overloaded",
                   "body: the bodies of all requests together exceed max_buffered_bytes " +
                       std::to_string(options_.max_buffered_bytes));
  }
  /// Returns why the body ended early.
  Failure incomplete(const std::string& framing) const {
    if (!framing.empty()) return invalid("body: " + framing);
    if (connection_.fault() == Connection::Fault::kBodyTimeout) {
      return failure(
          408, "RequestTimeout",
          "body: not complete within body_timeout " + std::to_string(options_.body_timeout.count()) + " ms");
    }
    if (connection_.fault() == Connection::Fault::kMadeRoom) {
      return failure(408, "RequestTimeout",
                     "body: fewer than " + std::to_string(kPeerStep) + " bytes arrived in the last " +
                         std::to_string(kPeerSlowAfter / std::chrono::seconds(1)) +
                         " s when the connection had to make room for another one (max_connections " +
                         std::to_string(options_.max_connections) + ")");
    }
    return invalid("body: the connection ended before the end of the body");
  }

  /// Reads a body of known length straight into its final place.
  std::optional<Failure> read_in_place() {
    Body& body = exchange_.request.body;
    std::size_t left = head_.content_length;
    std::size_t aligned = 0;
    if (const Field* json = head_.find(kJsonLengthHeader))
      std::from_chars(json->value.data(), json->value.data() + json->value.size(), aligned);
    body.reserve(budget_.pool(), left, aligned);
    while (left > 0) {
      const ssize_t size = connection_.read_known(body.room(left), left);
      if (size <= 0) return incomplete("");
      body.grow(static_cast<std::size_t>(size));
      left -= static_cast<std::size_t>(size);
      if (!budget_.hold(body.size())) return too_much();
    }
    return std::nullopt;
  }

  std::optional<Failure> read_chunks() {
    BodyBytes bytes(connection_, head_);
    for (std::string_view data = bytes.next(); !data.empty(); data = bytes.next()) {
      if (auto wrong = append(data)) return wrong;
    }
    if (!bytes.complete()) return incomplete(bytes.error());
    return std::nullopt;
  }

  std::optional<Failure> read_packed(Coding coding) {
    BodyBytes bytes(connection_, head_);
    Inflater inflater(coding);
    std::size_t total = 0;
    for (std::string_view packed = bytes.next(); !packed.empty(); packed = bytes.next()) {
      total += packed.size();
      if (total > options_.max_body_bytes)
        return too_large("exceeds");  // or an endless stream that unpacks to nothing could go on forever
      for (std::string_view data = inflater.next(packed); !data.empty(); data = inflater.next(packed)) {
        if (auto wrong = append(data)) return wrong;
      }
      if (inflater.broken()) break;
    }
    if (inflater.broken()) return invalid("body: is not valid data of its Content-Encoding");
    if (!bytes.complete()) return incomplete(bytes.error());
    if (!inflater.complete()) return invalid("body: ends before its compressed data is complete");
    return std::nullopt;
  }

  std::optional<Failure> append(std::string_view data) {
    Body& body = exchange_.request.body;
    const std::size_t size = body.size() + data.size();
    if (size > options_.max_body_bytes) return too_large("exceeds");
    if (size > body.capacity()) {
      const std::size_t room =
          std::max(size, std::min(std::max(2 * body.capacity(), kFirstRoom), options_.max_body_bytes));
      if (!budget_.hold(body.capacity() + room))
        return too_much();  // old and new buffer exist together during the move
      body.expand(budget_.pool(), room);
      budget_.hold(room);
    }
    body.append(data.data(), data.size());
    return std::nullopt;
  }

  std::optional<Failure> take_parts() {
    auto boundary = multipart_boundary(exchange_.request.header("Content-Type").value_or(""));
    if (!boundary) return failure(boundary.error());
    auto parts = parse_multipart(exchange_.request.body.text(), *boundary, options_.max_parts);
    if (!parts) return failure(parts.error());
    exchange_.request.parts = *std::move(parts);
    return std::nullopt;
  }

  Exchange& exchange_;
  Connection& connection_;
  const RequestHead& head_;
  const ListenerOptions& options_;
  BodyBudget::Share& budget_;
};

}  // namespace

bool read_body(Exchange& exchange, Connection& connection, const RequestHead& head,
               const ListenerOptions& options, BodyBudget::Share& budget) {
  auto wrong = BodyReader(exchange, connection, head, options, budget).read();
  if (!wrong) return true;
  connection.leave_body_unread();
  exchange.request.body = {};
  answer_error(exchange, wrong->status, wrong->code, std::move(wrong->message));
  return false;
}

void discard_body(Connection& connection, const RequestHead& head) {
  // A client that waits for "100 Continue" may or may not send its body.
  bool complete = !head.expects_continue && head.content_length <= kDiscardBytes;
  if (complete) {
    BodyBytes bytes(connection, head);
    while (bytes.raw() <= kDiscardBytes && !bytes.next().empty()) {
    }
    complete = bytes.complete();
  }
  if (!complete) connection.leave_body_unread();
}

}  // namespace infer::http
