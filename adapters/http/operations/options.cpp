#include "operations/options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "infer/core/invalid.h"

namespace infer::http {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Result<std::int64_t> whole_number(const std::string& name, const std::string& text, std::int64_t low,
                                  std::int64_t high) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < low || value > high) {
    return invalid(name + ": '" + text + "' is not a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high));
  }
  return value;
}

template <class T>
OptionRow number(std::string name, std::string placeholder, std::string help, T& target, std::int64_t low,
                 std::int64_t high) {
  OptionRow row{name, std::move(placeholder), std::move(help), nullptr, nullptr};
  row.get = [&target] {
    if constexpr (std::is_arithmetic_v<T>) {
      return std::to_string(target);
    } else {
      return std::to_string(target.count());
    }
  };
  row.set = [&target, name, low, high](const std::string& text) -> Result<void> {
    auto value = whole_number(name, text, low, high);
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

/// A number that the manifest decides unless it is given here.
template <class T>
OptionRow optional_number(std::string name, std::string placeholder, std::string help,
                          std::optional<T>& target, std::int64_t low, std::int64_t high) {
  OptionRow row{name, std::move(placeholder), std::move(help), [] { return std::string(); }, nullptr};
  row.set = [&target, name, low, high](const std::string& text) -> Result<void> {
    auto value = whole_number(name, text, low, high);
    if (!value) return Unexpected(value.error());
    target = T(static_cast<typename std::conditional_t<std::is_arithmetic_v<T>, std::type_identity<T>,
                                                       std::type_identity<std::int64_t>>::type>(*value));
    return {};
  };
  return row;
}

OptionRow text(std::string name, std::string placeholder, std::string help, std::string& target,
               std::vector<std::string> choices = {}) {
  OptionRow row{name, std::move(placeholder), std::move(help), [&target] { return target; }, nullptr};
  row.set = [&target, name, choices = std::move(choices)](const std::string& given) -> Result<void> {
    bool known = choices.empty();
    std::string list;
    for (const auto& choice : choices) {
      known = known || choice == given;
      list += (list.empty() ? "" : ", ") + choice;
    }
    if (!known) return invalid(name + ": '" + given + "' is none of " + list);
    target = given;
    return {};
  };
  return row;
}

/// Several words separated by commas.
OptionRow list(std::string name, std::string placeholder, std::string help,
               std::vector<std::string>& target) {
  OptionRow row{std::move(name), std::move(placeholder), std::move(help), nullptr, nullptr};
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

OptionRow toggle(std::string name, std::string help, bool& target) {
  OptionRow row{name, "on|off", std::move(help), [&target] { return target ? "on" : "off"; }, nullptr};
  row.set = [&target, name](const std::string& given) -> Result<void> {
    if (given != "on" && given != "off") return invalid(name + ": '" + given + "' is none of on, off");
    target = given == "on";
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
  std::vector<OptionRow> table;
  table.push_back(list("model", "DIR",
                       "folder of a model to serve, with its infer.json; several separated by commas",
                       o.repository.models));
  table.push_back(
      text("models", "DIR", "folder of such folders, all of which are served", o.repository.folder));
  table.push_back(number("watch-interval-ms", "MS", "between looks for another version or PROMOTED; 0: never",
                         o.watch_interval, 0, kHour));
  table.push_back(text("host", "ADDRESS", "address to listen on", o.listener.host));
  table.push_back(number("port", "PORT", "port to listen on; 0: any free one", o.listener.port, 0, 65535));
  table.push_back(text("probe-host", "ADDRESS", "address of the probe listener", o.probe_host));
  table.push_back(
      number("probe-port", "PORT", "port for health and metrics; 0: any free one", o.probe_port, 0, 65535));
  table.push_back(
      text("admin-socket", "PATH",
           "Unix socket that alone takes /drain, /reload and /log-level; empty: the probe port takes "
           "them from this machine",
           o.admin_socket));
  table.push_back(
      list("allowed-hosts", "NAMES",
           "names, separated by commas, that the Host field of a request may have besides localhost "
           "and loopback addresses, while the server listens on a loopback address",
           o.allowed_hosts));
  table.push_back(text("device", "NAME", "cpu or cuda:N", o.repository.engine.device));
  table.push_back(number("workers", "N", "batches computed side by side; 0: from the usable cores",
                         o.repository.engine.workers, 0, 1024));
  table.push_back(number("intra-op-threads", "N", "threads inside one forward; 0: from the usable cores",
                         o.repository.engine.intra_op_threads, 0, 1024));
  table.push_back(optional_number("max-batch-size", "N", "samples in one forward (else: infer.json, 8)",
                                  o.repository.engine.max_batch_size, 1, 4096));
  table.push_back(optional_number("max-queue-delay-us", "US",
                                  "wait for company, from the oldest sample (else: infer.json, 0)",
                                  o.repository.engine.max_queue_delay, 0, 60'000'000));
  table.push_back(optional_number("max-queue-size", "N", "samples queued (else: infer.json, 64)",
                                  o.repository.engine.max_queue_size, 1, kMany));
  table.push_back(number("max-queue-bytes", "BYTES", "bytes of queued samples",
                         o.repository.engine.max_queue_bytes, 1, kBytes));
  table.push_back(number("max-inflight", "N", "requests admitted and not yet answered",
                         o.repository.engine.max_inflight, 1, kMany));
  table.push_back(number("max-wait-ms", "MS", "requests that would wait longer for a worker get 429; 0: none",
                         o.repository.engine.max_wait, 0, kHour));
  OptionRow warmup{"warmup", "HOW", "none, default or full (else: infer.json, default)",
                   [] { return std::string(); },
                   [&o](const std::string& given) -> Result<void> {
                     auto parsed = parse_warmup(given);
                     if (!parsed) return Unexpected(parsed.error());
                     o.repository.engine.warmup = *parsed;
                     return {};
                   }};
  table.push_back(std::move(warmup));
  OptionRow tune{"tune", "HOW",
                 "auto: settings that infer tune has found for this machine, where there are any; off",
                 [&o] { return std::string(o.tuned ? "auto" : "off"); },
                 [&o](const std::string& given) -> Result<void> {
                   if (given != "auto" && given != "off")
                     return invalid("tune: '" + given + "' is neither auto nor off");
                   o.tuned = given == "auto";
                   return {};
                 }};
  table.push_back(std::move(tune));
  table.push_back(number("max-pixels", "N", "width x height of an image", o.repository.task.decode.max_pixels,
                         1, std::int64_t{1} << 32));
  table.push_back(
      number("max-decode-bytes", "BYTES",
             "Memory that decoding may use for the images of all requests together, in bytes. An "
             "image that needs more gets 413; the others wait for their turn. 0: a quarter of the "
             "control group's memory limit (of the machine's memory without a limit), at least 96 "
             "MiB",
             o.max_decode_bytes, 0, kBytes));
  table.push_back(number("max-images", "N", "images in one request", o.max_images, 1, 100'000));
  table.push_back(number("max-texts", "N", "texts in one request", o.max_texts, 1, 100'000));
  table.push_back(number("max-rows", "N", "rows of tensors in one request", o.max_rows, 1, kMany));
  table.push_back(number("max-body-bytes", "BYTES", "body of a request, decompressed",
                         o.listener.max_body_bytes, 1, kBytes));
  table.push_back(number("max-buffered-bytes", "BYTES", "bodies of all requests together",
                         o.listener.max_buffered_bytes, 1, kBytes));
  table.push_back(number("max-header-bytes", "BYTES", "request line and headers", o.listener.max_header_bytes,
                         256, 1 << 20));
  table.push_back(
      number("max-connections", "N", "connections served at a time", o.listener.max_connections, 1, 100'000));
  table.push_back(
      number("header-timeout-ms", "MS", "time for all headers", o.listener.header_timeout, 1, kHour));
  table.push_back(
      number("body-timeout-ms", "MS", "time for the whole body", o.listener.body_timeout, 1, kHour));
  table.push_back(
      number("write-timeout-ms", "MS", "time for the whole answer", o.listener.write_timeout, 1, kHour));
  table.push_back(
      number("idle-timeout-ms", "MS", "time between two requests", o.listener.idle_timeout, 1, kHour));
  table.push_back(number("max-requests-per-connection", "N", "then it closes (20 % jitter)",
                         o.listener.max_requests_per_connection, 1, kMany));
  table.push_back(number("max-connection-age-ms", "MS", "then it closes (20 % jitter)",
                         o.listener.max_connection_age, 1, 24 * kHour));
  table.push_back(number("request-timeout-ms", "MS",
                         "time until execution starts, unless X-Timeout-Ms says less", o.request_timeout, 1,
                         kHour));
  table.push_back(
      number("drain-delay-ms", "MS", "how long a stopping server still accepts", o.drain_delay, 0, kHour));
  table.push_back(
      number("drain-timeout-ms", "MS", "how long queued work may then take", o.drain_timeout, 0, kHour));
  table.push_back(text("log-level", "LEVEL", "debug, info, warning or error", o.log_level,
                       {"debug", "info", "warning", "error"}));
  table.push_back(number("log-requests-per-second", "N",
                         "lines for requests that succeed, for those refused (4xx) and for those "
                         "that fail (5xx), each; 0: all",
                         o.log_requests_per_second, 0, kMany));
  table.push_back(
      text("api-keys", "FILE", "keys, one a line, one of which each request must bring", o.api_keys));
  table.push_back(text("tls", "FILE", "key and certificates in PEM; serves HTTPS instead of HTTP", o.tls));
  table.push_back(toggle("repository-api", "whether clients may load and unload models", o.repository_api));
  table.push_back(toggle("triton-metrics", "Triton's metric names beside ours", o.triton_metrics));
  return table;
}

}  // namespace infer::http
