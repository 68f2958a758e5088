#pragma once

#include <memory>

#include "exchange/request_body.h"
#include "exchange/request_handler.h"
#include "transport/hangup_watcher.h"
#include "transport/listener_options.h"
#include "transport/session.h"
#include "transport/transport.h"

namespace infer::http {

/// What the connections of a listener share.
struct SessionContext {
  const ListenerOptions& options;
  RequestHandler& handler;
  HangupWatcher watcher{};
  BodyBudget budget{options.max_buffered_bytes};
};

/// A connection that speaks HTTP/1.1: its requests one after the other, until either side has had enough. The
/// socket, which must not block, is the session's if this returns. `context` and `place` must outlive it.
std::unique_ptr<Session> make_http_session(SessionContext& context, int socket,
                                           std::unique_ptr<Transport> transport, Place& place);

}  // namespace infer::http
