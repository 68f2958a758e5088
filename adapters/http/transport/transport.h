#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

#include "infer/core/result.h"

struct ssl_ctx_st;

namespace infer::http {

/// Carries the bytes of one connection. Never blocks.
class Transport {
 public:
  /// Results of `receive` and `send` other than a number of bytes. 0 means that the peer has closed.
  enum Failure : ssize_t { kBroken = -1, kWantRead = -2, kWantWrite = -3 };

  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual ssize_t receive(char* data, std::size_t size) = 0;
  virtual ssize_t send(const char* data, std::size_t size) = 0;
  /// False during a handshake, which needs CPU time.
  virtual bool is_set_up() const noexcept { return true; }
  /// Whether bytes have arrived that polling the socket no longer reports.
  virtual bool has_pending() const noexcept { return false; }
  /// A hint that polling the socket need not report less than `bytes`, which are certain to come.
  virtual void wake_after(std::size_t /*bytes*/) {}
  /// Tells the peer that nothing more will be sent.
  virtual void close_sending() = 0;
};

/// Plain TCP.
std::unique_ptr<Transport> plain_transport(int socket);

/// A certificate and its key, shared by connections.
class TlsContext {
 public:
  /// Reads a PEM file with the key and the certificate chain, the server's own certificate first. Errors:
  /// `kInvalidArgument`, naming the file and OpenSSL's reason.
  static Result<std::shared_ptr<const TlsContext>> load(const std::string& file);

  /// Returns TLS 1.2 or 1.3 over a socket. The handshake happens with the first bytes. Returns null if
  /// there is no memory.
  std::unique_ptr<Transport> transport(int socket) const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace infer::http
