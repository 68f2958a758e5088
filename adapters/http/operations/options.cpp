#include "operations/options.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "infer/core/invalid.h"
#include "infer/engine/open.h"
#include "infer/engine/settings.h"

namespace infer::http {
namespace {

/// These options come first in the help, in this order.
constexpr std::array<std::string_view, 10> kMostUsed{"model",  "models",   "host",           "port",
                                                     "device", "workers",  "max-batch-size", "max-wait-ms",
                                                     "tune",   "log-level"};

template <class T>
OptionRow number(std::string name, std::string placeholder, std::string help, T& target, std::int64_t low,
                 std::int64_t high) {
  OptionRow row;
  row.name = name;
  row.placeholder = std::move(placeholder);
  row.values = std::to_string(low) + " to " + std::to_string(high);
  row.help = std::move(help);
  row.get = [&target] {
    if constexpr (std::is_arithmetic_v<T>) {
      return std::to_string(target);
    } else {
      return std::to_string(target.count());
    }
  };
  row.set = [&target, name, low, high](const std::string& text) -> Result<void> {
    auto value = parse_whole_number(name, text, low, high);
    if (!value) return Unexpected(value.error());
    if constexpr (std::is_arithmetic_v<T>) {
      target = static_cast<T>(*value);
    } else {
      target = T(*value);
    }
    return {};
  };
  return row;
}

/// Makes the row of an engine setting, which infer.json may set too.
OptionRow setting(const Setting& setting, OpenOptions& target) {
  const std::string value = setting_text(setting, default_settings());
  const bool in_manifest = setting.place != Setting::Place::kNone;
  OptionRow row;
  row.name = setting.flag;
  row.placeholder = setting.placeholder;
  row.values = setting_values(setting);
  row.help = setting.help;
  if (in_manifest) {
    row.help += " If not given: " + std::string(setting.name) + " of infer.json" +
                (value.empty() ? "." : ", else " + value + ".");
  }
  row.get = [value = in_manifest ? "" : value] { return value; };
  row.set = [&setting, &target, name = row.name](const std::string& text) {
    return set_setting(setting, target, name, text);
  };
  return row;
}

OptionRow text(std::string name, std::string placeholder, std::string help, std::string& target) {
  OptionRow row;
  row.name = std::move(name);
  row.placeholder = std::move(placeholder);
  row.help = std::move(help);
  row.get = [&target] { return target; };
  row.set = [&target](const std::string& given) -> Result<void> {
    target = given;
    return {};
  };
  return row;
}

/// Makes the row of an option that takes one of a few words.
OptionRow choice(std::string name, std::string placeholder, std::string help,
                 std::vector<std::string> choices, std::function<std::string()> get,
                 std::function<void(const std::string&)> set) {
  OptionRow row;
  row.name = name;
  row.placeholder = std::move(placeholder);
  row.help = std::move(help);
  for (const auto& word : choices) row.values += (row.values.empty() ? "" : ", ") + word;
  row.get = std::move(get);
  row.set = [name, list = row.values, choices = std::move(choices),
             set = std::move(set)](const std::string& given) -> Result<void> {
    if (std::find(choices.begin(), choices.end(), given) == choices.end())
      return invalid(name + ": '" + given + "' is not one of " + list);
    set(given);
    return {};
  };
  return row;
}

OptionRow toggle(std::string name, std::string help, bool& target, const std::string& on = "on") {
  return choice(
      std::move(name), on + "|off", std::move(help), {on, "off"},
      [&target, on] { return target ? on : std::string("off"); },
      [&target, on](const std::string& given) { target = given == on; });
}

/// Makes the row of an option that takes words separated by commas.
OptionRow list(std::string name, std::string placeholder, std::string help,
               std::vector<std::string>& target) {
  OptionRow row;
  row.name = std::move(name);
  row.placeholder = std::move(placeholder);
  row.help = std::move(help);
  row.get = [&target] {
    std::string all;
    for (const auto& word : target) all += (all.empty() ? "" : ",") + word;
    return all;
  };
  row.set = [&target](const std::string& given) -> Result<void> {
    target.clear();
    for (std::size_t at = 0; at <= given.size();) {
      const std::size_t comma = std::min(given.find(',', at), given.size());
      if (comma > at) target.push_back(given.substr(at, comma - at));
      at = comma + 1;
    }
    return {};
  };
  return row;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return std::nullopt;
}

std::vector<OptionRow> option_table(ServerOptions& o) {
  constexpr std::int64_t kHour = 3'600'000;
  constexpr std::int64_t kMany = 1'000'000;
  constexpr std::int64_t kBytes = std::int64_t{1} << 40;
  ListenerOptions& listener = o.listener;
  std::vector<OptionRow> table;
  std::string group;
  const auto add = [&](OptionRow row) {
    row.group = group;
    table.push_back(std::move(row));
  };

  group = "Models";
  add(list("model", "DIR", "Folder of a model to serve, or several folders separated by commas.",
           o.repository.models));
  add(text("models", "DIR", "Folder whose model folders are all served.", o.repository.folder));
  add(text("device", "NAME", "Device that runs the models: cpu or cuda:N.", o.repository.engine.device));
  add(number("watch-interval-ms", "MS",
             "How often to check the models folder for a new version, in milliseconds. 0 disables the check.",
             o.watch_interval, 0, kHour));
  add(toggle(
      "tune",
      "Whether to serve each model with the settings that infer tune found for this machine: auto or off. "
      "A model for which infer tune has not run keeps its own settings.",
      o.tuned, "auto"));
  add(toggle("repository-api", "Whether clients may load and unload models.", o.repository_api));

  group = "Batches, threads and queue";
  for (const Setting& row : kSettings) {
    if (!row.flag.empty()) add(setting(row, o.repository.engine));
  }

  group = "Limits of a request";
  add(number(
      "request-timeout-ms", "MS",
      "Maximum time until a request's forward starts, in milliseconds. The header X-Timeout-Ms can only "
      "shorten this time.",
      o.request_timeout, 1, kHour));
  add(number("max-body-bytes", "BYTES", "Maximum size of a request's body after decompression, in bytes.",
             listener.max_body_bytes, 1, kBytes));
  add(number("max-images", "N", "Maximum number of images in one request.", o.max_images, 1, 100'000));
  add(number("max-texts", "N", "Maximum number of texts in one request.", o.max_texts, 1, 100'000));
  add(number("max-rows", "N", "Maximum number of rows of tensors in one request.", o.max_rows, 1, kMany));
  add(number("max-pixels", "N", "Maximum number of pixels of an image (width times height).",
             o.repository.task.decode.max_pixels, 1, std::int64_t{1} << 32));
  add(number("max-header-bytes", "BYTES", "Maximum size of the request line and the headers, in bytes.",
             listener.max_header_bytes, 256, 1 << 20));

  group = "Memory";
  add(number("max-decode-bytes", "BYTES",
             "Memory that decoding may use for the images of all requests together, in bytes. An "
             "image that needs more gets 413; the others wait for their turn. 0: a quarter of the "
             "control group's memory limit (of the machine's memory without a limit), at least 96 "
             "MiB.",
             o.max_decode_bytes, 0, kBytes));
  add(number("max-buffered-bytes", "BYTES", "Maximum size of the bodies of all requests together, in bytes.",
             listener.max_buffered_bytes, 1, kBytes));

  group = "Addresses";
  add(text("host", "ADDRESS", "Address to listen on. 0.0.0.0 serves other machines too.", listener.host));
  add(number("port", "PORT", "Port to listen on. 0: any free port.", listener.port, 0, 65535));
  add(text("probe-host", "ADDRESS", "Address on which the server answers probes and /metrics.",
           o.probe_host));
  add(number("probe-port", "PORT", "Port for probes and /metrics. 0: any free port.", o.probe_port, 0,
             65535));
  add(text("admin-socket", "PATH",
           "Path of a Unix socket that takes /drain, /reload and /log-level. If empty, the probe port takes "
           "these requests from this machine.",
           o.admin_socket));

  group = "Connections";
  add(number("max-connections", "N", "Maximum number of open connections.", listener.max_connections, 1,
             100'000));
  add(number("header-timeout-ms", "MS", "Maximum time to receive all headers, in milliseconds.",
             listener.header_timeout, 1, kHour));
  add(number("body-timeout-ms", "MS", "Maximum time to receive the whole body, in milliseconds.",
             listener.body_timeout, 1, kHour));
  add(number("write-timeout-ms", "MS", "Maximum time to send the whole answer, in milliseconds.",
             listener.write_timeout, 1, kHour));
  add(number("idle-timeout-ms", "MS",
             "Close a connection on which no request came for this time, in milliseconds.",
             listener.idle_timeout, 1, kHour));
  add(number("max-requests-per-connection", "N",
             "Close a connection after this many requests (randomized by 20 %).",
             listener.max_requests_per_connection, 1, kMany));
  add(number("max-connection-age-ms", "MS",
             "Close a connection after this time, in milliseconds (randomized by 20 %).",
             listener.max_connection_age, 1, 24 * kHour));

  group = "Security";
  add(text("api-keys", "FILE",
           "File of API keys, one on each line. Each request must have one of the keys. If empty, the server "
           "asks for no key.",
           o.api_keys));
  add(text("tls", "FILE", "PEM file of the key and the certificates. The server then serves HTTPS, not HTTP.",
           o.tls));
  add(list("allowed-hosts", "NAMES",
           "Names, separated by commas, that the Host field of a request may have, besides localhost "
           "and loopback addresses, while the server listens on a loopback address.",
           o.allowed_hosts));

  group = "Stopping";
  add(number(
      "drain-delay-ms", "MS",
      "How long a stopping server still accepts requests, in milliseconds, so that load balancers notice.",
      o.drain_delay, 0, kHour));
  add(number("drain-timeout-ms", "MS", "Maximum time to finish queued work after that, in milliseconds.",
             o.drain_timeout, 0, kHour));

  group = "Log and metrics";
  add(choice(
      "log-level", "LEVEL", "Least important events to log: debug, info, warning or error.",
      {"debug", "info", "warning", "error"}, [&o] { return o.log_level; },
      [&o](const std::string& given) { o.log_level = given; }));
  add(number("log-requests-per-second", "N",
             "Maximum number of lines a second for each kind of request: those that succeed, those that are "
             "refused (4xx), and those that fail (5xx). 0: no limit.",
             o.log_requests_per_second, 0, kMany));
  add(toggle("triton-metrics", "Whether /metrics also has Triton's metric names.", o.triton_metrics));

  for (auto name = kMostUsed.rbegin(); name != kMostUsed.rend(); ++name) {
    const auto row = std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.name == *name; });
    row->group = "Most used";
    std::rotate(table.begin(), row, row + 1);
  }
  return table;
}

}  // namespace infer::http
