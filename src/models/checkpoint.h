#pragma once

#include <set>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/weights/safetensors.h"

namespace infer::inline v0 {

/// The tensors of a checkpoint, taken one by one by whoever builds a model from them. What does not fit is
/// noted, not reported at once, so that one error can list all of it. A weight that is NaN or infinite does
/// not fit.
class Checkpoint {
 public:
  explicit Checkpoint(TensorMap tensors) : tensors_(std::move(tensors)) {}

  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// The tensor `name`, of FP32 or a dtype that becomes it. Null, and noted, unless its shape is `shape` and
  /// all of it is finite.
  const Tensor* take(const std::string& name, const Shape& shape);
  /// Counts no tensor whose name begins so as left over.
  void ignore(const std::string& prefix) { ignored_.push_back(prefix); }
  /// Errors: `kInvalidArgument`, naming every tensor that is missing, misshapen, not finite or left over.
  Result<void> check() const;

 private:
  const TensorMap tensors_;
  std::set<std::string> taken_;
  std::vector<std::string> ignored_;
  std::vector<std::string> problems_;
};

}  // namespace infer::inline v0
