#pragma once

#include "exchange/exchange.h"

namespace infer::http {

/// What answers the requests of a listener. Called from many threads.
class RequestHandler {
 public:
  RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler() = default;

  /// Sees the headers, before any byte of the body is read. False: it has answered, the body is not wanted.
  virtual bool begin(Exchange& exchange) = 0;
  /// Whether `handle` takes no longer than handing other connections over to another thread, some 20 us.
  virtual bool is_quick(const Exchange& exchange) const = 0;
  /// Answers; the body is complete.
  virtual void handle(Exchange& exchange) = 0;
  /// Completes the answer, which is sent next. Also called for what never became a request (`path` is empty
  /// then).
  virtual void finish(Exchange& exchange) = 0;
  /// True: end connections after their current answer.
  virtual bool closing() const = 0;
};

}  // namespace infer::http
