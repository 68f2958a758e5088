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

/// Nothing for a word that is no level.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// Everything `infer serve` can be told.
struct ServerOptions {
  RepositoryOptions repository;  ///< The models; the budget of decoding is the service's to make.
  std::chrono::milliseconds watch_interval{1'000};  ///< Between looks for other versions; 0: never.
  ListenerOptions listener{.port = 8002};
  int probe_port = 9002;
  std::string probe_host = "127.0.0.1";
  std::string admin_socket;                ///< Path of a Unix socket for operations; empty: the probe port.
  std::vector<std::string> allowed_hosts;  ///< Names that a Host field may have besides those of loopback.
  bool tuned = false;  ///< Whether models are served with what `infer tune` has found for this machine.
  std::size_t max_decode_bytes = 0;  ///< Of that budget; 0: `decode_share` of the memory there is.
  std::size_t max_images = 64;
  std::size_t max_texts = 1024;
  std::size_t max_rows = 65'536;
  std::chrono::milliseconds request_timeout{60'000};
  std::chrono::milliseconds drain_delay{5'000};
  std::chrono::milliseconds drain_timeout{20'000};
  std::string log_level = "info";
  std::uint64_t log_requests_per_second = 1000;  ///< Of each kind: succeeded, refused, failed; 0: all.
  std::string api_keys;                          ///< File of keys; empty: everybody is served.
  std::string tls;                               ///< PEM file of key and certificates; empty: plain HTTP.
  bool repository_api = false;                   ///< Whether clients may load and unload models.
  bool triton_metrics = false;                   ///< Triton's metric names beside ours.
};

/// One option: a flag --name, a variable INFER_NAME and a key of the configuration file, all from this row.
struct OptionRow {
  std::string name;         ///< "max-body-bytes"; the variable is INFER_MAX_BODY_BYTES.
  std::string group;        ///< Of help and documentation; the rows of a group stand together.
  std::string placeholder;  ///< "BYTES"
  std::string values;       ///< "1 to 4096", or the words; empty: any text.
  std::string help;
  std::function<std::string()> get;  ///< The current (first: default) value as text.
  /// Errors: `kInvalidArgument`, naming the option and the limits.
  std::function<Result<void>(const std::string&)> set;
};

/// The table, bound to `options`, which must outlive it.
std::vector<OptionRow> option_table(ServerOptions& options);

}  // namespace infer::http
