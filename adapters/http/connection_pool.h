#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

namespace infer::http {

/// A thread for each connection, as many as there are connections, up to a limit.
///
/// Threads start when needed and leave after ten idle seconds. Beyond the limit a connection waits for a
/// thread; to make room, one connection that idles between two requests is closed, as HTTP allows at any
/// time.
class ConnectionPool {
 public:
  /// `serve` is called on a thread of the pool with each connection, and closes it.
  ConnectionPool(std::size_t limit, std::function<void(int socket)> serve)
      : limit_(limit), serve_(std::move(serve)) {}

  /// Takes a connection; blocks while too many wait for a thread already.
  void add(int socket);
  /// Closes one connection that idles.
  void make_room();
  /// Closes idle connections and waits until all threads have left; connections that are still busy with
  /// their client after two seconds are cut off.
  void shutdown();

  /// Makes a connection known while it lives.
  class Open {
   public:
    Open(ConnectionPool& pool, int socket);
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    friend ConnectionPool;
    ConnectionPool& pool_;
    const int socket_;
    std::atomic<bool> idle_{false};
  };

  /// Marks a connection as idle between requests while it lives. Costs no lock.
  class Idle {
   public:
    explicit Idle(Open& open);
    ~Idle() { open_.idle_.store(false); }
    Idle(const Idle&) = delete;
    Idle& operator=(const Idle&) = delete;

   private:
    Open& open_;
  };

 private:
  void run();
  void close_one_idle();

  const std::size_t limit_;
  const std::function<void(int)> serve_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable taken_;
  std::condition_variable left_;
  std::deque<int> waiting_;
  std::set<Open*> open_;
  /// Whoever becomes idle shall close: connections wait for a thread, or all is to end. What is idle is
  /// marked before this is read, and this set before the marks are: one of the two sees the other.
  std::atomic<bool> crowded_{false};
  std::size_t threads_ = 0;
  std::size_t free_threads_ = 0;
  bool closing_ = false;
};

}  // namespace infer::http
