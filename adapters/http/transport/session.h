#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::http {

/// A peer that sends or takes fewer bytes than this within `kPeerSlowAfter` is slow.
inline constexpr std::size_t kPeerStep = 4096;
/// Several seconds, because a lost packet is sent again only after a second, and the kernel reports
/// progress in jumps.
inline constexpr std::chrono::milliseconds kPeerSlowAfter{3'000};

/// A session's place in its pool. Used only within `Session::serve`, by the serving thread.
class Place {
 public:
  /// What the peer must do next.
  enum class Peer : std::uint8_t { kSends, kTakes };

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  /// Call this before the session waits or computes for long: another thread then takes over the other
  /// connections. A second call costs almost nothing.
  virtual void hand_over() noexcept = 0;
  /// The session now waits for its peer, whose last progress was at `since`, and may have to make room for
  /// another connection. Making room ends the wait by shutting the socket down: only for reading if the
  /// peer should send, so that the peer can still be told why, else in both directions.
  virtual void begin_wait(Peer peer, TimePoint since) noexcept = 0;
  /// Returns false if the connection made room and must end.
  virtual bool end_wait() noexcept = 0;
};

/// A connection as the pool sees it. Its destructor closes the socket.
class Session {
 public:
  enum class Outcome { kNothing, kAnswered, kOver };

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  virtual int socket() const noexcept = 0;
  /// Answers what has arrived. Called by one thread at a time, when the socket is readable. `kNothing`: no
  /// complete request has arrived. `kAnswered`: `send_answers` follows soon. With `leave`, the session must
  /// end unless a complete request has arrived.
  virtual Outcome serve(bool leave) = 0;
  /// Returns by when a request that has begun must be complete, or `kNever` if none has begun.
  virtual TimePoint due() const noexcept { return kNever; }
  /// Sends answers as far as possible without waiting. Returns false if data is left; then `serve` is
  /// called when the socket is writable, and sends that data first.
  virtual bool send_answers() = 0;
};

}  // namespace infer::http
