#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/tasks/task.h"
#include "request_statistics.h"

namespace infer::http {

/// A model that is being served.
struct ServedModel {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<TaskModel> task;
  bool by_default = true;  ///< Serves requests that name no version.

  /// Whether it is called that: the folder's name, with its precision or without.
  bool is_version(std::string_view version) const;

  const std::shared_ptr<RequestStatistics> statistics = std::make_shared<RequestStatistics>();
  const std::int64_t created_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();      ///< Since 1970.
  Duration load_time{};  ///< To read the file and warm up.

  /// Errors: those of `make_task`.
  static Result<std::shared_ptr<ServedModel>> create(std::shared_ptr<Engine> engine,
                                                     const TaskOptions& options);
};

/// Models by name, and of each the versions that are served. Thread-safe. A request keeps the model it was
/// given, so that one may be replaced under it.
class ServedModels {
 public:
  std::vector<std::shared_ptr<ServedModel>> all() const;
  /// The version, or where it is empty that for requests which name none; null where there is no such model.
  std::shared_ptr<ServedModel> find(std::string_view name, std::string_view version) const;
  /// Serves `versions` as all there is of a model; those that were served are returned.
  std::vector<std::shared_ptr<ServedModel>> replace(std::string_view name,
                                                    std::vector<std::shared_ptr<ServedModel>> versions);
  /// Adds the model; one for requests without a version takes the place of that of its name, which is
  /// returned.
  std::shared_ptr<ServedModel> put(std::shared_ptr<ServedModel> model);
  std::vector<std::string> names() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ServedModel>> models_;
};

}  // namespace infer::http
