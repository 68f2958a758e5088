#include "client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <future>
#include <string_view>
#include <thread>
#include <utility>

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

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// An answer is held in memory: one that does not end must not take all of it.
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20;

/// Milliseconds until `deadline`, for poll: at least 0, rounded up.
int left_until(TimePoint deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

bool wait_for(int fd, short events, TimePoint deadline) {
  pollfd waiting{fd, events, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, left_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

/// Addresses of a host. A name server that does not answer holds up a thread that nobody waits for.
Result<Addresses> resolve(const std::string& host, int port, TimePoint deadline) {
  const auto ask = [host, service = std::to_string(port)](int flags) -> Result<Addresses> {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), service.c_str(), &hints, &found); error != 0)
      return fail(ErrorCode::kUnavailable, gai_strerror(error));
    return Addresses(found, freeaddrinfo);
  };
  if (auto numeric = ask(AI_NUMERICHOST)) return numeric;
  auto answer = std::make_shared<std::promise<Result<Addresses>>>();
  auto future = answer->get_future();
  std::thread([answer, ask] { answer->set_value(ask(0)); }).detach();
  if (future.wait_until(deadline) != std::future_status::ready)
    return fail(ErrorCode::kUnavailable, "no answer from the name server about '" + host + "' in time");
  return future.get();
}

/// A Unix socket either connects at once or not at all.
Result<int> connect_to_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kUnavailable, "the socket's path is too long");
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  if (fd >= 0) close(fd);
  return fail(ErrorCode::kUnavailable, std::strerror(error));
}

/// A connected socket that does not block, the caller's to close. Errors: `kUnavailable`, with the reason.
Result<int> connect_to(const std::string& host, int port, TimePoint deadline) {
  if (host.starts_with('/')) return connect_to_path(host);
  auto addresses = resolve(host, port, deadline);
  if (!addresses) return Unexpected(std::move(addresses).error());
  std::string reason = "no address";
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    const int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    int error = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      socklen_t length = sizeof error;
      if (!wait_for(fd, POLLOUT, deadline)) {
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

/// A request and its answer on a connected socket, all of it before `deadline`: a server that sends a byte
/// now and then does not put it off. Says in `why` what it gave up for.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int fd, TimePoint deadline, std::string& why) : fd_(fd), deadline_(deadline), why_(why) {}

  bool is_readable() const override { return begin_ < end_ || wait_for(fd_, POLLIN, deadline_); }
  bool is_writable() const override { return wait_for(fd_, POLLOUT, deadline_); }

  ssize_t read(char* to, std::size_t size) override {
    if (begin_ == end_) {  // lines are read a byte at a time
      const ssize_t got = repeated(POLLIN, [&] { return recv(fd_, buffer_.data(), buffer_.size(), 0); });
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
      total_ += end_;
      if (total_ > kMaxAnswer) return give_up("the answer is longer than 256 MiB");
    }
    const std::size_t taken = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, taken);
    begin_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, std::size_t size) override {
    return repeated(POLLOUT, [&] { return ::send(fd_, from, size, MSG_NOSIGNAL); });
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return fd_; }

 private:
  template <class Call>
  ssize_t repeated(short events, Call call) {
    while (true) {
      if (std::chrono::steady_clock::now() >= deadline_) return give_up("no whole answer in time");
      const ssize_t done = call();
      if (done >= 0 || (errno != EAGAIN && errno != EINTR)) return done;
      (void)wait_for(fd_, events, deadline_);
    }
  }
  ssize_t give_up(const char* why) {
    why_ = why;
    return -1;
  }

  const int fd_;
  const TimePoint deadline_;
  std::string& why_;
  std::array<char, 16384> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t total_ = 0;
};

/// cpp-httplib's own bounds each wait and not their sum, and says that it could not connect, but not why.
class HttpClient final : public httplib::ClientImpl {
 public:
  HttpClient(const Url& url, milliseconds timeout) : ClientImpl(url.host, url.port), timeout_(timeout) {
    set_keep_alive(true);
  }
  Result<ClientResponse> send_in_time(const httplib::Request& request) {
    deadline_ = std::chrono::steady_clock::now() + timeout_;
    why_.clear();
    const auto response = send(request);
    if (response) return ClientResponse{response->status, response->body};
    return fail(ErrorCode::kUnavailable, why_.empty() ? httplib::to_string(response.error()) : why_);
  }

 private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    auto fd = connect_to(host_, port_, deadline_);
    if (!fd) {
      why_ = fd.error().message;
      error = httplib::Error::Connection;
      return false;
    }
    const int on = 1;
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket.sock = *fd;
    return true;
  }
  bool process_socket(const Socket& socket, std::function<bool(httplib::Stream&)> callback) override {
    BoundedStream stream(socket.sock, deadline_, why_);
    return callback(stream);
  }

  const milliseconds timeout_;
  TimePoint deadline_;
  std::string why_;
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
  for (const auto& [name, value] : request.headers) out.set_header(name, value);
  if (!request.content_type.empty()) out.set_header("Content-Type", request.content_type);
  return impl_->client.send_in_time(out);
}

Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout) {
  auto fd = connect_to(host, port, std::chrono::steady_clock::now() + timeout);
  if (!fd) return Unexpected(std::move(fd).error());
  close(*fd);
  return {};
}

}  // namespace infer::http
