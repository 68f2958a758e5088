#pragma once

#include "exchange/exchange.h"

namespace infer::http {

/// Answers the requests of a listener. Called from many threads.
class RequestHandler {
 public:
  RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler() = default;

  /// Called with the headers, before any byte of the body is read. Returns false if the request is answered
  /// and the body is not needed.
  virtual bool begin(Exchange& exchange) = 0;
  /// Whether `handle` takes less time than handing other connections over to another thread, about 20 us.
  virtual bool is_quick(const Exchange& exchange) const = 0;
  /// Answers a request whose body is complete.
  virtual void handle(Exchange& exchange) = 0;
  /// Completes the answer before it is sent. Also called for requests that could not be parsed; their
  /// `path` is empty.
  virtual void finish(Exchange& exchange) = 0;
  /// If true, connections end after their current answer.
  virtual bool closing() const = 0;
};

}  // namespace infer::http
