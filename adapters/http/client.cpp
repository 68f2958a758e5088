#include "client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "httplib_config.h"

namespace infer::http {

Result<Url> Url::parse(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    return fail(ErrorCode::kInvalidArgument, "'" + text + "': " + why);
  };
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://")) return bad("https is not spoken; name the http address behind it");
  if (!text.starts_with(kScheme)) return bad("is not a URL like http://host:port/path");
  const std::string rest = text.substr(kScheme.size());
  Url url;
  const std::size_t slash = rest.find_first_of("/?");
  std::string authority = rest.substr(0, slash);
  if (slash != std::string::npos) url.target = (rest[slash] == '?' ? "/" : "") + rest.substr(slash);
  url.target = url.target.substr(0, url.target.find('#'));
  const std::size_t colon = authority.starts_with('[') ? authority.find("]:") : authority.rfind(':');
  if (colon != std::string::npos) {
    const std::size_t digits = authority.find(':', colon) + 1;
    const char* end = authority.data() + authority.size();
    const auto [stop, error] = std::from_chars(authority.data() + digits, end, url.port);
    if (error != std::errc() || stop != end || url.port < 1 || url.port > 65535)
      return bad("the port is not 1 to 65535");
    authority.resize(digits - 1);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return bad("names no host");
  url.host = authority;
  return url;
}

namespace {

/// A connected socket, the caller's to close. Errors: `kUnavailable`, with the reason.
Result<int> connect_to(const std::string& host, int port, std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return fail(ErrorCode::kUnavailable, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  std::string reason = "no address";
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    int error = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd waiting{fd, POLLOUT, 0};
      socklen_t length = sizeof error;
      if (poll(&waiting, 1, static_cast<int>(timeout.count())) != 1) {
        error = ETIMEDOUT;
      } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
      }
    }
    if (error == 0) return fd;
    if (fd >= 0) close(fd);
    reason = std::strerror(error);
  }
  return fail(ErrorCode::kUnavailable, reason);
}

/// cpp-httplib's own says that it could not connect, but not why.
class HttpClient final : public httplib::ClientImpl {
 public:
  HttpClient(const Url& url, std::chrono::milliseconds timeout)
      : ClientImpl(url.host, url.port), timeout_(timeout) {
    set_read_timeout(timeout);
    set_write_timeout(timeout);
    set_keep_alive(true);
  }
  const std::string& why_not_connected() const { return why_not_connected_; }

 private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    auto fd = connect_to(host_, port_, timeout_);
    if (!fd) {
      why_not_connected_ = fd.error().message;
      error = httplib::Error::Connection;
      return false;
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout_);
    const timeval limit{seconds.count(), std::chrono::microseconds(timeout_ - seconds).count()};
    const int on = 1;
    setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(*fd, F_SETFL, 0);  // to block from now on
    socket.sock = *fd;
    return true;
  }

  const std::chrono::milliseconds timeout_;
  std::string why_not_connected_;
};

}  // namespace

struct Client::Impl {
  HttpClient client;
};

Client::Client(const Url& url, std::chrono::milliseconds timeout)
    : impl_(new Impl{HttpClient(url, timeout)}) {}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Result<ClientResponse> Client::send(const ClientRequest& request) {
  httplib::Request out;
  out.method = request.method;
  out.path = request.target;
  out.body = request.body;
  if (!request.content_type.empty()) out.set_header("Content-Type", request.content_type);
  const auto response = impl_->client.send(out);
  if (response) return ClientResponse{response->status, response->body};
  return fail(ErrorCode::kUnavailable, response.error() == httplib::Error::Connection
                                           ? impl_->client.why_not_connected()
                                           : httplib::to_string(response.error()));
}

Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout) {
  auto fd = connect_to(host, port, timeout);
  if (!fd) return Unexpected(std::move(fd).error());
  close(*fd);
  return {};
}

}  // namespace infer::http
