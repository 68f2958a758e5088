#include "listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <mutex>
#include <utility>

#include "exchange/http_session.h"
#include "transport/acceptor.h"
#include "transport/connection_pool.h"

namespace infer::http {

struct Listener::Impl {
  Impl(ListenerOptions given, RequestHandler& handler)
      : options(std::move(given)),
        context{.options = options, .handler = handler},
        pool({options.max_connections, options.leaders, options.idle_timeout},
             [this](int socket, Place& place) { return open(socket, place); }) {}

  /// Returns null if there is no memory.
  std::unique_ptr<Session> open(int socket, Place& place) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto transport = make_transport(socket);
    if (!transport) return nullptr;
    return make_http_session(context, socket, std::move(transport), place);
  }

  std::unique_ptr<Transport> make_transport(int socket) {
    const std::unique_lock lock(tls_mutex);
    if (!tls) return plain_transport(socket);
    fcntl(socket, F_SETFL, O_NONBLOCK);
    return tls->transport(socket);
  }

  const ListenerOptions options;
  std::mutex tls_mutex;
  std::shared_ptr<const TlsContext> tls;  ///< Null without TLS.
  SessionContext context;
  ConnectionPool pool;
  Acceptor acceptor;
  bool running = false;
};

Listener::Listener(ListenerOptions options, RequestHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

Listener::~Listener() { stop(); }

Result<int> Listener::bind() {
  const ListenerOptions& options = impl_->options;
  if (options.socket_path.empty()) return impl_->acceptor.bind(options.host, options.port);
  if (auto bound = impl_->acceptor.bind_path(options.socket_path); !bound) return Unexpected(bound.error());
  return 0;
}

void Listener::use_tls(std::shared_ptr<const TlsContext> tls) {
  const std::unique_lock lock(impl_->tls_mutex);
  impl_->tls = std::move(tls);
}

void Listener::start() {
  impl_->acceptor.start([this](int socket) { impl_->pool.add(socket); }, [this] { impl_->pool.make_room(); });
  impl_->running = true;
}

std::size_t Listener::tidy() {
  impl_->context.budget.tidy();
  return impl_->context.budget.count();
}

void Listener::stop() {
  if (!std::exchange(impl_->running, false)) return;
  impl_->acceptor.refuse();
  impl_->pool.shutdown();  // also wakes the acceptor if it waits for a thread
  impl_->acceptor.stop();
}

}  // namespace infer::http
