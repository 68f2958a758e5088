#include "client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "httplib_config.h"

namespace infer::http {
namespace {

using std::chrono::milliseconds;

/// An answer is held in memory, so an endless one must not take all of it.
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20;

/// Sends a request and reads its answer, all before `deadline`. A server that sends a byte now and then
/// cannot extend the deadline. Writes to `why` the reason for giving up.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int fd, TimePoint deadline, std::string& why) : fd_(fd), deadline_(deadline), why_(why) {}

  bool is_readable() const override { return begin_ < end_ || wait_for(fd_, POLLIN, deadline_); }
  bool is_writable() const override { return wait_for(fd_, POLLOUT, deadline_); }

  ssize_t read(char* to, std::size_t size) override {
    if (begin_ == end_) {  // lines are read byte by byte
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
      if (std::chrono::steady_clock::now() >= deadline_)
        return give_up("the answer was not complete in time");
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

/// cpp-httplib limits each wait but not their sum, and does not say why it could not connect.
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

}  // namespace infer::http
