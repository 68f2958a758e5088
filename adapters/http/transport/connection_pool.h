#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "infer/core/clock.h"

namespace infer::http {

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

/// Threads that serve connections as leader and followers: a leader waits for all idle connections of its
/// share and answers itself what takes no time, without any change of threads. Whoever is about to wait or to
/// compute for long hands the lead over first (`hand_over`), so that a thread is busy for each request under
/// way and none for a connection that idles. Of requests that came together, the quick ones are answered
/// first and the answers sent then: a peer that sleeps is woken once for all of them.
///
/// Threads start when needed and leave after ten idle seconds. Beyond `limit` connections, one is closed for
/// each that comes: the one that idles the longest, as HTTP allows at any time, else the one whose request
/// head has begun the longest ago and is not complete, else the one whose peer is slowest to send a body or
/// to take an answer. A peer that sends or takes `kStepBytes` each second is not slow. What has arrived
/// unread is answered first.
class ConnectionPool {
  struct Entry;

 public:
  struct Options {
    std::size_t limit = 1024;  ///< Connections.
    std::size_t leaders = 1;   ///< Threads that answer at once what takes no time: one a core.
    std::chrono::milliseconds idle_timeout{15'000};
  };

  /// `open` makes a session of a new connection, whose socket is then the session's; null or an exception
  /// leave it to be closed. Throws `std::system_error` where the kernel has no descriptors for it.
  ConnectionPool(const Options& options, std::function<std::unique_ptr<Session>(int socket)> open);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// Takes a connection; blocks while there are too many and each has a request under way whose peer is not
  /// slow.
  void add(int socket);
  /// Closes one connection that idles, waits for the rest of a request head, or has a slow peer.
  void make_room();
  /// Closes idle connections and waits until all threads have left; connections that are still busy with
  /// their client after two seconds are cut off. Idempotent.
  void shutdown();

  /// What a peer that is not slow sends or takes in a second.
  static constexpr std::size_t kStepBytes = 4096;
  /// Without a step for so long a peer is slow: several seconds, since a packet that is lost comes again
  /// after one, and a kernel tells of progress in jumps.
  static constexpr std::chrono::milliseconds kSlowAfter{3'000};

  /// A wait for the peer within `Session::serve`: until its end the connection may have to make room for
  /// another one. The socket is shut down then, which ends the wait: for reading where the peer was to send,
  /// so that it can still be told why, both ways where it was to take.
  class PeerWait {
   public:
    enum class For : std::uint8_t { kSending, kTaking };
    /// `since`: when the peer had sent or taken the last `kStepBytes`.
    PeerWait(For what, TimePoint since) noexcept;
    ~PeerWait() { end(); }
    PeerWait(const PeerWait&) = delete;
    PeerWait& operator=(const PeerWait&) = delete;
    /// False: the connection made room, and is to be over. Idempotent.
    bool end() noexcept;

   private:
    Entry* const entry_;  ///< Null outside of a pool.
    bool made_room_ = false;
  };

  /// To be called in `Session::serve` before it waits or computes for long: another thread looks after the
  /// other connections from now on. Costs next to nothing when that has happened already, or elsewhere.
  static void hand_over() noexcept;

 private:
  struct Share;
  struct Turn;

  void run();
  void lead(Share& share);
  void serve(Turn& turn, Entry& entry);
  void send_answers(Turn& turn);
  void find_leader() noexcept;
  Share* without_leader() noexcept;
  void remove(Entry& entry);
  void close_one();
  static void ask_to_leave(Entry& entry);
  int close_overdue(Share& share);
  bool is_done(Share& share);

  static thread_local Turn* current_turn;

  const Options options_;
  const std::function<std::unique_ptr<Session>(int)> open_session_;
  std::vector<std::unique_ptr<Share>> shares_;
  std::mutex mutex_;
  std::condition_variable call_;
  std::condition_variable left_;
  std::size_t open_ = 0;
  /// Whoever becomes idle shall close: a connection waits for room, or all is to end.
  std::atomic<bool> crowded_{false};
  std::size_t threads_ = 0;
  std::size_t followers_ = 0;  ///< Threads that wait, and were not called yet.
  std::size_t called_ = 0;     ///< Calls that no follower has heard yet.
  bool closing_ = false;
};

}  // namespace infer::http
