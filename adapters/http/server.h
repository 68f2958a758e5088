#pragma once

#include "infer/core/result.h"
#include "operations/options.h"

namespace infer::http {

/// Serves until SIGTERM or SIGINT, drains, and returns the exit code. Blocks both signals for the whole
/// process, so call this before any thread starts. A second signal ends the process at once.
int run_server(const ServerOptions& options);

/// The address at which a server on this machine accepts operations.
struct AdminAddress {
  std::string socket;      ///< Path of the server's Unix socket; empty: use the probe listener.
  std::string probe_host;  ///< The server's probe_host; empty and wildcards mean loopback.
  int probe_port = 9002;
};

/// POSTs /drain and waits for the answer. Errors: `kUnavailable`.
Result<void> request_drain(const AdminAddress& address);

}  // namespace infer::http
