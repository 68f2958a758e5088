#pragma once

#include "infer/core/result.h"
#include "options.h"

namespace infer::http {

/// Serves until SIGTERM or SIGINT, drains, and returns the exit code. Blocks those signals for the whole
/// process, so call it before any thread is started. A second signal ends the process at once.
int run_server(const ServerOptions& options);

/// POSTs /drain to the probe listener of a server on this machine and waits for the answer. Errors:
/// `kUnavailable`.
Result<void> request_drain(const std::string& host, int probe_port);

}  // namespace infer::http
