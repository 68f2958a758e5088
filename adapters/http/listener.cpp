#include "listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>
#include <random>
#include <utility>

#include "acceptor.h"
#include "connection.h"
#include "connection_pool.h"
#include "content_encoding.h"
#include "hangup_watcher.h"
#include "request_body.h"
#include "request_id.h"

namespace infer::http {
namespace {

// Any path: the router behind the handler knows which there are.
constexpr const char* kAnyPath = R"([\s\S]*)";

/// Below this compressing costs more than it saves.
constexpr std::size_t kCompressBytes = 1024;

// cpp-httplib's callbacks name no connection.
thread_local Connection* current_connection = nullptr;
thread_local HangupWatcher::Watch* current_watch = nullptr;

/// The client's X-Request-Id if it is printable and of at most 128 characters, else a fresh one.
std::string request_id(const httplib::Request& request) {
  const std::string* given = find_header(request, "X-Request-Id");
  std::string id = given != nullptr ? *given : "";
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return id.empty() || id.size() > 128 || !printable ? random_id() : id;
}

bool takes_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

bool is_known_method(const std::string& method) {
  return takes_body(method) || method == "GET" || method == "HEAD" || method == "OPTIONS";
}

/// cpp-httplib's reading and writing of HTTP, with our own connections, threads and bounds.
class HttpServer final : public httplib::Server {
 public:
  HttpServer(const ListenerOptions& options, RequestHandler& handler) : options_(options), handler_(handler) {
    set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(options_.idle_timeout).count());
    set_keep_alive_max_count(options_.max_requests_per_connection);
    set_payload_max_length(std::numeric_limits<std::size_t>::max());  // counted by us, after decompression
    // Before cpp-httplib's routing: a body that it need not read needs none of its regular expressions.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      const bool read_by_httplib = takes_body(request.method) && needs_reader(request);
      if (!is_known_method(request.method) || read_by_httplib) return HandlerResponse::Unhandled;
      answer(request, response, nullptr);
      return HandlerResponse::Handled;
    });
    const auto with_reader = [this](const httplib::Request& request, httplib::Response& response,
                                    const httplib::ContentReader& reader) {
      answer(request, response, &reader);
    };
    Post(kAnyPath, with_reader);
    Put(kAnyPath, with_reader);
    Patch(kAnyPath, with_reader);
    Delete(kAnyPath, with_reader);
    set_expect_100_continue_handler([this](const httplib::Request& request, httplib::Response&) {
      return body_framing(request, options_.max_body_bytes) ? 100 : 417;
    });
    set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (response.body.empty() && response.content_length_ == 0) refuse(request, response);
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      if (!current_connection->must_close()) return;
      response.headers.erase("Keep-Alive");
      response.headers.erase("Connection");
      response.set_header("Connection", "close");
    });
  }

  /// Serves from here on. `socket` is the listening one, which tells cpp-httplib that it is not shutting
  /// down.
  void start(int socket) { svr_sock_ = socket; }

  void set_tls(std::shared_ptr<const TlsContext> tls) {
    std::unique_lock lock(tls_mutex_);
    tls_ = std::move(tls);
  }

  /// A new connection; null when memory is out.
  std::unique_ptr<Session> open(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto transport = make_transport(socket);
    if (!transport) return nullptr;
    return std::make_unique<HttpSession>(*this, socket, std::move(transport));
  }

 private:
  /// One connection: its requests one after the other, until either side has had enough.
  class HttpSession final : public Session {
   public:
    HttpSession(HttpServer& server, int socket, std::unique_ptr<Transport> transport)
        : server_(server),
          connection_(socket, std::move(transport), server.options_),
          watch_(server.watcher_, socket) {
      connection_.get_remote_ip_and_port(remote_, remote_port_);
      connection_.get_local_ip_and_port(local_, local_port_);
      std::uniform_real_distribution<double> jitter(0.8, 1.2);
      const double scale = jitter(random_source());
      const ListenerOptions& options = server.options_;
      old_ = std::chrono::steady_clock::now() +
             std::chrono::duration_cast<Duration>(options.max_connection_age * scale);
      left_ = std::max<std::size_t>(
          1, static_cast<std::size_t>(static_cast<double>(options.max_requests_per_connection) * scale));
      owner_.socket = socket;  // last: until here it is the caller's
    }

    int socket() const noexcept override { return connection_.socket(); }
    bool send_answers() override { return connection_.send_ready(); }

    Outcome serve() override {
      try {
        if (!connection_.flush()) return Outcome::kOver;  // what the peer did not take at once
        Outcome outcome = Outcome::kNothing;
        do {
          const Connection::Arrival arrival = connection_.arrived();
          if (arrival == Connection::Arrival::kEnd) return Outcome::kOver;
          if (arrival == Connection::Arrival::kNothing) return outcome;
          outcome = serve_request();
        } while (outcome == Outcome::kAnswered && connection_.has_buffered());
        return outcome;
      } catch (
          const std::exception&) {  // no memory for the connection itself: all that is left is to close it
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

    Outcome serve_request() {
      const bool last = --left_ == 0 || std::chrono::steady_clock::now() > old_;
      connection_.begin_headers();
      if (last) connection_.close_after_answer();
      bool closed = false;
      current_connection = &connection_;
      current_watch = &watch_;
      const bool answered = server_.process_request(connection_, remote_, remote_port_, local_, local_port_,
                                                    last, closed, nullptr);
      current_connection = nullptr;
      current_watch = nullptr;
      if (answered && !closed && !connection_.must_close()) return Outcome::kAnswered;
      if (connection_.flush() && answered) connection_.linger();
      return Outcome::kOver;
    }

    HttpServer& server_;
    Owner owner_;  ///< Before what uses the socket, so that it is closed last.
    Connection connection_;
    HangupWatcher::Watch watch_;
    std::string remote_;
    std::string local_;
    int remote_port_ = 0;
    int local_port_ = 0;
    TimePoint old_;
    std::size_t left_ = 0;  ///< Requests.
  };

  std::unique_ptr<Transport> make_transport(int socket) {
    std::unique_lock lock(tls_mutex_);
    if (!tls_) return plain_transport(socket);
    fcntl(socket, F_SETFL, O_NONBLOCK);
    return tls_->transport(socket);
  }

  /// Answers what cpp-httplib itself turned away: a request line or headers that are no HTTP.
  void refuse(const httplib::Request& request, httplib::Response& response) {
    Connection& connection = *current_connection;
    connection.close_after_answer();
    Exchange exchange;
    exchange.start = std::chrono::steady_clock::now();
    exchange.request_id = random_id();
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
      const std::string* value = find_header(request, name);
      if (value == nullptr) return std::nullopt;
      return *value;
    };
    try {
      process(exchange, request, reader);
    } catch (const std::bad_alloc&) {
      connection.leave_body_unread();  // it may be
      answer_error(exchange, out_of_memory());
    } catch (const std::exception&) {
      connection.leave_body_unread();
      answer_error(exchange, Error{ErrorCode::kInternal, "unexpected failure", {}});
    }
    if (exchange.close) connection.close_after_answer();
    send(exchange, response);
  }

  void process(Exchange& exchange, const httplib::Request& request, const httplib::ContentReader* reader) {
    Connection& connection = *current_connection;
    auto framing = body_framing(request, options_.max_body_bytes);
    const bool has_body = framing && *framing != BodyFraming::kNone;
    const bool reads_body = has_body && takes_body(request.method);
    if (has_body && !reads_body) connection.leave_body_unread();  // a GET with a body: not ours to read
    if (!framing) {
      connection.leave_body_unread();
      return answer_error(exchange, framing.error());
    }
    BodyBudget::Share share(budget_);
    if (!handler_.begin(exchange)) {
      if (reads_body) discard_body(connection, request, reader);
      return;
    }
    if (reads_body && !read_body(exchange, connection, request, reader, options_, share, buffers_)) return;
    if (!handler_.is_quick(exchange)) {
      connection.send_ready();  // what was answered before on this connection
      ConnectionPool::hand_over();
    }
    std::stop_source hung_up;
    exchange.hung_up = hung_up.get_token();
    current_watch->begin_request(std::move(hung_up));
    exchange.charge = [this, &share](std::size_t bytes) -> Result<void> {
      if (share.take(bytes)) return {};
      const bool never = bytes > options_.max_buffered_bytes;
      return fail(never ? ErrorCode::kInvalidArgument : ErrorCode::kOverloaded,
                  "body: reading it takes " + std::to_string(bytes) +
                      " bytes, which with the bodies of all "
                      "requests exceed max_buffered_bytes " +
                      std::to_string(options_.max_buffered_bytes),
                  never ? ErrorDetail::kTooLarge : ErrorDetail::kNone);
    };
    handler_.handle(exchange);
    exchange.charge = nullptr;
    current_watch->end_request();
  }

  void send(Exchange& exchange, httplib::Response& response) {
    if (handler_.closing()) current_connection->close_after_answer();
    handler_.finish(exchange);
    response.status = exchange.status;
    for (const auto& [name, value] : exchange.headers) response.set_header(name, value);
    response.set_header("X-Request-Id", exchange.request_id);
    std::vector<std::string_view> parts{exchange.response};
    for (const Tensor& tensor : exchange.binary)
      parts.emplace_back(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
    std::size_t size = 0;
    for (const std::string_view part : parts) size += part.size();
    const std::string_view encoding = exchange.compressible && size >= kCompressBytes
                                          ? accepted_encoding(exchange.header("Accept-Encoding").value_or(""))
                                          : "";
    if (!encoding.empty()) {
      if (auto compressed = compress(encoding, parts)) {
        response.set_header("Content-Encoding", std::string(encoding));
        exchange.response = *std::move(compressed);
        exchange.binary.clear();
        size = exchange.response.size();
      }
    }
    // Not as the response's body, which cpp-httplib would compress for everybody who can read that.
    response.set_content_provider(size, exchange.content_type,
                                  [text = std::move(exchange.response), binary = std::move(exchange.binary)](
                                      std::size_t, std::size_t, httplib::DataSink& sink) {
                                    bool taken = sink.write(text.data(), text.size());
                                    for (std::size_t i = 0; taken && i < binary.size(); ++i)
                                      taken = sink.write(reinterpret_cast<const char*>(binary[i].data()),
                                                         binary[i].bytes());
                                    return taken;
                                  });
  }

  const ListenerOptions& options_;
  RequestHandler& handler_;
  HangupWatcher watcher_;
  BodyBudget budget_{options_.max_buffered_bytes};
  const BufferPool buffers_;  ///< Of bodies.
  std::mutex tls_mutex_;
  std::shared_ptr<const TlsContext> tls_;  ///< Null: no TLS.
};

}  // namespace

struct Listener::Impl {
  Impl(ListenerOptions given, RequestHandler& handler)
      : options(std::move(given)),
        server(options, handler),
        pool({options.max_connections, options.leaders, options.idle_timeout},
             [this](int socket) { return server.open(socket); }) {}

  const ListenerOptions options;
  HttpServer server;
  ConnectionPool pool;
  Acceptor acceptor;
  bool running = false;
};

Listener::Listener(ListenerOptions options, RequestHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

Listener::~Listener() { stop(); }

Result<int> Listener::bind() { return impl_->acceptor.bind(impl_->options.host, impl_->options.port); }

void Listener::use_tls(std::shared_ptr<const TlsContext> tls) { impl_->server.set_tls(std::move(tls)); }

void Listener::start() {
  impl_->server.start(impl_->acceptor.socket());
  impl_->acceptor.start([this](int socket) { impl_->pool.add(socket); }, [this] { impl_->pool.make_room(); });
  impl_->running = true;
}

void Listener::stop() {
  if (!std::exchange(impl_->running, false)) return;
  impl_->acceptor.refuse();
  impl_->pool.shutdown();  // also frees the acceptor, should it wait for a thread
  impl_->acceptor.stop();
}

}  // namespace infer::http
