#include "transport/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "message/fields.h"

namespace infer::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBuffer = 16 << 10;
constexpr std::size_t kWriteBuffer = 256 << 10;
constexpr milliseconds kLinger{500};
constexpr std::size_t kLingerBytes = std::size_t{4} << 20;
/// How long to wait at a time. Afterwards, bytes too few to wake the thread count as progress.
constexpr milliseconds kWait{500};

/// Waits a limited time for `events`. Returns false once `deadline` has passed.
bool wait_socket(int socket, short events, TimePoint deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd poll_socket{socket, events, 0};
  return ::poll(&poll_socket, 1, static_cast<int>(std::min(left, kWait).count())) >= 0 || errno == EINTR;
}

/// Returns a numeric address. Empty if the connection is already closed.
std::string address_of_peer(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> host{};
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, host.data(), host.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return {};
  return host.data();
}

}  // namespace

Connection::Connection(int socket, std::unique_ptr<Transport> transport, const ListenerOptions& options,
                       Place& place)
    : socket_(socket),
      remote_(address_of_peer(socket)),
      transport_(std::move(transport)),
      options_(options),
      place_(place),
      buffer_(kReadBuffer) {}

Connection::Arrival Connection::take_head() {
  if (head_complete_) {
    head_.clear();
    head_seen_ = 0;
    head_complete_ = false;
  }
  if (!transport_->is_set_up()) place_.hand_over();
  while (true) {
    if (read_at_ == read_end_) {
      const ssize_t count = transport_->receive(buffer_.data(), buffer_.size());
      if (count == 0 || count == Transport::kBroken) return Arrival::kEnd;
      if (count < 0) break;
      read_at_ = 0;
      read_end_ = static_cast<std::size_t>(count);
    }
    const std::size_t before = head_.size();
    const std::size_t size = std::min(read_end_ - read_at_, options_.max_header_bytes + 1 - before);
    head_.append(buffer_.data() + read_at_, size);
    const std::size_t end = find_block_end(head_, head_seen_);
    const bool found = end != std::string::npos;
    read_at_ += found ? end - before : size;
    if (found) head_.resize(end);
    if (head_.size() > options_.max_header_bytes) return Arrival::kTooLarge;
    if (!found) continue;
    head_complete_ = true;
    head_deadline_ = kNever;
    return Arrival::kHead;
  }
  if (head_.empty()) return Arrival::kNothing;
  if (head_deadline_ == kNever) head_deadline_ = std::chrono::steady_clock::now() + options_.header_timeout;
  return Arrival::kPart;
}

Connection::Fault Connection::wait(ssize_t wanted, Place::Peer peer, const Progress& progress,
                                   TimePoint deadline) const {
  place_.hand_over();
  place_.begin_wait(peer, progress.since());
  const bool in_time = wait_socket(socket_, wanted == Transport::kWantRead ? POLLIN : POLLOUT, deadline);
  if (!place_.end_wait()) return Fault::kMadeRoom;
  return in_time ? Fault::kNone : Fault::kBodyTimeout;
}

ssize_t Connection::receive(char* data, std::size_t size) {
  if (fault_ != Fault::kNone) return -1;
  while (true) {
    const ssize_t count = transport_->receive(data, size);
    if (count == 0 || count == Transport::kBroken) {
      fault_ = Fault::kClosed;
      return count;
    }
    if (count > 0) {
      // The limit applies to the total time, also if bytes keep coming.
      const TimePoint now = std::chrono::steady_clock::now();
      if (now >= read_deadline_) {
        fault_ = Fault::kBodyTimeout;
        return -1;
      }
      sent_to_us_.add(static_cast<std::size_t>(count), now);
      return count;
    }
    // The peer may be waiting for "100 Continue" before it sends its body.
    if (!out_.empty() && !flush()) return -1;
    fault_ = wait(count, Place::Peer::kSends, sent_to_us_, read_deadline_);
    if (fault_ != Fault::kNone) return -1;
  }
}

std::string_view Connection::peek() {
  if (read_at_ == read_end_) {
    const ssize_t count = receive(buffer_.data(), buffer_.size());
    if (count <= 0) return {};
    read_at_ = 0;
    read_end_ = static_cast<std::size_t>(count);
  }
  return {buffer_.data() + read_at_, read_end_ - read_at_};
}

ssize_t Connection::read_known(char* data, std::size_t size) {
  if (read_at_ == read_end_ && size >= buffer_.size()) {
    transport_->wake_after(size);
    const ssize_t count = receive(data, size);
    transport_->wake_after(1);  // the next reader may need fewer bytes
    return count;
  }
  const std::string_view there = peek().substr(0, size);
  std::copy(there.begin(), there.end(), data);
  skip(there.size());
  return static_cast<ssize_t>(there.size());
}

void Connection::write(std::string_view data) {
  if (out_.size() + data.size() < kWriteBuffer) {
    out_.append(data);
  } else if (flush()) {
    send(data.data(), data.size());
  }
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
  if (send_failed_) return false;  // nothing may follow a gap, and nothing should wait twice
  const TimePoint begun = std::chrono::steady_clock::now();
  const TimePoint deadline = begun + options_.write_timeout;
  Progress taken;
  taken.begin(begun);
  while (size > 0) {
    const ssize_t count = transport_->send(data, size);
    if (count > 0) {
      data += count;
      size -= static_cast<std::size_t>(count);
      const TimePoint now = std::chrono::steady_clock::now();
      taken.add(static_cast<std::size_t>(count), now);
      // The limit applies to the total time, also if the peer keeps taking a little.
      if (size == 0 || now < deadline) continue;
    }
    if (count > 0 || count == Transport::kBroken || count == 0 ||
        wait(count, Place::Peer::kTakes, taken, deadline) != Fault::kNone) {
      fault_ = Fault::kClosed;
      send_failed_ = true;
      return false;
    }
  }
  return true;
}

void Connection::linger() {
  transport_->close_sending();
  // Closing with unread bytes would reset the connection and could lose the answer.
  place_.hand_over();
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
