#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

#include "infer/core/result.h"

struct ssl_ctx_st;

namespace infer::http {

/// Carries the bytes of one connection; never blocks.
class Transport {
 public:
  /// What `receive` and `send` return besides a number of bytes; 0 is the peer's end.
  enum Failure : ssize_t { kBroken = -1, kWantRead = -2, kWantWrite = -3 };

  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual ssize_t receive(char* data, std::size_t size) = 0;
  virtual ssize_t send(const char* data, std::size_t size) = 0;
  /// False while a handshake is under way, which computes.
  virtual bool is_set_up() const noexcept { return true; }
  /// Bytes that have arrived but are no longer seen by polling the socket.
  virtual bool has_pending() const noexcept { return false; }
  /// A hint: polling the socket need not wake for less than `bytes`, all of which are known to come.
  virtual void wake_after(std::size_t /*bytes*/) {}
  /// Says that nothing more will be sent.
  virtual void close_sending() = 0;
};

/// TCP as it is.
std::unique_ptr<Transport> plain_transport(int socket);

/// A certificate and its key; shared by connections.
class TlsContext {
 public:
  /// Reads a PEM file with the key and the chain of certificates, the server's own first.
  /// Errors: `kInvalidArgument`, naming the file and what OpenSSL says of it.
  static Result<std::shared_ptr<const TlsContext>> load(const std::string& file);

  /// TLS 1.2 or 1.3 over a socket. The handshake happens with the first bytes. Null when memory is out.
  std::unique_ptr<Transport> transport(int socket) const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace infer::http
