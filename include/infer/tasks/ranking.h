#pragma once

#include <memory>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/export.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// Orders numbers by the score that a model gives to each.
///
/// Thread-safe.
class INFER_EXPORT Ranker {
 public:
  /// Uses an engine whose model takes one FP32 [1] tensor and returns one of the same shape.
  ///
  /// Errors: `kInvalidArgument` (the model's signature does not fit).
  static Result<Ranker> create(std::shared_ptr<Engine> engine);
  /// Returns the indices of `values`, highest score first; blocks.
  ///
  /// Errors: those of `Engine::submit`.
  Result<std::vector<std::size_t>> rank(std::span<const float> values, const RequestOptions& options = {},
                                        Permit permit = {}) const;

 private:
  explicit Ranker(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  std::shared_ptr<Engine> engine_;
};

}  // namespace infer::inline v0
