#pragma once

#include <memory>

#include "exchange/request_body.h"
#include "exchange/request_handler.h"
#include "transport/hangup_watcher.h"
#include "transport/listener_options.h"
#include "transport/session.h"
#include "transport/transport.h"

namespace infer::http {

/// State shared by all connections of a listener.
struct SessionContext {
  const ListenerOptions& options;
  RequestHandler& handler;
  HangupWatcher watcher{};
  BodyBudget budget{options.max_buffered_bytes};
};

/// Makes a session that answers HTTP/1.1 requests of a connection one after the other until either side
/// closes it. The session owns the socket, which must not block, once this function returns. `context` and
/// `place` must outlive the session.
std::unique_ptr<Session> make_http_session(SessionContext& context, int socket,
                                           std::unique_ptr<Transport> transport, Place& place);

}  // namespace infer::http
