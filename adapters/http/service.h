#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/metrics.h"
#include "infer/tasks/image_embedder.h"
#include "lifecycle.h"
#include "listener.h"
#include "options.h"
#include "router.h"

namespace infer::http {

/// A model that is being served, with the task it does.
struct ServedModel {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<ImageEmbedder> image_embedder;  ///< Null unless that is its task.
};

/// Receives one line of JSON for each request. Called from many threads.
using LogLine = std::function<void(std::string_view level, const std::string& json)>;

/// The routes, the models behind them, and the phase they are in. Independent of listeners, which come and
/// go.
class Service {
 public:
  Service(ServerOptions options, LogLine log);

  /// Loads the models and starts serving; blocks. Errors: of `open_engine`, the model's folder in front.
  Result<void> load();
  /// Serves an engine made elsewhere.
  Result<void> add(std::shared_ptr<Engine> engine);

  /// The handler of the main and of the probe listener.
  RequestHandler& main_handler() noexcept { return main_; }
  RequestHandler& probe_handler() noexcept { return probe_; }

  Lifecycle& lifecycle() noexcept { return lifecycle_; }
  /// Refuses new work and finishes what is queued; what is left at the timeout is failed. Blocks.
  DrainReport drain(std::chrono::milliseconds timeout);
  /// Requests being answered right now, probes left out.
  std::size_t active() const noexcept { return active_.load(); }

  const ServerOptions& options() const noexcept { return options_; }
  MetricsRegistry& metrics() noexcept { return *metrics_; }
  const Router& router() const noexcept { return router_; }
  void log(std::string_view level, const std::string& json) const { log_(level, json); }

  /// The model for images; null where there is none.
  ServedModel* image_model() const;
  bool ready() const;
  std::vector<ServedModel*> models() const;
  /// Milliseconds from start to ready; negative until then.
  double startup_ready_ms() const noexcept { return startup_ready_ms_.load(); }

 private:
  class Handler final : public RequestHandler {
   public:
    Handler(Service& service, bool probe) : service_(service), probe_(probe) {}
    bool begin(Exchange& exchange) override;
    void handle(Exchange& exchange) override;
    void finish(const Exchange& exchange) override;
    bool closing() const override;

   private:
    const Route* route(const Exchange& exchange) const;
    Service& service_;
    const bool probe_;
  };

  void log_request(const Exchange& exchange, double latency_ms) const;

  const ServerOptions options_;
  const LogLine log_;
  const TimePoint start_ = std::chrono::steady_clock::now();
  const std::shared_ptr<MetricsRegistry> metrics_ = std::make_shared<MetricsRegistry>();
  Lifecycle lifecycle_;
  Router router_;
  Handler main_{*this, false};
  Handler probe_{*this, true};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<ServedModel>> models_;
  std::atomic<double> startup_ready_ms_{-1};
  std::atomic<std::size_t> active_{0};
  Gauge& active_requests_;
  Counter& predictions_;
  Histogram& prediction_latency_;
  Gauge& model_load_time_;
};

/// The routes of each kind; each adds its rows to the table.
void add_health_routes(Router& router, Service& service);
void add_embed_routes(Router& router, Service& service);

}  // namespace infer::http
