#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/metrics.h"
#include "log_line.h"
#include "options.h"
#include "served_models.h"

namespace infer::http {

/// Loads the models that a server is told to serve, and keeps them what their folders say.
class ModelHost {
 public:
  ModelHost(const ServerOptions& options, std::shared_ptr<MetricsRegistry> metrics, LogLine log);

  /// Loads all; blocks. Errors: of `open_engine`, the model's folder in front.
  Result<void> load();
  /// Serves an engine made elsewhere, in the place of one of the same name.
  Result<void> add(std::shared_ptr<Engine> engine);

  /// Looks whether a model's folder calls for another version, and serves that instead. The new one is
  /// loaded, warmed up and checked against the old before it takes over; where that fails the old one stays.
  /// Blocking.
  void refresh();
  /// Frees what was replaced or unloaded and is in use no longer, and buffers of engines that have gone
  /// unused.
  void free_unused();
  /// Lets `refresh` try again what it refused before.
  void forget_refusals();

  /// Loads a model of the repository, in the place of what is served by that name. Blocking. Errors:
  /// `kNotFound` (no such folder), and those of loading.
  Result<void> load_model(const std::string& name);
  /// Serves a model no longer; requests that have it finish. Errors: `kNotFound`.
  Result<void> unload_model(const std::string& name);

  /// A model of the repository, served or not.
  struct Entry {
    std::string name;
    std::string version;  ///< Empty for one that is not served.
  };
  std::vector<Entry> index() const;

  const ServedModels& models() const noexcept { return models_; }
  /// Also those that were replaced but are still in use, unless a model is being loaded right now.
  std::vector<std::shared_ptr<ServedModel>> all();
  /// No model takes the place of another from now on.
  void stop() noexcept { stopped_.store(true); }

 private:
  /// Folders of models: those named, and those of the repository. Errors: `kNotFound`, `kUnavailable`: the
  /// repository cannot be read.
  Result<std::vector<std::filesystem::path>> folders() const;
  Result<void> load_folder(const std::filesystem::path& folder);
  Result<std::shared_ptr<ServedModel>> open(const std::filesystem::path& directory,
                                            const std::string& version, bool by_default) const;
  /// The model that was replaced; null where all stays.
  std::shared_ptr<ServedModel> refresh_model(const std::string& name);
  void drop_retired();
  void show(const ServedModel& model);
  void log_swap(LogLevel level, std::string_view event, const Model& model, std::string_view version,
                std::string_view error) const;

  const ServerOptions& options_;
  const std::shared_ptr<MetricsRegistry> metrics_;
  const LogLine log_;
  ServedModels models_;
  std::mutex change_mutex_;  ///< One change at a time.
  std::map<std::string, std::string>
      refused_;  ///< By name: the version that did not pass, or why there is none.
  std::vector<std::shared_ptr<ServedModel>> retired_;  ///< Replaced, but requests may still use them.
  std::atomic<bool> stopped_{false};
};

}  // namespace infer::http
