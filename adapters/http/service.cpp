#include "service.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

#include "infer/version.h"
#include "json_writer.h"
#include "successor.h"

namespace infer::http {

using adapter::JsonWriter;

namespace {

using std::chrono::milliseconds;
using Phase = Lifecycle::Phase;

/// RFC 3339 in UTC, with milliseconds.
std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms % 1000));
  return std::string(text.data(), length) + fraction.data();
}

double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

/// The deadline that X-Timeout-Ms asks for, at most `limit` from now. Errors: `kInvalidArgument`.
Result<TimePoint> request_deadline(const Exchange& exchange, milliseconds limit) {
  const auto text = exchange.header("X-Timeout-Ms");
  if (!text) return exchange.start + limit;
  std::int64_t ms = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, ms);
  if (error != std::errc() || stop != end || ms <= 0) {
    return fail(ErrorCode::kInvalidArgument,
                "X-Timeout-Ms: '" + text->substr(0, 32) + "' is not a whole number above 0");
  }
  return exchange.start + std::min<milliseconds>(milliseconds(std::min<std::int64_t>(ms, 86'400'000)), limit);
}

}  // namespace

Service::Service(ServerOptions options, LogLine log)
    : options_(std::move(options)),
      log_(std::move(log)),
      active_requests_(metrics_->gauge("active_requests", "Requests being answered.")),
      predictions_(metrics_->counter("predictions_total", "Predictions answered with success.")),
      prediction_latency_(metrics_->histogram("prediction_latency_seconds",
                                              "Seconds a prediction took, HTTP included.", latency_edges())),
      model_load_time_(
          metrics_->gauge("model_load_time_seconds", "Seconds to load and warm up the models.")) {
  metrics_->gauge("infer_build_info", "Always 1; the version is in the label.", {{"version", INFER_VERSION}})
      .set(1);
  Gauge& quota =
      metrics_->gauge("infer_cpu_quota_cores", "Cores that the control group grants; 0: no limit.");
  Gauge& periods =
      metrics_->gauge("infer_cpu_throttled_periods", "Periods in which the control group held this process.");
  Gauge& held = metrics_->gauge("infer_cpu_throttled_seconds", "Seconds for which it did.");
  metrics_->on_collect([&quota, &periods, &held] {
    const CpuLimits limits = read_cpu_limits();
    quota.set(limits.quota_cores.value_or(0));
    periods.set(static_cast<double>(limits.throttled_periods));
    held.set(static_cast<double>(limits.throttled_us) * 1e-6);
  });
  add_health_routes(router_, *this);
  add_embed_routes(router_, *this);
  add_text_routes(router_, *this);
  add_predict_routes(router_, *this);
  add_simulator_routes(router_, *this);
  router_.add({.method = "GET",
               .path = "/openapi.json",
               .summary = "This description",
               .handle = [this](Exchange& exchange) { exchange.response = openapi(router_.routes()); }});
}

Result<void> Service::load() {
  std::vector<std::filesystem::path> folders(options_.models.begin(), options_.models.end());
  if (!options_.repository.empty()) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(options_.repository, error)) {
      if (std::filesystem::exists(entry.path() / "infer.json")) folders.push_back(entry.path());
    }
    if (error || folders.size() == options_.models.size())
      return fail(ErrorCode::kNotFound, options_.repository + ": holds no folder with an infer.json");
    std::sort(folders.begin(), folders.end());
  }
  for (const auto& folder : folders) {
    auto versions = served_versions(folder);
    if (!versions) return Unexpected(versions.error());
    for (const std::string& version : *versions) {
      const bool by_default = version == versions->front();
      auto model = open(folder, version, by_default);
      if (!model) return Unexpected(model.error());
      if (by_default && models_.named((*model)->engine->model().name) != nullptr)
        return fail(ErrorCode::kInvalidArgument,
                    folder.string() + ": a model of this name is loaded already");
      if (by_default) show(**model);
      models_.put(*std::move(model));
    }
  }
  const double seconds = seconds_since(start_);
  model_load_time_.set(seconds);
  startup_ready_ms_.store(seconds * 1000);
  lifecycle_.loaded();
  return {};
}

Result<std::shared_ptr<ServedModel>> Service::open(const std::filesystem::path& directory,
                                                   const std::string& version, bool by_default) const {
  OpenOptions wanted = options_.engine;
  wanted.version = version;
  if (!by_default) wanted.metrics_name = directory.filename().string() + "@" + version;
  wanted.metrics = metrics_;
  // Its own copy of the log: a forward that is stuck may outlive this service.
  wanted.log = [log = log_](LogLevel, std::string_view event, std::string_view message) {
    JsonWriter json;
    json.begin_object().key("event").value(event).key("timestamp").value(timestamp());
    json.key("error").value(message).end_object();
    log("warning", json.text());
  };
  auto engine = open_engine(directory, wanted);
  if (!engine) return Unexpected(engine.error());
  auto model = ServedModel::create(std::make_shared<Engine>(*std::move(engine)), options_.decode);
  if (model) (*model)->by_default = by_default;
  return model;
}

void Service::show(const ServedModel& model) {
  const Engine& engine = *model.engine;
  const ThreadPlan& threads = engine.options().threads;
  const Labels labels{{"model", engine.model().name}};
  metrics_->gauge("infer_workers", "Batches computed side by side.", labels)
      .set(static_cast<double>(threads.workers));
  metrics_->gauge("infer_intra_op_threads", "Threads inside one forward.", labels)
      .set(static_cast<double>(threads.intra_op_threads));
  metrics_->gauge("infer_usable_cores", "Cores that affinity and control groups grant.")
      .set(static_cast<double>(threads.usable_cores));
  metrics_->gauge("infer_warmup_runs", "Forwards before ready.", labels)
      .set(static_cast<double>(engine.stats().warmup_runs));
}

Result<void> Service::add(std::shared_ptr<Engine> engine) {
  auto model = ServedModel::create(std::move(engine), options_.decode);
  if (!model) return Unexpected(model.error());
  show(**model);
  std::unique_lock lock(refresh_mutex_);
  if (auto old = models_.put(*std::move(model))) retired_.push_back(std::move(old));
  drop_retired();
  return {};
}

void Service::refresh() {
  std::unique_lock lock(refresh_mutex_);
  drop_retired();
  for (const std::string& name : models_.names()) {
    if (auto old = refresh_model(name)) retired_.push_back(std::move(old));
  }
  drop_retired();
}

std::shared_ptr<ServedModel> Service::refresh_model(const std::string& name) {
  const auto served = models_.named(name);
  const Model& now = served->engine->model();
  if (now.directory.empty()) return nullptr;  // made by hand
  const std::filesystem::path folder = now.directory.parent_path();
  const auto versions = served_versions(folder);
  // Several side by side are what they are until a restart.
  if (versions && versions->size() > 1) return nullptr;
  if (!versions) {  // said once, not every second
    const std::string& why = versions.error().message;
    if (std::exchange(refused_[name], why) != why) log_swap("error", "swap_refused", now, "", why);
    return nullptr;
  }
  const std::string& version = versions->front();
  if (version == now.directory.filename() || refused_[name] == version) return nullptr;
  const auto keep = [&](const Error& error) {
    refused_[name] = version;  // tried once; another version, or somebody who asks, tries again
    log_swap("error", "swap_refused", now, version, error.message);
    return nullptr;
  };
  if (auto room = room_for(folder / version); !room) return keep(room.error());
  auto next = open(folder, version, true);
  if (!next) return keep(next.error());
  if (auto fit = check_successor(*served, **next); !fit) return keep(fit.error());
  if (lifecycle_.phase() != Phase::kServing) return nullptr;
  refused_.erase(name);
  log_swap("info", "swapped", now, version, "");
  show(**next);
  return models_.put(*std::move(next));
}

void Service::drop_retired() {
  // Requests that were given the old model still use it; the last of them done, nobody can come to it any
  // more.
  const auto dropped = std::erase_if(retired_, [](const auto& model) { return model.use_count() == 1; });
  if (dropped > 0) malloc_trim(0);  // glibc keeps what the old weights took
}

void Service::forget_refusals() {
  std::unique_lock lock(refresh_mutex_);
  refused_.clear();
}

void Service::log_swap(std::string_view level, std::string_view event, const Model& model,
                       std::string_view version, std::string_view error) const {
  JsonWriter json;
  json.begin_object().key("event").value(event).key("timestamp").value(timestamp());
  json.key("model").value(model.name).key("model_version").value(model.version);
  json.key("new_version").value(version);
  if (!error.empty()) json.key("error").value(error);
  json.end_object();
  log_(level, json.text());
}

bool Service::ready() const { return lifecycle_.phase() == Phase::kServing; }

DrainReport Service::drain(milliseconds timeout) {
  lifecycle_.start_draining();
  const TimePoint end = std::chrono::steady_clock::now() + timeout;
  DrainReport total;
  auto all = models_.all();
  {
    std::unique_lock lock(refresh_mutex_, std::try_to_lock);  // held for as long as a model takes to load
    if (lock) all.insert(all.end(), retired_.begin(), retired_.end());
  }
  for (const auto& model : all) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    const DrainReport report = model->engine->drain(std::max(left, milliseconds(0)));
    total.completed += report.completed;
    total.failed += report.failed;
    total.in_time = total.in_time && report.in_time;
  }
  return total;
}

const Route* Service::Handler::route(const Exchange& exchange) const {
  return service_.router_.find(exchange.method, exchange.path, probe_).route;
}

bool Service::Handler::begin(Exchange& exchange) {
  const Router::Match match = service_.router_.find(exchange.method, exchange.path, probe_);
  if (match.route == nullptr) {
    if (match.allowed.empty()) {
      answer_error(exchange, Error{ErrorCode::kNotFound, "no route " + exchange.path, {}});
    } else {
      exchange.headers.emplace_back("Allow", match.allowed);
      answer_error(exchange, 405, "MethodNotAllowed",
                   exchange.path + ": method " + exchange.method + " is not among " + match.allowed);
    }
    return false;
  }
  if (!probe_) {
    exchange.counted = true;
    service_.active_.fetch_add(1);
    service_.active_requests_.add(1);
  }
  if (!match.route->work) return true;
  auto deadline = request_deadline(exchange, service_.options_.request_timeout);
  if (!deadline) {
    answer_error(exchange, deadline.error());
    return false;
  }
  exchange.deadline = *deadline;
  const Phase phase = service_.lifecycle_.phase();
  if (phase == Phase::kLoading || phase == Phase::kDraining) {
    exchange.headers.emplace_back("Retry-After", "1");
    answer_error(exchange,
                 Error{ErrorCode::kUnavailable, phase == Phase::kLoading ? "loading" : "draining", {}});
    return false;
  }
  return true;
}

void Service::Handler::handle(Exchange& exchange) { route(exchange)->handle(exchange); }

void Service::Handler::finish(const Exchange& exchange) {
  const Route* found = exchange.path.empty() ? nullptr : route(exchange);
  if (exchange.counted) {
    service_.active_requests_.add(-1);
    service_.active_.fetch_sub(1);
  }
  const double seconds = seconds_since(exchange.start);
  // Only what the route table knows becomes a label: a client's text never does.
  service_.metrics_
      ->counter("http_requests_total", "Requests answered.",
                {{"method", found != nullptr ? found->method : "other"},
                 {"path", found != nullptr ? found->path : "other"},
                 {"status", std::to_string(exchange.status)}})
      .add();
  if (found == nullptr || !found->work) return;
  if (exchange.status == 200) {
    service_.predictions_.add();
    service_.prediction_latency_.observe(seconds);
  }
  service_.log_request(exchange, seconds * 1000);
}

bool Service::Handler::closing() const { return !probe_ && service_.lifecycle_.phase() >= Phase::kLameDuck; }

void Service::log_request(const Exchange& exchange, double latency_ms) const {
  JsonWriter json;
  json.begin_object().key("event").value("request").key("timestamp").value(timestamp());
  json.key("request_id").value(exchange.request_id);
  json.key("route").value(exchange.path).key("status").value(exchange.status);
  json.key("latency_ms").value(rounded(latency_ms));
  if (!exchange.model.empty()) {
    json.key("model").value(exchange.model).key("model_version").value(exchange.model_version);
  }
  if (exchange.batch_size > 0) {
    json.key("batch_size").value(exchange.batch_size);
    json.key("queue_ms")
        .value(rounded(exchange.queue_ms))
        .key("compute_ms")
        .value(rounded(exchange.compute_ms));
  }
  if (exchange.confidence) json.key("confidence").value(*exchange.confidence);
  if (!exchange.error.empty()) json.key("error").value(exchange.error);
  json.end_object();
  log_(exchange.status >= 500 ? "error" : "info", json.text());
}

}  // namespace infer::http
