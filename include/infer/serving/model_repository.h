#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/metrics.h"
#include "infer/core/scheduler_stats.h"
#include "infer/engine/open.h"
#include "infer/export.h"
#include "infer/serving/event.h"
#include "infer/serving/served_models.h"

namespace infer::inline v0 {

/// Which models to serve, and how.
struct RepositoryOptions {
  std::vector<std::string> models;  ///< Folders of models, each with an infer.json.
  std::string folder;  ///< A folder that contains model folders, which are all served; empty: none.
  /// How engines are made; the repository sets `version`, `tuned`, `metrics`, `metrics_name` and `log`.
  OpenOptions engine;
  TaskOptions task;  ///< How models are made ready for their tasks.
  /// Returns the file with settings tuned for a model's folder, or an empty path; empty: nothing is tuned.
  std::function<std::filesystem::path(const std::filesystem::path& model)> find_tuned;
};

/// Loads models from folders and follows their changes: new versions and promotions.
///
/// Thread-safe; one change is made at a time.
class INFER_EXPORT ModelRepository {
 public:
  /// Loads nothing yet. Engines count in `metrics` (null: in a registry of the repository's own); `events`
  /// receives events and may be empty.
  ///
  /// Engines keep copies of `events` and may outlive the repository, if a call still holds a model or a
  /// forward is stuck: objects that `events` refers to must outlive the engines.
  ModelRepository(RepositoryOptions options, std::shared_ptr<MetricsRegistry> metrics, EventSink events);

  /// Loads all models; blocks until they are warm.
  ///
  /// Errors: `kNotFound` (no such folder, or a folder without models), `kUnavailable` (no descriptors left),
  /// `kInvalidArgument` (two models of one name), and those of `open_engine` and `make_task`.
  Result<void> load();
  /// Serves an engine made elsewhere; it replaces a model of the same name. May block on a few forwards.
  ///
  /// Errors: those of `make_task`.
  Result<void> add(std::shared_ptr<Engine> engine);

  /// Checks whether a model's folder asks for another version, and serves that version; blocking.
  ///
  /// A new version is loaded, warmed up and compared with the old version before it takes over: same task and
  /// contract, finite answers and, if its manifest claims the same weights, the same answers. If a check
  /// fails, the old version stays.
  void refresh();
  /// Frees replaced and unloaded models that no request uses any longer, and unused buffers of engines.
  /// Returns unused heap memory to the system.
  void free_unused();
  /// Lets `refresh` try again the versions that it refused before.
  void forget_refusals();

  /// Loads a model by name and replaces the served model of that name. Blocking.
  ///
  /// Errors: `kNotFound` (no such folder), `kFailedPrecondition` (not enough memory), and those of `load`.
  Result<void> load_model(const std::string& name);
  /// Stops serving a model; requests that use the model finish.
  ///
  /// Errors: `kNotFound`.
  Result<void> unload_model(const std::string& name);

  /// A model of the repository, served or not.
  struct Entry {
    std::string name;     ///< Name of the model's folder.
    std::string version;  ///< The served version; empty if the model is not served.
  };
  /// Returns all models: those served, and those of the folder.
  std::vector<Entry> index() const;

  /// Returns the models that are served.
  const ServedModels& models() const noexcept { return models_; }
  /// Returns the served models and the replaced models that are still in use. The replaced models are missing
  /// while a model is being loaded.
  std::vector<std::shared_ptr<ServedModel>> all();
  /// Refuses new work and finishes what is queued; fails what is left at the timeout. Blocks. Afterwards no
  /// model is replaced.
  DrainReport drain(std::chrono::milliseconds timeout);

 private:
  /// Folders of models: those named, and those of the repository. Errors: `kNotFound`, `kUnavailable`: the
  /// repository cannot be read.
  Result<std::vector<std::filesystem::path>> folders() const;
  Result<void> load_folder(const std::filesystem::path& folder);
  Result<std::shared_ptr<ServedModel>> open(const std::filesystem::path& directory,
                                            const std::string& version, bool by_default) const;
  /// Returns the replaced model; null if nothing changed.
  std::shared_ptr<ServedModel> refresh_model(const std::string& name);
  void drop_retired();
  void show(const ServedModel& model);
  void log_swap(LogLevel level, std::string_view event, const Model& model, std::string_view version,
                std::string_view error) const;

  const RepositoryOptions options_;
  const std::shared_ptr<MetricsRegistry> metrics_;
  const EventSink events_;
  ServedModels models_;
  std::mutex change_mutex_;  ///< One change at a time.
  std::map<std::string, std::string>
      refused_;  ///< By name of the model: the refused version, or the reason of the failure.
  std::vector<std::shared_ptr<ServedModel>> retired_;  ///< Replaced, but requests may still use them.
  std::atomic<bool> stopped_{false};
};

}  // namespace infer::inline v0
