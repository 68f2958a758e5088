#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "infer/core/clock.h"
#include "infer/core/result.h"
#include "infer/engine/admission.h"
#include "infer/engine/response.h"
#include "infer/export.h"
#include "infer/serving/served_models.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// What a request needs a model for: a name for messages, and whether a model can do it.
struct Work {
  const char* name;                           ///< Such as "image-embedding".
  bool (*done_by)(const ServedModel& model);  ///< True if the model does this work.
};

/// Work that is done by one of the classes `Tasks`, such as `ImageEmbedder`.
template <class... Tasks>
constexpr Work work_of(const char* name) {
  return {name, [](const ServedModel& model) { return ((model.task->as<Tasks>() != nullptr) || ...); }};
}

/// The model that a request asks for; the server chooses what the request leaves out.
struct WantedModel {
  std::optional<std::string> name;     ///< Name of the model.
  std::optional<std::string> version;  ///< Its version.
};

/// Returns the model that was asked for, or the first that does the work.
///
/// Errors: `kNotFound` (not loaded) and `kInvalidArgument` (a model for other work); both messages name the
/// models that can do the work.
INFER_EXPORT Result<std::shared_ptr<ServedModel>> choose_model(const ServedModels& models,
                                                               const WantedModel& wanted, const Work& work);

/// One request to the served models, in any protocol.
///
/// A protocol adapter fills in what the client asked for, lets the call choose the model, and passes `permit`
/// and `options()` to the class that does the work. Used by one thread at a time.
class INFER_EXPORT Call {
 public:
  TimePoint start{};            ///< When the request arrived.
  TimePoint deadline = kNever;  ///< Absolute time at which the client no longer waits.
  std::stop_token stop;         ///< Stops when the client is gone.

  /// Takes a place in line if only one model does the work, so that a request that cannot be served is
  /// refused before its body is read. Does nothing if there are several models, since the body may name the
  /// model.
  ///
  /// Errors: those of `take`.
  Result<void> choose_early(const ServedModels& models, const Work& work);
  /// Chooses the model that was asked for and takes a place in its line, unless the call has it already.
  ///
  /// Errors: those of `choose_model` and of `take`.
  Result<void> choose(const ServedModels& models, const WantedModel& wanted, const Work& work);
  /// Takes a place in the line of `model` and releases an earlier place.
  ///
  /// Errors: those of `Engine::try_admit`.
  Result<void> take(std::shared_ptr<ServedModel> model);

  /// Returns the model that was chosen last, even if its line was full; null before one was chosen.
  const std::shared_ptr<ServedModel>& model() const noexcept { return model_; }
  /// Returns the class that does the work; the chosen model must do it.
  template <class Task>
  const Task& task() const {
    return *model_->task->template as<Task>();
  }
  /// Returns deadline and stop token, for the class that does the work.
  RequestOptions options() const { return {deadline, stop}; }
  /// Gives the place in line to the class that does the work.
  Permit permit() noexcept { return std::move(permit_); }

  /// Returns the seconds after which a client should try again: by the rate of the model, or 1 while the
  /// server loads or drains. Empty if trying again does not help.
  std::optional<int> retry_after_seconds(const Error& error) const;

  /// Records the times and sizes of the work, for statistics and access log.
  void ran(const Timings& timings, std::size_t batch_size, std::size_t samples) noexcept {
    timings_ = timings;
    batch_size_ = batch_size;
    samples_ = samples;
  }
  /// Counts the call in the statistics of its model. Call it once, when the answer is known.
  void finish(bool success, TimePoint now) const noexcept;

  /// Releases the model and the place in line, which are not needed while the answer is sent.
  void release() noexcept {
    permit_ = {};
    model_.reset();
  }

  /// Returns the times of the slowest sample; empty for a call that reached no worker.
  const std::optional<Timings>& timings() const noexcept { return timings_; }
  /// Returns the largest batch that contained one of the samples.
  std::size_t batch_size() const noexcept { return batch_size_; }

  /// Returns the number of samples; 0 for a call that reached no worker.
  std::size_t samples() const noexcept { return samples_; }

  std::optional<float> confidence;  ///< Confidence of the answer, for the access log.

 private:
  std::shared_ptr<ServedModel> model_;
  Permit permit_;
  std::optional<Timings> timings_;
  std::size_t batch_size_ = 0;
  std::size_t samples_ = 0;
};

}  // namespace infer::inline v0
