#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/request_handler.h"
#include "exchange/request_origin.h"
#include "exchange/router.h"
#include "infer/core/metrics.h"
#include "infer/serving/api_keys.h"
#include "infer/serving/lifecycle.h"
#include "infer/serving/model_repository.h"
#include "operations/log_line.h"
#include "operations/options.h"
#include "operations/request_log.h"

namespace infer::http {

/// The routes, the models behind them and the server's phase. Independent of listeners.
class Service {
 public:
  Service(ServerOptions options, LogLine log);

  /// Reads the API keys, loads the models and starts serving. Blocks. Errors: those of
  /// `ApiKeys::load_if_changed` and `ModelRepository::load`.
  Result<void> load();
  /// Serves an engine that the caller made. Replaces a model of the same name.
  Result<void> add(std::shared_ptr<Engine> engine) { return host_.add(std::move(engine)); }
  /// Applies changes on disk: new versions of models, changed API keys. Blocks.
  void refresh();

  RequestHandler& main_handler() noexcept { return main_; }
  RequestHandler& probe_handler() noexcept { return probe_; }
  RequestHandler& admin_handler() noexcept { return admin_; }

  Lifecycle& lifecycle() noexcept { return lifecycle_; }
  /// Refuses new work, finishes queued work, and at the timeout fails the rest. Blocks.
  DrainReport drain(std::chrono::milliseconds timeout);
  /// Number of requests that are being answered, without probes.
  std::size_t active() const noexcept { return active_.load(); }

  const ServerOptions& options() const noexcept { return options_; }
  MetricsRegistry& metrics() noexcept { return *metrics_; }
  const Router& router() const noexcept { return router_; }
  void log(LogLevel level, const std::string& json) const { log_(level, json); }
  /// Sets what else refresh() checks. Call this before serving.
  void on_refresh(std::function<void()> look) { also_refresh_ = std::move(look); }
  /// Sets what POST /log-level does, since the log's owner sets the level.
  void on_log_level(std::function<void(LogLevel)> set) { set_log_level_ = std::move(set); }
  void set_log_level(LogLevel level) const {
    if (set_log_level_) set_log_level_(level);
  }

  ModelRepository& host() noexcept { return host_; }
  const ServedModels& models() const noexcept { return host_.models(); }
  bool ready() const;
  /// Milliseconds from start to ready; negative before the server is ready.
  double startup_ready_ms() const noexcept { return startup_ready_ms_.load(); }

 private:
  enum class Entrance { kMain, kProbe, kAdmin };

  class Handler final : public RequestHandler {
   public:
    Handler(Service& service, Entrance entrance, const std::string& host)
        : service_(service), entrance_(entrance), loopback_(listens_on_loopback(host)) {}
    bool begin(Exchange& exchange) override;
    bool is_quick(const Exchange& exchange) const override;
    void handle(Exchange& exchange) override;
    void finish(Exchange& exchange) override;
    bool closing() const override;

   private:
    bool authorised(Exchange& exchange) const;
    /// Returns why this listener refuses the request, or nothing if it does not.
    std::optional<std::string> refusal(const Exchange& exchange) const;
    Service& service_;
    const Entrance entrance_;
    const bool loopback_;  ///< The listener accepts connections from this machine only.
  };

  const ServerOptions options_;
  const LogLine log_;
  const TimePoint start_ = std::chrono::steady_clock::now();
  const std::shared_ptr<MetricsRegistry> metrics_ = std::make_shared<MetricsRegistry>();
  Lifecycle lifecycle_;
  Router router_;
  Handler main_{*this, Entrance::kMain, options_.listener.host};
  Handler probe_{*this, Entrance::kProbe, options_.probe_host};
  Handler admin_{*this, Entrance::kAdmin, {}};
  ModelRepository host_;
  RequestLog request_log_{log_, *metrics_, options_.log_requests_per_second};
  std::optional<ApiKeys> api_keys_;
  std::function<void(LogLevel)> set_log_level_;
  std::function<void()> also_refresh_;
  std::atomic<double> startup_ready_ms_{-1};
  std::atomic<std::size_t> active_{0};
  Gauge& active_requests_;
  Gauge& model_load_time_;
};

/// Makes a function for `Route::handle` from a function that needs the service.
inline std::function<void(Exchange&)> of_service(Service& service, void (*answer)(Service&, Exchange&)) {
  return [&service, answer](Exchange& exchange) { answer(service, exchange); };
}

}  // namespace infer::http
