#include "listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <thread>
#include <utility>

#include "connection.h"
#include "connection_pool.h"
#include "hangup_watcher.h"

namespace infer::http {
namespace {

// Any path: the router behind the handler knows which there are.
constexpr const char* kAnyPath = R"([\s\S]*)";
/// A body nobody wants is read and dropped up to this size, so that the connection stays of use.
constexpr std::size_t kDiscardBytes = std::size_t{1} << 20;

thread_local Connection* current_connection = nullptr;

std::mt19937_64& random_source() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source;
}

std::string make_request_id() {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t bits = random_source()();
  std::string id(16, '0');
  for (char& c : id) {
    c = kHex[bits & 15];
    bits >>= 4;
  }
  return id;
}

/// The client's X-Request-Id if it is printable and of at most 128 characters, else a fresh one.
std::string request_id(const httplib::Request& request) {
  std::string id = request.get_header_value("X-Request-Id");
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return id.empty() || id.size() > 128 || !printable ? make_request_id() : id;
}

enum class BodyFraming { kNone, kLength, kChunked };

/// How the body is delimited. What two servers might read differently is refused (RFC 9112, section 6.3).
Result<BodyFraming> body_framing(const httplib::Request& request, std::size_t limit) {
  const auto bad = [](std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); };
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  const std::size_t encodings = request.get_header_value_count("Transfer-Encoding");
  if (encodings > 0) {
    if (lengths > 0) return bad("Content-Length: not allowed beside Transfer-Encoding");
    const std::string encoding = request.get_header_value("Transfer-Encoding");
    if (encodings > 1 || !httplib::detail::case_ignore::equal(encoding, "chunked")) {
      return bad("Transfer-Encoding: '" + encoding + "' is not chunked");
    }
    return BodyFraming::kChunked;
  }
  if (lengths == 0) return BodyFraming::kNone;
  const std::string text = request.get_header_value("Content-Length");
  if (lengths > 1) return bad("Content-Length: given " + std::to_string(lengths) + " times");
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    return bad("Content-Length: '" + text.substr(0, 32) + "' is not a number of bytes");
  }
  if (std::stoull(text) > limit) {
    return fail(ErrorCode::kInvalidArgument,
                "body: " + text + " bytes exceed max_body_bytes " + std::to_string(limit),
                ErrorDetail::kTooLarge);
  }
  return BodyFraming::kLength;
}

Result<void> check_encoding(const httplib::Request& request) {
  const std::string encoding = request.get_header_value("Content-Encoding");
  if (encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "deflate") return {};
  return fail(ErrorCode::kInvalidArgument, "Content-Encoding: '" + encoding + "' is none of gzip, deflate",
              ErrorDetail::kUnsupportedType);
}

/// Bounds the bytes of all bodies that are held at a time.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit) : limit_(limit) {}

  /// What one request holds; given back when it ends.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { budget_.used_.fetch_sub(taken_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    bool take(std::size_t bytes) {
      taken_ += bytes;
      return budget_.used_.fetch_add(bytes) + bytes <= budget_.limit_;
    }

   private:
    BodyBudget& budget_;
    std::size_t taken_ = 0;
  };

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// cpp-httplib's server, with our own connections, threads and bounds.
class ConnectionServer final : public httplib::Server {
 public:
  ConnectionServer(const ListenerOptions& options, RequestHandler& handler)
      : options_(options), handler_(handler) {
    new_task_queue = [this] {
      auto* pool = new ConnectionPool(options_.max_connections);  // owned by the server, which deletes it
      pool_.store(pool);
      return pool;
    };
    // Not SO_REUSEPORT, cpp-httplib's default: a second server on the same port shall fail, not take half the
    // requests.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(options_.idle_timeout).count());
    set_keep_alive_max_count(options_.max_requests_per_connection);
    set_payload_max_length(std::numeric_limits<std::size_t>::max());  // counted by us, after decompression
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
      answer(request, response, &reader);
    };
    const auto without_body = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response, nullptr);
    };
    Get(kAnyPath, without_body);
    Options(kAnyPath, without_body);
    Delete(kAnyPath, without_body);
    Post(kAnyPath, with_body);
    Put(kAnyPath, with_body);
    Patch(kAnyPath, with_body);
    Delete(kAnyPath, with_body);
    set_expect_100_continue_handler([this](const httplib::Request& request, httplib::Response&) {
      return body_framing(request, options_.max_body_bytes) ? 100 : 417;
    });
    set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (response.body.empty()) refuse(request, response);
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      if (!current_connection->must_close()) return;
      response.headers.erase("Keep-Alive");
      response.headers.erase("Connection");
      response.set_header("Connection", "close");
    });
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    serve(socket);
    httplib::detail::close_socket(socket);
    return true;
  }

  void serve(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const ConnectionPool::Open open(*pool_.load(), socket);
    Connection connection(socket, options_);
    std::string remote;
    std::string local;
    int remote_port = 0;
    int local_port = 0;
    connection.get_remote_ip_and_port(remote, remote_port);
    connection.get_local_ip_and_port(local, local_port);
    std::uniform_real_distribution<double> jitter(0.8, 1.2);
    const double scale = jitter(random_source());
    const TimePoint old = std::chrono::steady_clock::now() +
                          std::chrono::duration_cast<Duration>(options_.max_connection_age * scale);
    const auto most = std::max<std::size_t>(
        1, static_cast<std::size_t>(static_cast<double>(options_.max_requests_per_connection) * scale));
    for (std::size_t count = 1; count <= most; ++count) {
      if (!connection.has_buffered()) {
        const ConnectionPool::Idle idle(*pool_.load(), socket);
        if (!connection.wait_for_request(options_.idle_timeout)) return;
      }
      const bool last = count == most || std::chrono::steady_clock::now() > old;
      connection.begin_headers();
      if (last) connection.close_after_answer();
      bool closed = false;
      current_connection = &connection;
      const bool answered =
          process_request(connection, remote, remote_port, local, local_port, last, closed, nullptr);
      current_connection = nullptr;
      const bool sent = connection.flush();
      if (!answered || !sent) return;
      if (closed || connection.must_close()) break;
    }
    connection.linger();
  }

  /// Answers what cpp-httplib itself turned away: a request line or headers that are no HTTP.
  void refuse(const httplib::Request& request, httplib::Response& response) {
    Connection& connection = *current_connection;
    connection.close_after_answer();
    Exchange exchange;
    exchange.start = std::chrono::steady_clock::now();
    exchange.request_id = make_request_id();
    exchange.remote_address = request.remote_addr;
    const std::string limit = std::to_string(options_.max_header_bytes);
    const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
    if (connection.fault() == Connection::Fault::kHeaderTimeout) {
      answer_error(exchange, 408, "RequestTimeout",
                   "headers: not complete within header_timeout " + ms(options_.header_timeout) + " ms");
    } else if (connection.fault() == Connection::Fault::kHeaderTooLarge) {
      answer_error(exchange, 431, "HeadersTooLarge", "headers: exceed max_header_bytes " + limit);
    } else if (request.headers.size() >= CPPHTTPLIB_HEADER_MAX_COUNT) {
      answer_error(exchange, 431, "HeadersTooLarge",
                   "headers: exceed " + std::to_string(CPPHTTPLIB_HEADER_MAX_COUNT) + " fields");
    } else if (response.status == 414) {
      answer_error(exchange, 414, "UriTooLong",
                   "request target: exceeds " + std::to_string(CPPHTTPLIB_REQUEST_URI_MAX_LENGTH) + " bytes");
    } else {
      answer_error(exchange, response.status, "InvalidArgument", "malformed HTTP request");
    }
    send(exchange, response);
  }

  void answer(const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader* reader) {
    Connection& connection = *current_connection;
    connection.begin_body();
    Exchange exchange;
    exchange.start = std::chrono::steady_clock::now();
    exchange.method = request.method;
    exchange.path = request.path;
    exchange.remote_address = request.remote_addr;
    exchange.request_id = request_id(request);
    exchange.header = [&request](const char* name) -> std::optional<std::string> {
      if (!request.has_header(name)) return std::nullopt;
      return request.get_header_value(name);
    };
    try {
      process(exchange, request, reader);
    } catch (const std::bad_alloc&) {
      answer_error(exchange, out_of_memory());
    } catch (const std::exception&) {
      answer_error(exchange, Error{ErrorCode::kInternal, "unexpected failure", {}});
    }
    if (exchange.close) connection.close_after_answer();
    send(exchange, response);
  }

  void process(Exchange& exchange, const httplib::Request& request, const httplib::ContentReader* reader) {
    Connection& connection = *current_connection;
    auto framing = body_framing(request, options_.max_body_bytes);
    const bool has_body = framing && *framing != BodyFraming::kNone;
    if (has_body && reader == nullptr) connection.leave_body_unread();  // a GET with a body: not ours to read
    if (!framing) {
      connection.leave_body_unread();
      return answer_error(exchange, framing.error());
    }
    BodyBudget::Share share(budget_);
    if (!handler_.begin(exchange)) {
      if (has_body && reader != nullptr) discard_body(*reader);
      return;
    }
    if (has_body && reader != nullptr) {
      if (auto encoding = check_encoding(request); !encoding) {
        connection.leave_body_unread();
        return answer_error(exchange, encoding.error());
      }
      if (!read_body(exchange, request, *reader, share)) return;
    }
    std::stop_source hung_up;
    exchange.hung_up = hung_up.get_token();
    const HangupWatcher::Watch watch(watcher_, static_cast<int>(connection.socket()), hung_up);
    handler_.handle(exchange);
  }

  void discard_body(const httplib::ContentReader& reader) {
    std::size_t total = 0;
    const bool complete =
        reader([&](const char*, std::size_t size) { return (total += size) <= kDiscardBytes; });
    if (!complete) current_connection->leave_body_unread();
  }

  /// Reads the body, counting decompressed bytes; false when it has answered instead.
  bool read_body(Exchange& exchange, const httplib::Request& request, const httplib::ContentReader& reader,
                 BodyBudget::Share& budget) {
    std::size_t total = 0;
    bool too_large = false;
    bool too_many = false;
    bool too_much = false;
    const auto count = [&](std::size_t size) {
      total += size;
      too_large = total > options_.max_body_bytes;
      too_much = !too_large && !budget.take(size);
      return !too_large && !too_much;
    };
    bool complete = false;
    if (request.is_multipart_form_data()) {
      complete = reader(
          [&](const httplib::MultipartFormData& part) {
            if (exchange.parts.size() == options_.max_parts) too_many = true;
            if (too_many) return false;
            exchange.parts.push_back({part.name, part.content_type, {}});
            return true;
          },
          [&](const char* data, std::size_t size) {
            if (!count(size)) return false;
            exchange.parts.back().content.append(data, size);
            return true;
          });
    } else {
      if (!request.has_header("Content-Encoding")) {
        // Room for the parser's padding too, so that it need not copy the body.
        const std::size_t announced = request.get_header_value_u64("Content-Length");
        exchange.body.reserve(std::min(announced, options_.max_body_bytes) + 64);
      }
      complete = reader([&](const char* data, std::size_t size) {
        if (!count(size)) return false;
        exchange.body.append(data, size);
        return true;
      });
    }
    if (complete) return true;
    Connection& connection = *current_connection;
    connection.leave_body_unread();
    if (too_large) {
      answer_error(exchange, Error{ErrorCode::kInvalidArgument,
                                   "body: exceeds max_body_bytes " + std::to_string(options_.max_body_bytes),
                                   ErrorDetail::kTooLarge});
    } else if (too_much) {
      exchange.headers.emplace_back("Retry-After", "1");
      answer_error(exchange, Error{ErrorCode::kOverloaded,
                                   "bodies of all requests: exceed max_buffered_bytes " +
                                       std::to_string(options_.max_buffered_bytes),
                                   {}});
    } else if (too_many) {
      answer_error(exchange, Error{ErrorCode::kInvalidArgument,
                                   "parts: exceed max_images " + std::to_string(options_.max_parts),
                                   ErrorDetail::kTooLarge});
    } else if (connection.fault() == Connection::Fault::kBodyTimeout) {
      answer_error(
          exchange, 408, "RequestTimeout",
          "body: not complete within body_timeout " + std::to_string(options_.body_timeout.count()) + " ms");
    } else {
      answer_error(exchange, 400, "InvalidArgument",
                   "body: cannot be read (framing, encoding or an early end)");
    }
    return false;
  }

  void send(Exchange& exchange, httplib::Response& response) {
    if (handler_.closing()) current_connection->close_after_answer();
    handler_.finish(exchange);
    response.status = exchange.status;
    for (const auto& [name, value] : exchange.headers) response.set_header(name, value);
    response.set_header("X-Request-Id", exchange.request_id);
    response.set_content(std::move(exchange.response), exchange.content_type);
  }

  const ListenerOptions& options_;
  RequestHandler& handler_;
  HangupWatcher watcher_;
  BodyBudget budget_{options_.max_buffered_bytes};
  std::atomic<ConnectionPool*> pool_{nullptr};
};

}  // namespace

struct Listener::Impl {
  Impl(ListenerOptions given, RequestHandler& handler)
      : options(std::move(given)), server(options, handler) {}

  const ListenerOptions options;
  ConnectionServer server;
  std::thread thread;
};

Listener::Listener(ListenerOptions options, RequestHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

Listener::~Listener() { stop(); }

Result<int> Listener::bind() {
  const ListenerOptions& options = impl_->options;
  errno = 0;
  const int port = options.port == 0 ? impl_->server.bind_to_any_port(options.host)
                   : impl_->server.bind_to_port(options.host, options.port) ? options.port
                                                                            : -1;
  if (port > 0) return port;
  return fail(ErrorCode::kFailedPrecondition, "cannot listen on " + options.host + ":" +
                                                  std::to_string(options.port) + ": " +
                                                  (errno != 0 ? std::strerror(errno) : "no such address"));
}

void Listener::start() {
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  impl_->server.wait_until_ready();
}

void Listener::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->server.stop();
  impl_->thread.join();
}

}  // namespace infer::http
