#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::http {

/// What a peer that is not slow sends or takes in a second, in bytes.
inline constexpr std::size_t kPeerStep = 4096;
/// Without a step for so long a peer is slow: several seconds, since a packet that is lost comes again after
/// one, and a kernel tells of progress in jumps.
inline constexpr std::chrono::milliseconds kPeerSlowAfter{3'000};

/// A session's place among the connections of the pool that owns it. To be used within `Session::serve`
/// alone, by the thread that serves.
class Place {
 public:
  /// What the peer is to do.
  enum class Peer : std::uint8_t { kSends, kTakes };

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  /// To be called before the session waits or computes for long: another thread looks after the other
  /// connections from now on. Costs next to nothing when that has happened already.
  virtual void hand_over() noexcept = 0;
  /// From now on the session waits for its peer, which has moved on last at `since`: the connection may have
  /// to make room for another one. The socket is shut down then, which ends the wait: for reading where the
  /// peer was to send, so that it can still be told why, both ways where it was to take.
  virtual void begin_wait(Peer peer, TimePoint since) noexcept = 0;
  /// False: the connection made room, and is to be over.
  virtual bool end_wait() noexcept = 0;
};

/// A connection, as the pool sees it. Closes its socket when it is destroyed.
class Session {
 public:
  enum class Outcome { kNothing, kAnswered, kOver };

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  virtual int socket() const noexcept = 0;
  /// Answers what has arrived; called when the socket is readable, by one thread at a time. `kNothing`: no
  /// request has come whole. With `kAnswered`, `send_answers` is called soon. With `leave` the session is to
  /// be over unless a request has come whole.
  virtual Outcome serve(bool leave) = 0;
  /// By when the rest of a request must come that has begun; `kNever` where none has.
  virtual TimePoint due() const noexcept { return kNever; }
  /// Sends what `serve` has answered, as far as the peer takes it without waiting. False: something is left,
  /// and `serve` is called when the socket is writable, to begin with that.
  virtual bool send_answers() = 0;
};

}  // namespace infer::http
