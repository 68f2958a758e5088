#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/engine/engine.h"
#include "infer/engine/model.h"

namespace infer::inline v0::tools {

/// Options of a measurement.
struct BenchOptions {
  std::string model = {};                 ///< Model folder, of any task.
  std::string device = "cpu";             ///< "cpu" or "cuda:N".
  std::vector<std::size_t> batches = {};  ///< Batch sizes; empty: those that the model's engine runs.
  /// Size of each free dimension, such as the number of tokens; 0: the longest allowed length, which costs
  /// most.
  std::size_t length = 0;
  double seconds = 2;  ///< Time of each measurement.
};

/// Time of a forward with one batch size.
struct BenchRow {
  std::size_t batch = 0;  ///< Samples in a batch.
  double mean_ms = 0;     ///< Mean milliseconds of a forward while every worker runs one.
  double per_second = 0;  ///< Samples per second, of all workers together.
  double alone_ms = 0;    ///< Mean milliseconds of a forward while no other runs.
};

/// Operations of a forward, and the speed of the machine. Both are 0 if unknown.
struct ComputeLimit {
  double operations = 0;  ///< Operations of one sample.
  double peak = 0;        ///< Operations per second of large matrix products, on all threads of the engine.
};

/// A loaded model to be timed. Not thread-safe.
class Bench {
 public:
  /// Loads the model and chooses the batch sizes and the length of free dimensions. Blocking.
  ///
  /// Errors: those of `read_manifest` and `load_model`; `kInvalidArgument` (a length for a model of fixed
  /// shapes), `kFailedPrecondition` (free dimensions of unknown length).
  static Result<Bench> open(const BenchOptions& options);

  /// Returns the model.
  const Model& model() const noexcept { return model_; }
  /// Returns the options of an engine that would serve the model.
  const EngineOptions& engine() const noexcept { return engine_; }
  /// Returns whether inputs have free dimensions.
  bool has_free_dimensions() const noexcept { return !model_.backend->signature().is_static(); }
  /// Returns the size of each free dimension.
  std::size_t length() const noexcept { return length_; }
  /// Returns the batch sizes to measure, ascending.
  const std::vector<std::size_t>& batches() const noexcept { return batches_; }
  /// Returns the largest batch that an engine makes of samples of this length.
  std::size_t max_batch_size() const noexcept { return max_batch_size_; }

  /// Measures large matrix products on all threads of the engine; returns zeros for devices other than the
  /// CPU. Blocking.
  ComputeLimit measure_limit() const;
  /// Measures forwards of one batch size, at the same time on all workers and then on one worker. Blocking.
  ///
  /// Errors: the first error of a forward; `kOutOfMemory`.
  Result<BenchRow> measure_forward(std::size_t batch) const;
  /// Measures the CPU time of a request outside the forward, in milliseconds: preparing the sample, and
  /// forming and splitting its batch. Blocking.
  ///
  /// Errors: those of `Engine::create` and `sample_request`, and the first error of a request.
  Result<double> measure_prepare(const std::string& sample) const;

 private:
  Bench() = default;

  BenchOptions options_;
  Model model_;
  EngineOptions engine_;
  std::size_t length_ = 1;
  std::vector<std::size_t> batches_ = {};
  std::size_t limit_batch_ = 1;  // of `measure_limit`: the last batch size
  std::size_t max_batch_size_ = 1;
};

}  // namespace infer::inline v0::tools
