#pragma once

#include <set>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/weights/safetensors.h"

namespace infer::inline v0 {

/// The tensors of a checkpoint, taken one by one to build a model. Tensors that do not fit are noted, so that
/// one error can list them all. A tensor with NaN or infinity does not fit.
class Checkpoint {
 public:
  explicit Checkpoint(TensorMap tensors) : tensors_(std::move(tensors)) {}

  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Returns the tensor `name`, of FP32 or a dtype that can be converted to it. Returns null and notes the
  /// tensor unless its shape is `shape` and all values are finite.
  const Tensor* take(const std::string& name, const Shape& shape);
  /// Does not report tensors whose names begin with `prefix` as left over.
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
