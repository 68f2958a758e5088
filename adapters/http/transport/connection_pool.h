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

/// A pool of threads that serve connections as leader and followers. A leader waits for all idle
/// connections of its share and answers quick requests itself, without changing threads. Before a thread
/// waits or computes for long, it hands the lead over (`Place::hand_over`), so that each request in
/// progress has a thread and idle connections have none. Of requests that arrive together, the quick ones
/// are answered first and all answers are sent afterwards, which wakes a sleeping peer only once.
///
/// Threads start when needed and end after ten idle seconds. Beyond `limit` connections, each new
/// connection closes another one: the one that has been idle longest, else the one with the oldest
/// incomplete request head, else the one whose peer is slowest to send a body or take an answer. A peer
/// that sends or takes `kPeerStep` each second is not slow. Requests that have arrived completely are
/// answered first.
class ConnectionPool {
 public:
  struct Options {
    std::size_t limit = 1024;  ///< Maximum number of connections.
    std::size_t leaders =
        1;  ///< Threads that wait for connections and answer quick requests: one for each core.
    std::chrono::milliseconds idle_timeout{15'000};
  };

  /// Makes a session, which then owns the socket. If the result is null or an exception is thrown, the pool
  /// closes the socket. `place` outlives the session.
  using Open = std::function<std::unique_ptr<Session>(int socket, Place& place)>;

  /// Throws `std::system_error` if there are no descriptors.
  ConnectionPool(const Options& options, Open open);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// Adds a connection. Blocks while the limit is reached and each connection has a request in progress
  /// with a peer that is not slow.
  void add(int socket);
  /// Closes one connection that is idle, has an incomplete request head, or has a slow peer.
  void make_room();
  /// Closes idle connections and waits until all threads have ended. After two seconds, cuts off
  /// connections that still wait for their clients. Idempotent.
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
  /// Connections that become idle must close: another connection waits for room, or the pool shuts down.
  std::atomic<bool> crowded_{false};
  std::size_t threads_ = 0;
  std::size_t followers_ = 0;  ///< Threads that wait and were not called yet.
  std::size_t called_ = 0;     ///< Calls that no follower has received yet.
  bool closing_ = false;
};

}  // namespace infer::http
