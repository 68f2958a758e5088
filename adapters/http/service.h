#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/metrics.h"
#include "infer/tasks/forecaster.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/simulator.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "lifecycle.h"
#include "listener.h"
#include "options.h"
#include "router.h"

namespace infer::http {

/// A model that is being served, with the tasks it does; what it does not is null.
struct ServedModel {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<ImageEmbedder> image_embedder;
  std::unique_ptr<TextEmbedder> text_embedder;
  std::unique_ptr<TextClassifier> text_classifier;
  std::unique_ptr<Forecaster> forecaster;
  std::unique_ptr<Simulator> simulator;
  bool by_default = true;  ///< Serves requests that name no version.

  /// Errors: those of the task's `create`.
  static Result<std::shared_ptr<ServedModel>> create(std::shared_ptr<Engine> engine,
                                                     const DecodeLimits& limits);
};

/// Models by name, and of each the versions that are served. Thread-safe. A request keeps the model it was
/// given, so that one may be replaced under it.
class ServedModels {
 public:
  std::vector<std::shared_ptr<ServedModel>> all() const;
  /// The version for requests that name none; null where there is no such model.
  std::shared_ptr<ServedModel> named(std::string_view name) const;
  /// The first that does the task, or the one of that name and version; null where there is none.
  template <class Task>
  std::shared_ptr<ServedModel> doing(std::unique_ptr<Task> ServedModel::*task, std::string_view name = {},
                                     std::string_view version = {}) const {
    std::unique_lock lock(mutex_);
    for (const auto& model : models_) {
      const Model& loaded = model->engine->model();
      if ((*model).*task && (name.empty() || loaded.name == name) &&
          (version.empty() ? model->by_default : loaded.version == version))
        return model;
    }
    return nullptr;
  }
  /// Adds the model; one for requests without a version takes the place of that of its name, which is
  /// returned.
  std::shared_ptr<ServedModel> put(std::shared_ptr<ServedModel> model);
  std::vector<std::string> names() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ServedModel>> models_;
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
  /// Serves an engine made elsewhere, in the place of one of the same name.
  Result<void> add(std::shared_ptr<Engine> engine);
  /// Looks whether a model's folder calls for another version, and serves that instead. The new one is
  /// loaded, warmed up and checked against the old before it takes over; where that fails the old one stays.
  /// Blocking; one call at a time.
  void refresh();
  /// Lets `refresh` try again what it refused before.
  void forget_refusals();

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

  const ServedModels& models() const noexcept { return models_; }
  bool ready() const;
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

  Result<std::shared_ptr<ServedModel>> open(const std::filesystem::path& directory,
                                            const std::string& version, bool by_default) const;
  /// The model that was replaced; null where all stays.
  std::shared_ptr<ServedModel> refresh_model(const std::string& name);
  void drop_retired();
  void show(const ServedModel& model);
  void log_swap(std::string_view level, std::string_view event, const Model& model, std::string_view version,
                std::string_view error) const;
  void log_request(const Exchange& exchange, double latency_ms) const;

  const ServerOptions options_;
  const LogLine log_;
  const TimePoint start_ = std::chrono::steady_clock::now();
  const std::shared_ptr<MetricsRegistry> metrics_ = std::make_shared<MetricsRegistry>();
  Lifecycle lifecycle_;
  Router router_;
  Handler main_{*this, false};
  Handler probe_{*this, true};
  ServedModels models_;
  std::mutex refresh_mutex_;
  std::map<std::string, std::string>
      refused_;  ///< By name: the version that did not pass, or why there is none.
  std::vector<std::shared_ptr<ServedModel>> retired_;  ///< Replaced, but requests may still use them.
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
void add_text_routes(Router& router, Service& service);
void add_predict_routes(Router& router, Service& service);
void add_simulator_routes(Router& router, Service& service);

}  // namespace infer::http
