#pragma once

#include <functional>
#include <string>
#include <thread>

#include "infer/core/result.h"
#include "transport/socket_file.h"

namespace infer::http {

/// A listening TCP or Unix socket, and the thread that accepts connections. No error of `accept` ends the
/// thread: while descriptors or memory are exhausted, clients wait in the kernel's queue.
class Acceptor {
 public:
  Acceptor() = default;
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Binds and listens. Returns the port. Errors: `kFailedPrecondition` (address in use, no permission, no
  /// such address).
  Result<int> bind(const std::string& host, int port);
  /// Binds to a path that only this user may access. Replaces a socket on which no process listens.
  Result<void> bind_path(const std::string& path);
  int socket() const noexcept { return socket_; }

  /// Calls `take` with each new connection, which `take` then owns, and `make_room` when there are no
  /// descriptors.
  void start(std::function<void(int socket)> take, std::function<void()> make_room);
  /// Refuses new connections from now on. Returns at once.
  void refuse();
  /// Refuses new connections and waits for the thread, which must not be blocked in `take`. Idempotent.
  void stop();

 private:
  void run(const std::function<void(int)>& take, const std::function<void()>& make_room) const;

  int socket_ = -1;
  SocketFile file_;  ///< The file of a Unix socket.
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace infer::http
