#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/clock.h"
#include "transport/listener_options.h"
#include "transport/session.h"
#include "transport/transport.h"

namespace infer::http {

/// The buffered bytes of one connection, with limits on size and total time.
class Connection {
 public:
  enum class Fault { kNone, kBodyTimeout, kMadeRoom, kClosed };

  /// `transport` belongs to `socket`, which must not block. `place` belongs to the session.
  Connection(int socket, std::unique_ptr<Transport> transport, const ListenerOptions& options, Place& place);

  enum class Arrival { kNothing, kPart, kHead, kTooLarge, kEnd };
  /// Reads arrived bytes of the next request's head without blocking. After `kTooLarge`, the bytes stay
  /// readable.
  Arrival take_head();
  /// Returns the head, complete or not. Valid until the next `take_head` after a complete head.
  std::string_view head() const noexcept { return head_; }
  /// Returns the time by which a head that has begun must be complete, or `kNever` if none has begun.
  TimePoint head_deadline() const noexcept { return head_deadline_; }

  bool has_buffered() const noexcept { return read_at_ < read_end_ || transport_->has_pending(); }
  void begin_body(TimePoint now) {
    read_deadline_ = now + options_.body_timeout;
    sent_to_us_.begin(now);
  }
  /// Returns the arrived bytes of the body, and waits if there are none. Empty at the end of the connection
  /// or after the deadline.
  std::string_view peek();
  /// Removes the first `size` bytes that `peek` returned.
  void skip(std::size_t size) noexcept { read_at_ += size; }
  /// Reads part of a body whose next `size` bytes are certain to follow. Returns 0 or less at the end of
  /// the connection or after the deadline.
  ssize_t read_known(char* data, std::size_t size);

  /// Call this if the body was not read completely: what follows on the connection is then not a request.
  void leave_body_unread() noexcept { close_ = true; }
  void close_after_answer() noexcept { close_ = true; }
  bool must_close() const noexcept { return close_ || fault_ != Fault::kNone; }
  Fault fault() const noexcept { return fault_; }

  /// Buffers the data, and sends large data at once.
  void write(std::string_view data);
  /// Sends the buffered data. Returns false if the peer does not take it.
  bool flush();
  /// Sends buffered data as far as possible without waiting. Returns false if data is left.
  bool send_ready();
  /// Ends the connection such that a peer which is still sending can read the answer.
  void linger();

  int socket() const noexcept { return socket_; }
  /// The peer's numeric address. Empty if the connection is already closed.
  const std::string& remote() const noexcept { return remote_; }

 private:
  /// Remembers when the peer last moved another `kPeerStep` bytes.
  class Progress {
   public:
    void begin(TimePoint now) {
      since_ = now;
      bytes_ = 0;
    }
    void add(std::size_t bytes, TimePoint now) {
      bytes_ += bytes;
      if (bytes_ >= kPeerStep) begin(now);
    }
    TimePoint since() const noexcept { return since_; }

   private:
    TimePoint since_{};
    std::size_t bytes_ = 0;
  };

  /// Waits a limited time for the peer. `kBodyTimeout`: the deadline has passed.
  Fault wait(ssize_t wanted, Place::Peer peer, const Progress& progress, TimePoint deadline) const;
  ssize_t receive(char* data, std::size_t size);
  bool send(const char* data, std::size_t size);

  const int socket_;
  const std::string remote_;
  const std::unique_ptr<Transport> transport_;
  const ListenerOptions& options_;
  Place& place_;
  std::vector<char> buffer_;
  std::size_t read_at_ = 0;
  std::size_t read_end_ = 0;
  std::string head_;
  std::size_t head_seen_ = 0;
  bool head_complete_ = false;
  TimePoint head_deadline_ = kNever;
  std::string out_;
  TimePoint read_deadline_ = kNever;
  Progress sent_to_us_;  ///< Progress of the body.
  bool close_ = false;
  Fault fault_ = Fault::kNone;
  bool send_failed_ = false;  ///< A part of an answer was lost.
};

}  // namespace infer::http
