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

/// The bytes of one connection: buffered both ways, and bounded in size and total time.
class Connection {
 public:
  enum class Fault { kNone, kBodyTimeout, kMadeRoom, kClosed };

  /// `transport` is that of `socket`, which must not block; `place` is that of the session.
  Connection(int socket, std::unique_ptr<Transport> transport, const ListenerOptions& options, Place& place);

  enum class Arrival { kNothing, kPart, kHead, kTooLarge, kEnd };
  /// Takes what has arrived of the next request's head; never blocks. `kTooLarge` leaves what was read.
  Arrival take_head();
  /// The head, complete or not, until the next `take_head` after a complete one.
  std::string_view head() const noexcept { return head_; }
  /// Until when the head must be complete that has begun; `kNever` where none has.
  TimePoint head_deadline() const noexcept { return head_deadline_; }

  bool has_buffered() const noexcept { return read_at_ < read_end_ || transport_->has_pending(); }
  void begin_body(TimePoint now) {
    read_deadline_ = now + options_.body_timeout;
    sent_to_us_.begin(now);
  }
  /// What has arrived of the body; waits for some where nothing has. Empty at the end of the connection or of
  /// the time.
  std::string_view peek();
  /// Takes the first `size` bytes of what `peek` has shown.
  void skip(std::size_t size) noexcept { read_at_ += size; }
  /// Reads a part of `size` bytes that are known to come; 0 or less at the end of the connection or of the
  /// time.
  ssize_t read_known(char* data, std::size_t size);

  /// Nothing of the body was read, or not all of it: what follows on the connection is no request.
  void leave_body_unread() noexcept { close_ = true; }
  void close_after_answer() noexcept { close_ = true; }
  bool must_close() const noexcept { return close_ || fault_ != Fault::kNone; }
  Fault fault() const noexcept { return fault_; }

  /// Sends it with what comes next, or now if it is much.
  void write(std::string_view data);
  /// Sends what was written. False if the peer does not take it.
  bool flush();
  /// Sends what was written, as far as the peer takes it without waiting. False: something is left.
  bool send_ready();
  /// Ends the connection so that a peer which is still sending gets to read the answer.
  void linger();

  int socket() const noexcept { return socket_; }
  /// The peer's address in numbers; empty where the connection is gone already.
  const std::string& remote() const noexcept { return remote_; }

 private:
  /// When the peer has moved on by another `kPeerStep`.
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

  /// Waits for the peer, for a while. `kBodyTimeout`: the time is over.
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
  Progress sent_to_us_;  ///< Of the body.
  bool close_ = false;
  Fault fault_ = Fault::kNone;
  bool send_failed_ = false;  ///< Of an answer a part is missing.
};

}  // namespace infer::http
