#pragma once

#include "infer/core/result.h"
#include "operations/options.h"

namespace infer::http {

/// Serves until SIGTERM or SIGINT, drains, and returns the exit code. Blocks those signals for the whole
/// process, so call it before any thread is started. A second signal ends the process at once.
int run_server(const ServerOptions& options);

/// Where a server on this machine takes operations.
struct AdminAddress {
  std::string socket;      ///< Path of its Unix socket; empty: its probe listener.
  std::string probe_host;  ///< As the server was told; empty and wildcards stand for loopback.
  int probe_port = 9002;
};

/// POSTs /drain and waits for the answer. Errors: `kUnavailable`.
Result<void> request_drain(const AdminAddress& address);

}  // namespace infer::http
