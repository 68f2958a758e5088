#include "infer/engine/signature.h"

#include <algorithm>

namespace infer::inline v0 {
namespace {

bool matches(const Shape& shape, const TensorSpec& spec) noexcept {
  if (spec.any_rank) return true;
  if (shape.rank() != spec.shape.rank()) return false;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (spec.shape[axis] >= 0 && shape[axis] != spec.shape[axis]) return false;
  }
  return true;
}

}  // namespace

bool ModelSignature::is_static() const noexcept {
  return std::all_of(inputs.begin(), inputs.end(), [](const TensorSpec& spec) {
    const auto dims = spec.shape.dims();
    return !spec.any_rank && std::all_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim >= 0; });
  });
}

Result<void> check_sample(const ModelSignature& signature, std::span<const Tensor> sample) {
  if (sample.size() != signature.inputs.size()) {
    return fail(ErrorCode::kInvalidArgument, "inputs: " + std::to_string(sample.size()) +
                                                 " given, the model takes " +
                                                 std::to_string(signature.inputs.size()));
  }
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const TensorSpec& spec = signature.inputs[i];
    const Tensor& tensor = sample[i];
    if (tensor.dtype() != spec.dtype) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": dtype " +
                                                   std::string(to_string(tensor.dtype())) +
                                                   ", the model takes " + std::string(to_string(spec.dtype)));
    }
    if (!matches(tensor.shape(), spec)) {
      return fail(ErrorCode::kInvalidArgument,
                  spec.name + ": shape " + tensor.shape().text() + ", the model takes " + spec.shape.text());
    }
    if (tensor.data() == nullptr && tensor.elements() > 0) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": holds no data");
    }
  }
  return {};
}

}  // namespace infer::inline v0
