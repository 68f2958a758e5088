#include "connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "connection_pool.h"

namespace infer::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBuffer = 16 << 10;
constexpr std::size_t kWriteBuffer = 256 << 10;
constexpr std::size_t kBulkBytes = 256 << 10;
constexpr milliseconds kLinger{500};
constexpr std::size_t kLingerBytes = std::size_t{4} << 20;

/// True when `events` came before `deadline`.
bool wait_socket(int socket, short events, TimePoint deadline) {
  ConnectionPool::hand_over();
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd poll_socket{socket, events, 0};
    const int ready = ::poll(&poll_socket, 1, static_cast<int>(std::min<long long>(left.count(), 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

Connection::Connection(int socket, std::unique_ptr<Transport> transport, const ListenerOptions& options)
    : socket_(socket),
      remote_(socket, ::getpeername),
      local_(socket, ::getsockname),
      transport_(std::move(transport)),
      options_(options),
      buffer_(kReadBuffer) {}

Connection::Address::Address(int socket, int (*name_of)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> host{};
  if (name_of(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, host.data(), host.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return;
  ip = host.data();
  // The port lies at the same place for IPv4 and IPv6.
  port = ntohs(reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
}

Connection::Arrival Connection::arrived() {
  if (has_buffered()) return Arrival::kBytes;
  if (!transport_->is_set_up()) ConnectionPool::hand_over();
  const ssize_t count = transport_->receive(buffer_.data(), buffer_.size());
  if (count == 0 || count == Transport::kBroken) return Arrival::kEnd;
  if (count < 0) return Arrival::kNothing;
  read_at_ = 0;
  read_end_ = static_cast<std::size_t>(count);
  return Arrival::kBytes;
}

void Connection::begin_headers() {
  in_headers_ = true;
  header_bytes_left_ = options_.max_header_bytes;
  read_deadline_ = std::chrono::steady_clock::now() + options_.header_timeout;
}

void Connection::begin_body() {
  in_headers_ = false;
  read_deadline_ = std::chrono::steady_clock::now() + options_.body_timeout;
}

ssize_t Connection::receive(char* data, std::size_t size) {
  if (fault_ != Fault::kNone) return -1;
  while (true) {
    const ssize_t count = transport_->receive(data, size);
    if (count > 0) return count;
    if (count == 0 || count == Transport::kBroken) {
      fault_ = Fault::kClosed;
      return count;
    }
    // What the peer may wait for before it goes on: "100 Continue".
    if (!out_.empty() && !flush()) return -1;
    if (!wait_socket(socket_, count == Transport::kWantRead ? POLLIN : POLLOUT, read_deadline_)) {
      fault_ = in_headers_ ? Fault::kHeaderTimeout : Fault::kBodyTimeout;
      return -1;
    }
  }
}

ssize_t Connection::read(char* data, std::size_t size) {
  // cpp-httplib takes headers byte by byte: two hundred of these calls a request.
  if (size == 1 && read_at_ != read_end_ && header_bytes_left_ > 0 && in_headers_) {
    *data = buffer_[read_at_++];
    --header_bytes_left_;
    return 1;
  }
  if (fault_ != Fault::kNone && !has_buffered()) return -1;
  if (read_at_ == read_end_) {
    if (!in_headers_ && size >= buffer_.size()) return receive(data, size);
    const ssize_t count = receive(buffer_.data(), buffer_.size());
    if (count <= 0) return count;
    read_at_ = 0;
    read_end_ = static_cast<std::size_t>(count);
  }
  std::size_t count = std::min(size, read_end_ - read_at_);
  if (in_headers_) {
    if (header_bytes_left_ == 0) {
      fault_ = Fault::kHeaderTooLarge;
      return -1;
    }
    count = std::min(count, header_bytes_left_);
    header_bytes_left_ -= count;
  }
  std::memcpy(data, buffer_.data() + read_at_, count);
  read_at_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::read_known(char* data, std::size_t size) {
  wake_after(size);
  const ssize_t count = read(data, size);
  if (count <= 0 || static_cast<std::size_t>(count) == size) wake_after(1);
  return count;
}

/// Lets a large body wake its thread for a large part at a time, not for each packet.
void Connection::wake_after(std::size_t bytes) {
  const int wanted = bytes < kBulkBytes ? 1 : static_cast<int>(kBulkBytes);
  if (wanted == wake_bytes_) return;
  wake_bytes_ = wanted;
  setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
}

bool Connection::is_readable() const {
  return has_buffered() || wait_socket(socket_, POLLIN, read_deadline_);
}

ssize_t Connection::write(const char* data, std::size_t size) {
  if (out_.size() + size < kWriteBuffer) {
    out_.append(data, size);
  } else if (!flush() || !send(data, size)) {
    return -1;
  }
  return static_cast<ssize_t>(size);
}

bool Connection::flush() {
  const bool sent = send(out_.data(), out_.size());
  out_.clear();
  return sent;
}

bool Connection::send_ready() {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t count = transport_->send(out_.data() + sent, out_.size() - sent);
    if (count == Transport::kWantRead || count == Transport::kWantWrite) break;
    if (count <= 0) {
      fault_ = Fault::kClosed;
      sent = out_.size();
    } else {
      sent += static_cast<std::size_t>(count);
    }
  }
  out_.erase(0, sent);
  return out_.empty();
}

bool Connection::send(const char* data, std::size_t size) {
  const TimePoint deadline = std::chrono::steady_clock::now() + options_.write_timeout;
  while (size > 0) {
    const ssize_t count = transport_->send(data, size);
    if (count > 0) {
      data += count;
      size -= static_cast<std::size_t>(count);
    } else if (count == Transport::kBroken || count == 0 ||
               !wait_socket(socket_, count == Transport::kWantRead ? POLLIN : POLLOUT, deadline)) {
      fault_ = Fault::kClosed;
      return false;
    }
  }
  return true;
}

void Connection::linger() {
  transport_->close_sending();
  // Closing with unread bytes would reset the connection, and the answer could be lost with it.
  const TimePoint deadline = std::chrono::steady_clock::now() + kLinger;
  for (std::size_t total = 0; total < kLingerBytes;) {
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count > 0) {
      total += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EAGAIN || !wait_socket(socket_, POLLIN, deadline)) {
      return;
    }
  }
}

}  // namespace infer::http
