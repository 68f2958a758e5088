#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "httplib_config.h"
#include "infer/core/clock.h"
#include "listener.h"
#include "transport.h"

namespace infer::http {

/// The bytes of one connection: buffered both ways, and bounded in size and total time as cpp-httplib's own
/// stream, which only bounds each single read, is not.
class Connection final : public httplib::Stream {
 public:
  enum class Fault { kNone, kHeaderTimeout, kHeaderTooLarge, kBodyTimeout, kClosed };

  /// `transport` is that of `socket`, which must not block.
  Connection(int socket, std::unique_ptr<Transport> transport, const ListenerOptions& options);

  enum class Arrival { kNothing, kBytes, kEnd };
  /// Takes what has arrived of the next request; never blocks.
  Arrival arrived();
  bool has_buffered() const noexcept { return read_at_ < read_end_ || transport_->has_pending(); }

  void begin_headers();
  void begin_body();
  /// Nothing of the body was read, or not all of it: what follows on the connection is no request.
  void leave_body_unread() noexcept { unread_ = true; }
  void close_after_answer() noexcept { close_ = true; }
  bool must_close() const noexcept { return close_ || unread_ || fault_ != Fault::kNone; }
  Fault fault() const noexcept { return fault_; }
  /// Reads a part of `size` bytes that are known to come; 0 or less at the end of the connection or of the
  /// time.
  ssize_t read_known(char* data, std::size_t size);
  /// Sends what was written. False if the peer does not take it.
  bool flush();
  /// Sends what was written, as far as the peer takes it without waiting. False: something is left.
  bool send_ready();
  /// Ends the connection so that a peer which is still sending gets to read the answer.
  void linger();

  bool is_readable() const override;
  bool is_writable() const override { return fault_ != Fault::kClosed; }
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override { remote_.copy_to(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { local_.copy_to(ip, port); }
  socket_t socket() const override { return socket_; }

 private:
  /// One end, in numbers; empty where the connection is gone already.
  struct Address {
    Address(int socket, int (*name_of)(int, sockaddr*, socklen_t*));
    void copy_to(std::string& to_ip, int& to_port) const {
      to_ip = ip;
      to_port = port;
    }

    std::string ip;
    int port = 0;
  };

  ssize_t receive(char* data, std::size_t size);
  void wake_after(std::size_t bytes);
  bool send(const char* data, std::size_t size);

  const int socket_;
  const Address remote_;  // found once: cpp-httplib asks at every request
  const Address local_;
  const std::unique_ptr<Transport> transport_;
  const ListenerOptions& options_;
  std::vector<char> buffer_;
  std::size_t read_at_ = 0;
  std::size_t read_end_ = 0;
  std::string out_;
  TimePoint read_deadline_ = kNever;
  std::size_t header_bytes_left_ = 0;
  bool in_headers_ = false;
  int wake_bytes_ = 1;
  bool unread_ = false;
  bool close_ = false;
  Fault fault_ = Fault::kNone;
};

}  // namespace infer::http
