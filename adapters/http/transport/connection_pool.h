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
#include "transport/session.h"

namespace infer::http {

/// Threads that serve connections as leader and followers: a leader waits for all idle connections of its
/// share and answers itself what takes no time, without any change of threads. Whoever is about to wait or to
/// compute for long hands the lead over first (`Place::hand_over`), so that a thread is busy for each request
/// under way and none for a connection that idles. Of requests that came together, the quick ones are
/// answered first and the answers sent then: a peer that sleeps is woken once for all of them.
///
/// Threads start when needed and leave after ten idle seconds. Beyond `limit` connections, one is closed for
/// each that comes: the one that idles the longest, as HTTP allows at any time, else the one whose request
/// head has begun the longest ago and is not complete, else the one whose peer is slowest to send a body or
/// to take an answer. A peer that sends or takes `kPeerStep` each second is not slow. What has arrived
/// unread is answered first.
class ConnectionPool {
 public:
  struct Options {
    std::size_t limit = 1024;  ///< Connections.
    std::size_t leaders = 1;   ///< Threads that answer at once what takes no time: one a core.
    std::chrono::milliseconds idle_timeout{15'000};
  };

  /// Makes a session of a new connection, whose socket is then the session's; null or an exception leave it
  /// to be closed. `place` outlives the session.
  using Open = std::function<std::unique_ptr<Session>(int socket, Place& place)>;

  /// Throws `std::system_error` where the kernel has no descriptors for it.
  ConnectionPool(const Options& options, Open open);
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

 private:
  struct Entry;
  struct Share;
  struct Turn;

  void run();
  void lead(Share& share);
  void serve(Turn& turn, Entry& entry);
  void hand_over(Turn& turn, Entry& entry) noexcept;
  void send_answers(Turn& turn);
  void find_leader() noexcept;
  Share* without_leader() noexcept;
  void remove(Entry& entry);
  void close_one();
  static void ask_to_leave(Entry& entry);
  int close_overdue(Share& share);
  bool is_done(Share& share);

  const Options options_;
  const Open open_session_;
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
