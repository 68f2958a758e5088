#include "exchange/http_session.h"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exchange/request_id.h"
#include "exchange/response_writer.h"
#include "message/content_encoding.h"
#include "message/request_head.h"
#include "transport/connection.h"

namespace infer::http {
namespace {

/// Smaller answers cost more time to compress than compression saves.
constexpr std::size_t kCompressBytes = 1024;

/// Returns the client's X-Request-Id if it is printable and has at most 128 characters, else a new one.
std::string request_id(const RequestHead& head) {
  const Field* given = head.find("X-Request-Id");
  const std::string_view id = given != nullptr ? given->value : "";
  const bool printable = std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7F; });
  return id.empty() || id.size() > 128 || !printable ? random_id() : std::string(id);
}

bool takes_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

class HttpSession final : public Session {
 public:
  HttpSession(SessionContext& context, int socket, std::unique_ptr<Transport> transport, Place& place)
      : context_(context),
        place_(place),
        connection_(socket, std::move(transport), context.options, place),
        watch_(context.watcher, socket) {
    std::uniform_real_distribution<double> jitter(0.8, 1.2);
    const double scale = jitter(random_source());
    const ListenerOptions& options = context.options;
    old_ = std::chrono::steady_clock::now() +
           std::chrono::duration_cast<Duration>(options.max_connection_age * scale);
    left_ = std::max<std::size_t>(
        1, static_cast<std::size_t>(static_cast<double>(options.max_requests_per_connection) * scale));
    owner_.socket = socket;  // last: on an exception before this line, the caller still owns the socket
  }

  int socket() const noexcept override { return connection_.socket(); }
  bool send_answers() override { return connection_.send_ready(); }
  TimePoint due() const noexcept override { return connection_.head_deadline(); }

  Outcome serve(bool leave) override {
    try {
      if (!connection_.flush()) return Outcome::kOver;  // sends what the peer did not take before
      Outcome outcome = Outcome::kNothing;
      do {
        switch (connection_.take_head()) {
          case Connection::Arrival::kEnd:
            connection_.flush();
            return Outcome::kOver;
          case Connection::Arrival::kNothing:
            return leave && outcome == Outcome::kNothing ? Outcome::kOver : outcome;
          case Connection::Arrival::kPart:
            if (!leave || outcome != Outcome::kNothing) return outcome;
            head_ = {};
            refuse(late_head());
            connection_.send_ready();
            return Outcome::kOver;
          case Connection::Arrival::kTooLarge:
            head_ = {};
            refuse(large_head());
            return end();
          case Connection::Arrival::kHead:
            outcome = serve_request();
        }
      } while (outcome == Outcome::kAnswered && connection_.has_buffered());
      return outcome;
    } catch (const std::exception&) {  // not even memory for an error answer: close the connection
      connection_.send_ready();
      return Outcome::kOver;
    }
  }

 private:
  struct Owner {
    ~Owner() {
      if (socket >= 0) ::close(socket);
    }
    int socket = -1;
  };

  Outcome end() {
    // A connection that makes room for another one must not delay it.
    const bool at_once = connection_.fault() == Connection::Fault::kMadeRoom;
    if (at_once ? connection_.send_ready() : connection_.flush()) connection_.linger();
    return Outcome::kOver;
  }

  Outcome serve_request() {
    const TimePoint now = std::chrono::steady_clock::now();
    if (--left_ == 0 || now > old_) connection_.close_after_answer();
    connection_.begin_body(now);
    if (const auto failure = parse_request_head(connection_.head(), head_)) {
      refuse(*failure);
      return end();
    }
    if (!head_.keep_alive) connection_.close_after_answer();
    answer(now);
    return connection_.must_close() ? end() : Outcome::kAnswered;
  }

  Failure late_head() const {
    const ListenerOptions& options = context_.options;
    const bool in_time = std::chrono::steady_clock::now() < connection_.head_deadline();
    return {408, "RequestTimeout",
            in_time ? "headers: still incomplete when the connection had to make room for another one "
                      "(max_connections " +
                          std::to_string(options.max_connections) + ")"
                    : "headers: not complete within header_timeout " +
                          std::to_string(options.header_timeout.count()) + " ms"};
  }

  Failure large_head() const {
    const std::string limit = std::to_string(context_.options.max_header_bytes);
    if (connection_.head().find('\n') == std::string_view::npos)
      return {414, "UriTooLong", "request target: exceeds " + std::to_string(kMaxTargetBytes) + " bytes"};
    return {431, "HeadersTooLarge", "headers: exceed max_header_bytes " + limit};
  }

  /// Answers a request that could not be parsed. `head_` may hold a part of the request.
  void refuse(const Failure& failure) {
    connection_.leave_body_unread();
    Exchange exchange = begin(std::chrono::steady_clock::now());
    answer_error(exchange, failure.status, failure.code, failure.message);
    send(exchange);
  }

  Exchange begin(TimePoint now) {
    Exchange exchange;
    exchange.call.start = now;
    exchange.request.method = head_.method;
    exchange.request.path = head_.path;
    exchange.request.query = head_.query;
    exchange.request.remote_address = connection_.remote();
    exchange.request.id = request_id(head_);
    exchange.request.fields = head_.fields;
    return exchange;
  }

  void answer(TimePoint now) {
    Exchange exchange = begin(now);
    try {
      process(exchange);
    } catch (const std::bad_alloc&) {
      connection_.leave_body_unread();  // the body may be unread
      answer_error(exchange, out_of_memory());
    } catch (const std::exception&) {
      connection_.leave_body_unread();
      answer_error(exchange, Error{ErrorCode::kInternal, "unexpected failure", {}});
    }
    send(exchange);
  }

  void process(Exchange& exchange) {
    BodyBudget::Share share(context_.budget);
    const bool reads_body = head_.framing != Framing::kNone && takes_body(head_.method);
    if (head_.has_body() && !reads_body)
      discard_body(connection_, head_);  // such as a GET with a body, which no route uses
    if (!context_.handler.begin(exchange)) {
      if (reads_body) discard_body(connection_, head_);
      return;
    }
    if (reads_body && !read_body(exchange, connection_, head_, context_.options, share)) return;
    if (!context_.handler.is_quick(exchange)) {
      connection_.send_ready();  // sends earlier answers of this connection first
      place_.hand_over();
    }
    std::stop_source hung_up;
    exchange.call.stop = hung_up.get_token();
    watch_.begin_request(std::move(hung_up));
    exchange.request.charge = [&options = context_.options, &share](std::size_t bytes) -> Result<void> {
      if (share.hold_more(bytes)) return {};
      const bool never = bytes > options.max_buffered_bytes;
      return fail(
          never ? ErrorCode::kInvalidArgument : ErrorCode::kOverloaded,
          "body: needs " + std::to_string(bytes) +
              " bytes of memory, which together with the bodies of all requests exceed max_buffered_bytes " +
              std::to_string(options.max_buffered_bytes),
          never ? ErrorDetail::kTooLarge : ErrorDetail::kNone);
    };
    context_.handler.handle(exchange);
    exchange.request.charge = nullptr;
    watch_.end_request();
  }

  void send(Exchange& exchange) {
    if (context_.handler.closing()) connection_.close_after_answer();
    context_.handler.finish(exchange);
    exchange.answer.headers.emplace_back("X-Request-Id", exchange.request.id);
    std::vector<std::string_view> parts{exchange.answer.text};
    for (const Tensor& tensor : exchange.answer.binary)
      parts.emplace_back(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
    std::size_t size = 0;
    for (const std::string_view part : parts) size += part.size();
    const std::string_view encoding =
        exchange.answer.compressible && size >= kCompressBytes
            ? accepted_encoding(exchange.request.header("Accept-Encoding").value_or(""))
            : "";
    std::optional<std::string> compressed;
    if (!encoding.empty()) compressed = compress(encoding, parts);
    if (compressed) {
      exchange.answer.headers.emplace_back("Content-Encoding", encoding);
      parts = {*compressed};
      size = compressed->size();
    }
    std::string head;
    write_response_head(head,
                        {.status = exchange.answer.status,
                         .content_type = exchange.answer.content_type,
                         .content_length = size,
                         .close = connection_.must_close(),
                         .idle = std::chrono::ceil<std::chrono::seconds>(context_.options.idle_timeout),
                         .requests_left = left_},
                        exchange.answer.headers);
    connection_.write(head);
    if (exchange.request.method == "HEAD") return;
    for (const std::string_view part : parts) connection_.write(part);
  }

  SessionContext& context_;
  Place& place_;
  Owner owner_;  ///< declared before its users, so that it is closed last
  Connection connection_;
  HangupWatcher::Watch watch_;
  RequestHead head_;
  TimePoint old_;
  std::size_t left_ = 0;  ///< requests that the connection still accepts
};

}  // namespace

std::unique_ptr<Session> make_http_session(SessionContext& context, int socket,
                                           std::unique_ptr<Transport> transport, Place& place) {
  return std::make_unique<HttpSession>(context, socket, std::move(transport), place);
}

}  // namespace infer::http
