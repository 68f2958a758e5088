#include "transport/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "infer/core/invalid.h"

namespace infer::http {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : socket_(socket) {}

  ssize_t receive(char* data, std::size_t size) override {
    const ssize_t count = ::recv(socket_, data, size, MSG_DONTWAIT);
    return count >= 0 ? count : failure(kWantRead);
  }
  ssize_t send(const char* data, std::size_t size) override {
    const ssize_t count = ::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return count > 0 ? count : failure(kWantWrite);
  }
  void wake_after(std::size_t bytes) override {
    const int wanted = bytes < kBulkBytes ? 1 : kBulkBytes;
    if (wanted == wake_bytes_) return;
    wake_bytes_ = wanted;
    setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
  }
  void close_sending() override { ::shutdown(socket_, SHUT_WR); }

 private:
  /// For a large body, wakes the thread once for many packets.
  static constexpr int kBulkBytes = 256 << 10;

  static ssize_t failure(Failure wanted) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? wanted : kBroken;
  }
  const int socket_;
  int wake_bytes_ = 1;
};

// Does not override `wake_after`: how many bytes of the socket hold the body's bytes, and how many of them
// OpenSSL has already read, is not known here.
class TlsTransport final : public Transport {
 public:
  TlsTransport(ssl_st* tls, int socket) : tls_(tls, &SSL_free), socket_(socket) {}

  ssize_t receive(char* data, std::size_t size) override {
    return outcome(SSL_read(tls_.get(), data, limited(size)));
  }
  ssize_t send(const char* data, std::size_t size) override {
    return outcome(SSL_write(tls_.get(), data, limited(size)));
  }
  bool is_set_up() const noexcept override { return SSL_is_init_finished(tls_.get()) == 1; }
  bool has_pending() const noexcept override { return SSL_pending(tls_.get()) > 0; }
  void close_sending() override {
    if (!broken_) SSL_shutdown(tls_.get());
    ERR_clear_error();
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  static int limited(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
  }
  ssize_t outcome(int count) {
    if (count > 0) return count;
    const int error = SSL_get_error(tls_.get(), count);
    ERR_clear_error();  // errors left in this thread's queue would be attributed to the next connection
    if (error == SSL_ERROR_WANT_READ) return kWantRead;
    if (error == SSL_ERROR_WANT_WRITE) return kWantWrite;
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    broken_ = true;
    return kBroken;
  }

  const std::unique_ptr<ssl_st, decltype(&SSL_free)> tls_;
  const int socket_;
  bool broken_ = false;
};

std::string openssl_says() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

}  // namespace

std::unique_ptr<Transport> plain_transport(int socket) { return std::make_unique<PlainTransport>(socket); }

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::string& file) {
  const std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) return Unexpected(out_of_memory());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // From TLS 1.2, accept only what TLS 1.3 has too: forward secrecy and AEAD.
  if (SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    return fail(ErrorCode::kFailedPrecondition, "tls: this OpenSSL has no ECDHE cipher with AEAD");
  // A retry may use another buffer, which then holds the rest of the data.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  if (SSL_CTX_use_certificate_chain_file(context.get(), file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return invalid("tls: " + file + ": needs a key and its certificates in PEM: " + openssl_says());
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(context));
}

std::unique_ptr<Transport> TlsContext::transport(int socket) const {
  ssl_st* tls = SSL_new(context_.get());
  if (tls == nullptr || SSL_set_fd(tls, socket) != 1) {
    SSL_free(tls);
    return nullptr;
  }
  SSL_set_accept_state(tls);
  return std::make_unique<TlsTransport>(tls, socket);
}

}  // namespace infer::http
