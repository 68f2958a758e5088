#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/export.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// The outputs of a model for several rows.
struct INFER_EXPORT TensorRows {
  /// The model's outputs for each row, without batch dimension.
  std::vector<std::vector<Tensor>> rows;
  Timings timings;             ///< Times of the slowest row.
  std::size_t batch_size = 0;  ///< The largest batch that contained one of the rows.

  /// Returns the outputs with the rows as first dimension.
  ///
  /// The tensors share memory with `rows` if the rows are contiguous already, and are copies otherwise.
  /// Without rows the shapes are those of `signature`.
  ///
  /// Errors: `kModelError` (rows of different shapes), `kOutOfMemory`.
  Result<std::vector<Tensor>> stacked(const ModelSignature& signature) const;
};

/// Runs a model of any kind: tensors in, tensors out.
///
/// Thread-safe: the engine batches across callers. Cheap to copy; copies share the engine.
class INFER_EXPORT TensorRunner {
 public:
  /// Uses an engine that others may use too; it must not be null.
  explicit TensorRunner(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  /// Runs tensors with the rows as first dimension, one tensor for each input of the model.
  ///
  /// All inputs have the same number of rows, and rows may share batches with those of other callers. The
  /// inputs are read during the call only. Blocks until all rows are done. A permit taken earlier may be
  /// passed on; otherwise the call takes one.
  ///
  /// Errors: `kInvalidArgument` (the inputs do not match the signature), and those of `Engine::submit`.
  Result<TensorRows> run(std::span<const Tensor> inputs, const RequestOptions& options = {},
                         Permit permit = {}) const;

  /// Runs `rows` samples that `prepare(i)` makes when their turn comes, so that memory stays bounded.
  ///
  /// The calling thread calls `prepare`, in order of `i`. Blocks until all rows are done. A message begins
  /// with the row's index, such as "rows[2]: ...".
  ///
  /// Errors: those of `prepare` and of `Engine::submit`.
  Result<TensorRows> run(std::size_t rows, const std::function<Result<Sample>(std::size_t)>& prepare,
                         const RequestOptions& options = {}, Permit permit = {}) const;

  /// Returns the engine, for its clock, statistics and drain; valid as long as the runner.
  Engine& engine() const noexcept { return *engine_; }

 private:
  std::shared_ptr<Engine> engine_;
};

}  // namespace infer::inline v0
