#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/log.h"
#include "infer/core/result.h"
#include "infer/serving/model_repository.h"
#include "transport/listener_options.h"

namespace infer::http {

/// Returns nothing for an unknown level.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// All options of `infer serve`.
struct ServerOptions {
  RepositoryOptions repository;                     ///< The service fills in the decoding budget.
  std::chrono::milliseconds watch_interval{1'000};  ///< How often to check for new versions; 0: never.
  ListenerOptions listener{.port = 8002};
  int probe_port = 9002;
  std::string probe_host = "127.0.0.1";
  std::string admin_socket;  ///< Path of a Unix socket for operations; empty: use the probe port.
  std::vector<std::string> allowed_hosts;  ///< Names besides loopback names that a Host field may have.
  bool tuned = false;  ///< Whether to use the settings that `infer tune` found for this machine.
  std::size_t max_decode_bytes = 0;  ///< Size of the decoding budget; 0: `decode_share` of the memory.
  std::size_t max_images = 64;
  std::size_t max_texts = 1024;
  std::size_t max_rows = 65'536;
  std::chrono::milliseconds request_timeout{60'000};
  std::chrono::milliseconds drain_delay{5'000};
  std::chrono::milliseconds drain_timeout{20'000};
  std::string log_level = "info";
  std::uint64_t log_requests_per_second = 1000;  ///< For each kind (succeeded, refused, failed); 0: no limit.
  std::string api_keys;                          ///< File of API keys; empty: no key is needed.
  std::string tls;                               ///< PEM file of key and certificates; empty: no TLS.
  bool repository_api = false;                   ///< Whether clients may load and unload models.
  bool triton_metrics = false;                   ///< Whether /metrics also has Triton's metric names.
};

/// One option. Defines a flag --name, a variable INFER_NAME and a key of the configuration file.
struct OptionRow {
  std::string name;         ///< "max-body-bytes"; the variable is INFER_MAX_BODY_BYTES.
  std::string group;        ///< Group in help and documentation; its rows are adjacent.
  std::string placeholder;  ///< "BYTES"
  std::string values;       ///< "1 to 4096", or the allowed words; empty: any text.
  std::string help;
  std::function<std::string()> get;  ///< Returns the current value as text; the default, if never set.
  /// Errors: `kInvalidArgument`, naming the option and the limits.
  std::function<Result<void>(const std::string&)> set;
};

/// Returns the options bound to `options`, which must outlive the table.
std::vector<OptionRow> option_table(ServerOptions& options);

}  // namespace infer::http
