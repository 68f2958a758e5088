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

/// What a model gave for a number of rows, and where the time went.
struct INFER_EXPORT TensorRows {
  std::vector<std::vector<Tensor>> rows;  ///< For each row the outputs of the model, without batch dimension.
  Timings timings;                        ///< Of the slowest row.
  std::size_t batch_size = 0;             ///< The largest batch that one of the rows was part of.

  /// The outputs with the rows as first dimension; a copy unless the rows lie under each other already.
  /// Without rows: what `signature` says. Errors: `kModelError` (rows of different shapes), `kOutOfMemory`.
  Result<std::vector<Tensor>> stacked(const ModelSignature& signature) const;
};

/// Tensors in, tensors out, for a model of any kind. Thread-safe: it batches across its callers.
class INFER_EXPORT TensorRunner {
 public:
  explicit TensorRunner(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  /// Runs `inputs`, one for each input of the model, all with the same number of rows as first dimension. The
  /// rows may share batches with those of other callers. Blocks. A
  /// permit taken earlier may be passed on; else one is taken. Errors: `kInvalidArgument` (against the
  /// signature), and those of `Engine::submit`.
  Result<TensorRows> run(std::span<const Tensor> inputs, const RequestOptions& options = {},
                         Permit permit = {}) const;

  /// The same for `rows` samples that `prepare(i)` makes when their turn comes.
  Result<TensorRows> run(std::size_t rows, const std::function<Result<Sample>(std::size_t)>& prepare,
                         const RequestOptions& options = {}, Permit permit = {}) const;

  Engine& engine() const noexcept { return *engine_; }

 private:
  std::shared_ptr<Engine> engine_;
};

}  // namespace infer::inline v0
