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

/// What a sample may say of its size, whatever the model takes, so that no product of dimensions overflows in
/// a batch of it either. Dimensions count even where another is zero: strides are made of them.
Result<void> check_size(const TensorSpec& spec, const Tensor& tensor) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 48;  // what a processor addresses
  const Shape& shape = tensor.shape();
  const auto bad = [&](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, spec.name + ": shape " + shape.text() + " " + what);
  };
  if (shape.rank() >= Shape::kMaxRank) {
    return bad("has " + std::to_string(shape.rank()) + " dimensions, a sample may have at most " +
               std::to_string(Shape::kMaxRank - 1));
  }
  std::size_t bytes = element_size(tensor.dtype());
  for (const std::int64_t dim : shape.dims()) {
    if (dim < 0) return bad("has a negative dimension");
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(std::max<std::int64_t>(1, dim)), &bytes) ||
        bytes > kMaxBytes) {
      return bad("is too large: dimensions other than 0 may not come to more than " +
                 std::to_string(kMaxBytes) + " bytes");
    }
  }
  return {};
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
    if (auto sane = check_size(spec, tensor); !sane) return sane;
    if (tensor.data() == nullptr && tensor.elements() > 0) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": holds no data");
    }
  }
  return {};
}

}  // namespace infer::inline v0
