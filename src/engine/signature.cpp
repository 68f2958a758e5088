#include "infer/engine/signature.h"

#include <algorithm>
#include <utility>

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

/// Limits the size of a sample for every model, so that no product of dimensions overflows, in a batch
/// either. Dimensions count even if another one is zero, since strides are computed from them.
Result<void> check_size(const TensorSpec& spec, const Tensor& tensor) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 48;  // the address space of processors
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
      return bad("is too large: the product of its dimensions other than 0 exceeds " +
                 std::to_string(kMaxBytes) + " bytes");
    }
  }
  return {};
}

bool exceeds(const Shape& shape, const Shape& limit) noexcept {
  for (std::size_t axis = 0; axis < std::min(shape.rank(), limit.rank()); ++axis) {
    if (limit[axis] >= 0 && shape[axis] > limit[axis]) return true;
  }
  return false;
}

template <class T>
Result<void> check_values(const TensorSpec& spec, std::span<const T> values) {
  const auto [least, greatest] = *spec.range;
  const auto outside = [&](T value) {
    return std::cmp_less(value, least) || std::cmp_greater(value, greatest);
  };
  const auto found = std::find_if(values.begin(), values.end(), outside);
  if (found == values.end()) return {};
  return fail(ErrorCode::kInvalidArgument, spec.name + "[" + std::to_string(found - values.begin()) +
                                               "]: " + std::to_string(*found) + " is outside " +
                                               std::to_string(least) + " to " + std::to_string(greatest) +
                                               ", the range that the model takes");
}

Result<void> check_range(const TensorSpec& spec, const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kUint8:
      return check_values(spec, tensor.as<std::uint8_t>());
    case DType::kUint16:
      return check_values(spec, tensor.as<std::uint16_t>());
    case DType::kUint32:
      return check_values(spec, tensor.as<std::uint32_t>());
    case DType::kUint64:
      return check_values(spec, tensor.as<std::uint64_t>());
    case DType::kInt8:
      return check_values(spec, tensor.as<std::int8_t>());
    case DType::kInt16:
      return check_values(spec, tensor.as<std::int16_t>());
    case DType::kInt32:
      return check_values(spec, tensor.as<std::int32_t>());
    case DType::kInt64:
      return check_values(spec, tensor.as<std::int64_t>());
    default:
      return {};
  }
}

/// Returns the shape of the input in `same_shape_as` of `spec`; null if it names none.
const Shape* shape_of_like(const ModelSignature& signature, const TensorSpec& spec,
                           std::span<const Tensor> sample) noexcept {
  if (spec.same_shape_as.empty()) return nullptr;
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    if (signature.inputs[i].name == spec.same_shape_as) return &sample[i].shape();
  }
  return nullptr;
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
    if (exceeds(tensor.shape(), spec.max_shape)) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": shape " + tensor.shape().text() + " exceeds " +
                                                   spec.max_shape.text() + ", the most that the model takes");
    }
    if (const Shape* like = shape_of_like(signature, spec, sample); like && !(tensor.shape() == *like)) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": shape " + tensor.shape().text() + " is not " +
                                                   like->text() + ", the shape of " + spec.same_shape_as);
    }
    if (tensor.data() == nullptr && tensor.elements() > 0) {
      return fail(ErrorCode::kInvalidArgument, spec.name + ": holds no data");
    }
    if (spec.range) {
      if (auto inside = check_range(spec, tensor); !inside) return inside;
    }
  }
  return {};
}

}  // namespace infer::inline v0
