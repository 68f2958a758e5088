#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

#include "infer/tools/arrivals.h"
#include "infer/tools/tally.h"

namespace infer::inline v0::tools {

/// The answer to one request.
struct Answer {
  std::string what;  ///< The status, or what went wrong.
  bool ok = false;   ///< Whether the request succeeded.
};

/// Sends one request and blocks until its answer is complete. Called by one thread at a time.
using SendRequest = std::function<Answer()>;

/// How requests are sent on time.
struct SendOptions {
  std::size_t connections = 64;  ///< Threads, each with its own connection and one request at a time.
  /// Makes the connection of a thread. Called once by each thread. Only this function knows the protocol.
  std::function<SendRequest()> connect = {};
  /// Called once a second by the calling thread while requests are sent, with the elapsed seconds; may be
  /// empty.
  std::function<void(double seconds)> every_second = {};
};

/// Sends each request when it is due, whether or not earlier requests were answered, and adds its outcome
/// to `tally`. Returns the elapsed seconds.
///
/// If no connection is free when a request is due, the request is sent late, and its latency counts from
/// the due time. A request that is still unsent at the end of the arrivals counts as failed. Blocks until
/// every sent request is answered. When `stop` is requested, no further request is sent.
double send_on_time(Arrivals& arrivals, const SendOptions& options, Tally& tally,
                    const std::stop_token& stop);

}  // namespace infer::inline v0::tools
