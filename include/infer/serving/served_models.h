#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/export.h"
#include "infer/serving/request_statistics.h"
#include "infer/tasks/task.h"

namespace infer::inline v0 {

/// A model that is served.
struct INFER_EXPORT ServedModel {
  std::shared_ptr<Engine> engine;   ///< Runs the model.
  std::unique_ptr<TaskModel> task;  ///< Does the work of the model's task.
  bool by_default = true;           ///< Serves requests that name no version.

  /// Returns true if `version` is the name of its folder, or that name with the precision.
  bool is_version(std::string_view version) const;

  /// Times of the model's requests.
  const std::shared_ptr<RequestStatistics> statistics = std::make_shared<RequestStatistics>();
  /// When this object was made, in seconds since 1970.
  const std::int64_t created_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  Duration load_time{};  ///< Time to read the file and to warm up.

  /// Makes an engine's model ready for its task; may block on a few forwards.
  ///
  /// Errors: those of `make_task`.
  static Result<std::shared_ptr<ServedModel>> create(std::shared_ptr<Engine> engine,
                                                     const TaskOptions& options);
};

/// The models that are served, by name, and the versions of each.
///
/// Thread-safe. A request keeps its model, so that another version can replace the model meanwhile.
class INFER_EXPORT ServedModels {
 public:
  /// Returns all versions of all models.
  std::vector<std::shared_ptr<ServedModel>> all() const;
  /// Returns a served version of a model, or null; if `version` is empty, the version for requests that name
  /// none.
  std::shared_ptr<ServedModel> find(std::string_view name, std::string_view version) const;
  /// Makes `versions` the only versions of the model; returns the versions that were served before.
  std::vector<std::shared_ptr<ServedModel>> replace(std::string_view name,
                                                    std::vector<std::shared_ptr<ServedModel>> versions);
  /// Adds a model. If the model serves requests that name no version, it replaces the model of its name that
  /// did so. Returns the replaced model, else null.
  std::shared_ptr<ServedModel> put(std::shared_ptr<ServedModel> model);
  /// Returns the names of the models.
  std::vector<std::string> names() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ServedModel>> models_;
};

}  // namespace infer::inline v0
