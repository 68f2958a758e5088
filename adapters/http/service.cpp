#include "service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "exchange/request_id.h"
#include "infer/core/invalid.h"
#include "infer/machine/memory.h"
#include "message/fields.h"
#include "message/trace_context.h"
#include "operations/openapi.h"
#include "operations/process_metrics.h"
#include "tuned_place.h"

namespace infer::http {

// The functions that add routes, `add_NAME_routes(router, service)`, in the order in which /openapi.json
// lists the routes. To add a protocol, add its folder to protocols/ and its name here.
// clang-format off
#define INFER_EACH_ROUTES(add) \
  add(health) \
  add(embed) \
  add(text) \
  add(predict) \
  add(simulator) \
  add(inference) \
  add(model) \
  add(openai) \
  add(admin) \
  add(page)
// clang-format on

#define INFER_DECLARE(name) void add_##name##_routes(Router& router, Service& service);
INFER_EACH_ROUTES(INFER_DECLARE)
#undef INFER_DECLARE

namespace {

using std::chrono::milliseconds;

double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Returns the deadline of X-Timeout-Ms, at most `limit` from now. Errors: `kInvalidArgument`.
Result<TimePoint> request_deadline(const Exchange& exchange, milliseconds limit) {
  const auto text = exchange.request.header("X-Timeout-Ms");
  if (!text) return exchange.call.start + limit;
  std::int64_t ms = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, ms);
  if (error != std::errc() || stop != end || ms <= 0) {
    return invalid("X-Timeout-Ms: '" + std::string(text->substr(0, 32)) + "' is not a whole number above 0");
  }
  return exchange.call.start +
         std::min<milliseconds>(milliseconds(std::min<std::int64_t>(ms, 86'400'000)), limit);
}

/// Adds the times of a request in milliseconds, in the headers of text-embeddings-inference.
void add_timing_headers(Exchange& exchange) {
  const auto add = [&](const char* name, Duration time) {
    std::array<char, 32> text{};
    const double ms = std::chrono::duration<double, std::milli>(time).count();
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), ms, std::chars_format::fixed, 3).ptr;
    exchange.answer.headers.emplace_back(name, std::string(text.data(), end));
  };
  add("x-queue-time", exchange.call.timings()->queue);
  add("x-inference-time", exchange.call.timings()->compute);
  add("x-total-time", std::chrono::steady_clock::now() - exchange.call.start);
}

/// Returns the options with the shared decoding budget and the folders of tuned settings filled in.
ServerOptions completed(ServerOptions options) {
  const std::size_t bytes =
      options.max_decode_bytes != 0 ? options.max_decode_bytes : decode_share(usable_memory());
  options.repository.task.decode.budget = std::make_shared<DecodeBudget>(bytes);
  if (options.tuned) options.repository.find_tuned = adapter::find_tuned;
  return options;
}

void add_decode_metrics(MetricsRegistry& metrics, const std::shared_ptr<const DecodeBudget>& budget) {
  metrics
      .gauge("infer_decode_limit_bytes",
             "Maximum memory that all images may use while they are decoded (--max-decode-bytes), in bytes.")
      .set(static_cast<double>(budget->limit_bytes()));
  Gauge& bytes =
      metrics.gauge("infer_decode_bytes", "Memory that is used for decoding images now, in bytes.");
  Gauge& waiting = metrics.gauge("infer_decode_waiting",
                                 "Number of images that wait until enough memory for decoding them is free.");
  metrics.on_collect(budget, [&bytes, &waiting, budget = budget.get()] {
    bytes.set(static_cast<double>(budget->used_bytes()));
    waiting.set(static_cast<double>(budget->waiting()));
  });
}

}  // namespace

Service::Service(ServerOptions options, LogLine log)
    : options_(completed(std::move(options))),
      log_(std::move(log)),
      host_(options_.repository, metrics_,
            [log = log_](const ServingEvent& event) { log(event.level, event_line(event)); }),
      active_requests_(
          metrics_->gauge("active_requests", "Number of HTTP requests that are being processed.")),
      model_load_time_(metrics_->gauge("model_load_time_seconds",
                                       "Time that loading and warming up all models took, in seconds.")) {
  add_process_metrics(*metrics_);
  add_decode_metrics(*metrics_, options_.repository.task.decode.budget);
  if (!options_.api_keys.empty()) api_keys_.emplace(options_.api_keys);
#define INFER_ADD(name) add_##name##_routes(router_, *this);
  INFER_EACH_ROUTES(INFER_ADD)
#undef INFER_ADD
  router_.add({.method = "GET",
               .path = "/openapi.json",
               .summary = "This OpenAPI description",
               .handle = [this](Exchange& exchange) { exchange.answer.text = openapi(router_.routes()); }});
}

Result<void> Service::load() {
  if (api_keys_) {
    if (auto read = api_keys_->load_if_changed(); !read) return read;
  }
  if (auto loaded = host_.load(); !loaded) return loaded;
  const double seconds = seconds_since(start_);
  model_load_time_.set(seconds);
  startup_ready_ms_.store(seconds * 1000);
  lifecycle_.loaded();
  return {};
}

void Service::refresh() {
  request_log_.report_left_out();
  if (api_keys_) {
    if (auto read = api_keys_->load_if_changed(); !read) {
      log_(LogLevel::kError, event_line("api_keys_refused", [&](JsonWriter& json) {
             json.key("error").value(read.error().message);
           }));
    }
  }
  if (also_refresh_) also_refresh_();
  host_.refresh();
}

bool Service::ready() const { return lifecycle_.phase() == Lifecycle::Phase::kServing; }

DrainReport Service::drain(milliseconds timeout) {
  lifecycle_.start_draining();
  const DrainReport report = host_.drain(timeout);
  request_log_.report_left_out();
  return report;
}

bool Service::Handler::authorised(Exchange& exchange) const {
  if (!service_.api_keys_ || entrance_ != Entrance::kMain || exchange.request.route->open) return true;
  const std::string_view given = exchange.request.header("Authorization").value_or("");
  const std::size_t scheme = std::min(given.find(' '), given.size());  // a scheme ignores case
  if (equal_ignoring_case(given.substr(0, scheme), "Bearer") &&
      service_.api_keys_->accepts(trimmed(given.substr(scheme))))
    return true;
  exchange.answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  answer_error(exchange, 401, "Unauthorized",
               given.empty() ? "Authorization: is missing; send Bearer and an API key"
                             : "Authorization: is not Bearer followed by a known API key");
  return false;
}

std::optional<std::string> Service::Handler::refusal(const Exchange& exchange) const {
  const std::string& socket = service_.options_.admin_socket;
  const bool safe = exchange.request.method == "GET" || exchange.request.method == "HEAD" ||
                    exchange.request.method == "OPTIONS";
  if (entrance_ == Entrance::kAdmin) return std::nullopt;
  if (exchange.request.route->probe_only) {
    const std::string path(exchange.request.path);
    if (!socket.empty()) return path + ": is available only through the Unix socket (admin_socket)";
    if (!is_loopback(std::string(exchange.request.remote_address))) {
      return path +
             ": is available only from the server's machine; use infer drain there, or use --admin-socket in "
             "a container";
    }
    // Checked for every listener address, since a page of another site may reach this address under its own
    // name.
    if (!names_this_machine(exchange.request.header("Host").value_or("")))
      return path + ": Host does not name this machine; use localhost or 127.0.0.1";
    if (!exchange.request.header(kAdminHeader))
      return path + ": needs the header " + kAdminHeader + ": 1, which no other site's page can send";
    return sent_by_other_site(exchange);
  }
  if (exchange.request.route->changes_state || (loopback_ && !safe)) return sent_by_other_site(exchange);
  return std::nullopt;
}

bool Service::Handler::begin(Exchange& exchange) {
  if (loopback_) {
    const auto host = exchange.request.header("Host");  // not required by HTTP/1.0, which no browser uses
    if (host && !names_this_machine(*host, service_.options_.allowed_hosts)) {
      answer_error(exchange, 403, "Forbidden",
                   "Host: does not name this machine, but the server listens on a loopback address; use "
                   "localhost or 127.0.0.1, or add the name to --allowed-hosts");
      return false;
    }
  }
  Router::Match match =
      service_.router_.find(exchange.request.method, exchange.request.path, entrance_ != Entrance::kMain);
  if (match.route == nullptr) {
    if (match.allowed.empty()) {
      answer_error(exchange,
                   Error{ErrorCode::kNotFound, "no route " + std::string(exchange.request.path), {}});
    } else {
      exchange.answer.headers.emplace_back("Allow", match.allowed);
      answer_error(exchange, 405, "MethodNotAllowed",
                   std::string(exchange.request.path) + ": method " + std::string(exchange.request.method) +
                       " is not allowed; use " + match.allowed);
    }
    return false;
  }
  exchange.request.route = match.route;
  exchange.request.path_parameters = std::move(match.parameters);
  if (auto why = refusal(exchange)) {
    answer_error(exchange, 403, "Forbidden", *std::move(why));
    return false;
  }
  if (!authorised(exchange)) return false;
  if (entrance_ == Entrance::kMain) {
    exchange.counted = true;
    service_.active_.fetch_add(1);
    service_.active_requests_.add(1);
  }
  if (!exchange.request.route->work) return true;
  if (const auto parent = exchange.request.header("traceparent")) {
    exchange.request.trace_id = trace_id(*parent);
    if (!exchange.request.trace_id.empty()) {
      exchange.request.span_id = random_id();
      exchange.answer.headers.emplace_back("traceparent", traceparent(*parent, exchange.request.span_id));
    }
  }
  auto deadline = request_deadline(exchange, service_.options_.request_timeout);
  if (!deadline) {
    answer_error(exchange, deadline.error());
    return false;
  }
  exchange.call.deadline = *deadline;
  auto admitted = service_.lifecycle_.admit();
  if (!admitted) refuse(exchange, admitted.error());
  return admitted.has_value();
}

bool Service::Handler::is_quick(const Exchange& exchange) const {
  return exchange.request.route->quick && exchange.request.route->quick(exchange);
}

void Service::Handler::handle(Exchange& exchange) { exchange.request.route->handle(exchange); }

void Service::Handler::finish(Exchange& exchange) {
  if (exchange.counted) {
    service_.active_requests_.add(-1);
    service_.active_.fetch_sub(1);
  }
  // A request that was refused before routing still counts for its route.
  if (exchange.request.route == nullptr && !exchange.request.path.empty())
    exchange.request.route =
        service_.router_.find(exchange.request.method, exchange.request.path, entrance_ != Entrance::kMain)
            .route;
  if (exchange.answer.failure) write_failure(exchange);
  if (exchange.call.timings()) add_timing_headers(exchange);
  service_.request_log_.finished(exchange);
  exchange.call.release();
}

bool Service::Handler::closing() const {
  return entrance_ == Entrance::kMain && service_.lifecycle_.is_leaving();
}

}  // namespace infer::http
