#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "infer/engine/engine.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"
#include "infer/image/decode.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// Minimum cosine between the answers of two precisions of the same weights.
inline constexpr double kLeastCosineOfPrecisions = 0.97;

/// What clients send to a model of a task, beside tensors.
enum class TaskInput {
  kTensors,  ///< Nothing else.
  kImage,    ///< The bytes of an image file.
  kText,     ///< A text in UTF-8.
  kSeries,   ///< Rows of a series.
};

/// A model that is ready for the work of its task.
///
/// Programs that load models of any task (a server, a benchmark, quantisation) use this class; a program that
/// knows the task uses the class of the task, such as `ImageEmbedder`. Thread-safe.
class INFER_EXPORT TaskModel {
 public:
  /// Uses an engine that others may use too; it must not be null.
  TaskModel(std::shared_ptr<Engine> engine, TaskInput input) : engine_(std::move(engine)), input_(input) {}
  virtual ~TaskModel() = default;
  /// Models are shared, not copied.
  TaskModel(const TaskModel&) = delete;
  /// Models are shared, not assigned.
  TaskModel& operator=(const TaskModel&) = delete;

  /// Returns what clients send to this model.
  TaskInput input() const noexcept { return input_; }

  /// Returns the class that does the work, such as `ImageEmbedder`; null if the model does not do that work.
  /// Valid as long as this object.
  template <class T>
  const T* as() const noexcept {
    return static_cast<const T*>(find(typeid(T)));
  }

  /// Returns the model's input for an image file; blocks while it decodes.
  ///
  /// Errors: `kUnimplemented` (`input` is not `kImage`), and those of `decode_image`.
  virtual Result<Sample> prepare_image(EncodedImage image, const RequestOptions& options = {}) const;

  /// Returns the answer to one input of what clients send, as numbers that can be compared; blocks.
  ///
  /// Two versions of a model answer alike if the vectors of both point in nearly the same direction.
  ///
  /// Errors: `kUnimplemented` (the task takes neither images nor texts), and those of the task.
  virtual Result<std::vector<float>> answer(std::string_view input) const;

  /// Returns the number of recorded inputs, which every model of the task can answer; 0 for a task without
  /// recorded inputs.
  virtual std::size_t recorded() const noexcept { return 0; }
  /// Returns the answer to recorded input `index`, below `recorded()`; blocks.
  ///
  /// One vector for each output, with the values that the model gives: two versions of the same weights give
  /// nearly the same values.
  ///
  /// Errors: those of the task.
  virtual Result<std::vector<std::vector<float>>> recorded_answer(std::size_t index) const;

  /// Returns the engine, which the model shares.
  const std::shared_ptr<Engine>& engine() const noexcept { return engine_; }

 protected:
  /// Returns the object of class `type` that does the work, or null.
  virtual const void* find(const std::type_info&) const noexcept { return nullptr; }

 private:
  std::shared_ptr<Engine> engine_;
  TaskInput input_;
};

/// How models of all tasks are made.
struct TaskOptions {
  DecodeLimits decode;  ///< Limits of images that clients send.
};

/// One task: a row of the table that `tasks()` returns.
struct TaskRow {
  std::string_view name;  ///< The value of "task" in infer.json.
  TaskInput input;        ///< What clients send.
  /// Makes a model ready for the task; may block on a few forwards. Errors: `kInvalidArgument` (the manifest
  /// or the signature is not what the task needs), `kNotFound` (a file of the model).
  Result<std::unique_ptr<TaskModel>> (*create)(std::shared_ptr<Engine> engine, const TaskOptions& options);
  /// Returns an error if clients could not use version `next` as they use version `now`. Errors:
  /// `kFailedPrecondition`.
  Result<void> (*same_contract)(const Model& now, const Model& next);
};

/// Returns all tasks, in alphabetical order.
INFER_EXPORT std::span<const TaskRow> tasks() noexcept;

/// Returns the row of a manifest's task; `place` (the model's name or folder) stands first in the message.
///
/// Errors: `kInvalidArgument` (no such task; the message names the known ones).
INFER_EXPORT Result<const TaskRow*> find_task(const Manifest& manifest, std::string_view place);

/// Makes a model ready for the task of its manifest; may block on a few forwards.
///
/// Errors: those of `find_task` and of the row's `create`.
INFER_EXPORT Result<std::unique_ptr<TaskModel>> make_task(std::shared_ptr<Engine> engine,
                                                          const TaskOptions& options = {});

}  // namespace infer::inline v0
