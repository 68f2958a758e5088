#pragma once

#include <functional>
#include <string>
#include <thread>

#include "infer/core/result.h"
#include "transport/socket_file.h"

namespace infer::http {

/// A listening TCP or Unix socket, and the thread that accepts from it. Outlives every error of `accept`:
/// while descriptors or memory run out, clients wait in the kernel's queue.
class Acceptor {
 public:
  Acceptor() = default;
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Binds and listens; returns the port. Errors: `kFailedPrecondition` (in use, no right, no such address).
  Result<int> bind(const std::string& host, int port);
  /// The same at a path, for this user alone. A socket that nobody listens on any more is replaced.
  Result<void> bind_path(const std::string& path);
  int socket() const noexcept { return socket_; }

  /// Calls `take` with each new connection, which is then its own; `make_room` when there are no descriptors.
  void start(std::function<void(int socket)> take, std::function<void()> make_room);
  /// Refuses new connections from now on; returns at once.
  void refuse();
  /// Refuses, and waits for the thread, which must not be held up in `take`. Idempotent.
  void stop();

 private:
  void run(const std::function<void(int)>& take, const std::function<void()>& make_room) const;

  int socket_ = -1;
  SocketFile file_;  ///< Of a Unix socket.
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace infer::http
